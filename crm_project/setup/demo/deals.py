"""Random deals: what a deal is created with, and the changes that follow until it is closed."""

import datetime
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from crm_project.accounts.actors import Actor
from crm_project.setup.demo.data import words
from crm_project.setup.demo.organizations import DemoOrganization
from deals.models import Deal

# Relative frequencies of the endings of a deal; the last one stays open.
ENDINGS = {"won": 36, "lost": 43, "abandoned": 19, "": 2}
# Days before a deal is abandoned.
PATIENCE = 75
# Usual price of one period, and the largest number of periods.
BIDS = {"hour": (80, 40), "day": (650, 12), "week": (2900, 8), "month": (480, 12), "year": (5200, 3)}
DAY = datetime.timedelta(days=1)
# What is done ("create", "update", "delete" or "restore"), and the change that a service takes.
Step = tuple[str, dict[str, Any]]


class DealCourse:
    """The steps of one deal, each determined when the one before it is done.

    `owner` takes `step`, not before `due`; a course without a step is at its end. `deal` is the row once it exists.
    """

    def __init__(self, organization: DemoOrganization, creator: Actor, at: datetime.datetime) -> None:
        self.organization, self.rng = organization, organization.rng
        pipelines = organization.data["pipelines"]
        self.pipeline = self.rng.choices(pipelines, [entry["weight"] for entry in pipelines])[0]
        *self.stages, self.won, self.lost = organization.stages[self.pipeline["name"]]
        self.deal: Deal | None = None
        self.owner, self.due = creator, at
        self._steps = self._generate()
        self.step: Step | None = next(self._steps)

    def proceed(self, deal: Deal, at: datetime.datetime) -> None:
        """Determine the next step, after the present one was taken at `at`."""
        self.deal, self.due = deal, at
        self.owner = next(actor for actor in self.organization.sellers if actor.member.pk == deal.owner_id)
        self.step = next(self._steps, None)

    def _generate(self) -> Iterator[Step]:
        rng, pace = self.rng, self.pipeline["pace"]
        ending = rng.choices(list(ENDINGS), list(ENDINGS.values()))[0]
        reached = len(self.stages) if ending == "won" else rng.randint(1, len(self.stages))
        yield "create", self._creation()
        for stage in self.stages[1:reached]:
            self._wait(pace)
            yield "update", {"stage": stage.pk} | (self._amount() if rng.random() < 0.15 else {})
            if rng.random() < 0.2:
                self._wait(2)
                yield "update", self._incident(stage.probability)
        if ending:
            self._wait(PATIENCE if ending == "abandoned" else pace)
            yield "update", self._closing(ending)
        if ending in ("lost", "abandoned"):
            yield from self._afterwards()

    def _afterwards(self) -> Iterator[Step]:
        """A few closed deals are reopened and won; a few go to the trash, and some of these are restored."""
        kind = self.rng.randrange(100)
        self._wait(5)
        if kind < 2:
            yield "update", {"status": "open", "stage": self.stages[-1].pk}
            self._wait(self.pipeline["pace"])
            yield "update", self._closing("won")
        elif kind < 5:
            yield "delete", {}
            self._wait(3)
            if kind == 4:
                yield "restore", {}

    def _wait(self, days: float) -> None:
        self.due += DAY * self.rng.lognormvariate(math.log(days), 0.7)

    def _creation(self) -> dict[str, Any]:
        rng, owner = self.rng, self.owner.member.pk
        change: dict[str, Any] = {
            "name": f"{rng.choice(words()['products'])} {self.due.year}",
            "stage": self.stages[0].pk,
            "owner": owner,
            "expected_close_date": self._closing_day(),
            "origin": rng.choice(words()["origins"]),
            "description": rng.choice(words()["descriptions"]) if rng.random() < 0.4 else "",
            **self._people(),
            **self._price(),
        }
        if rng.random() < 0.2:
            change["followers"] = [self.organization.some_member()]
        if rng.random() < 0.03:
            change |= {"is_private": True, "access_list": [owner, self.organization.some_member()]}
        if "custom_fields" in self.organization.data and rng.random() < 0.7:
            segment, seats = rng.choice(("TPE", "PME", "ETI")), rng.choice((5, 10, 25, 50, 120))
            change["custom_fields"] = {"segment": segment, "seats": seats}
        return change

    def _closing_day(self) -> datetime.date:
        days: int = round(self.pipeline["pace"] * self.rng.uniform(2, 6))
        return self.due.date() + days * DAY

    def _people(self) -> dict[str, Any]:
        """A person and the person's company; sometimes a colleague takes part."""
        people = self.organization.people
        if not people:
            return {}
        index = self.rng.randrange(len(people))
        person, neighbour = people[index], people[index - 1]
        takes_part = neighbour.company_id == person.company_id and self.rng.random() < 0.3
        members = {"members": [neighbour.pk]} if takes_part else {}
        return {"contact": person.pk, "client": person.company_id, **members}

    def _price(self) -> dict[str, Any]:
        """A bid per period, no amount, or an amount with a currency and a tax rate."""
        rng, currencies = self.rng, words()["currencies"]
        kind, self.rate = rng.random(), 0.0
        if kind < 0.08:
            bid_type = rng.choice(list(BIDS))
            price, periods = BIDS[bid_type]
            value = Decimal(round(price * rng.uniform(0.6, 1.7)))
            return {"bid_type": bid_type, "bid_value": value, "bid_periods": rng.randint(1, periods)}
        if kind < 0.12:
            return {}
        code, _, rate, taxes = rng.choices(currencies, [entry[1] for entry in currencies])[0]
        self.rate = float(rate)
        return {"currency": code, "tax_rate": rng.choice(taxes), **self._amount()}

    def _amount(self) -> dict[str, Any]:
        """A round figure in the deal's currency; nothing for a deal that has no fixed amount."""
        if not self.rate:
            return {}
        figure = self.pipeline["size"] * self.rate * self.rng.lognormvariate(0, 0.7)
        unit = 10 if figure < 5_000 else 50 if figure < 50_000 else 500
        return {"amount": Decimal(max(round(figure / unit), 1) * unit)}

    def _incident(self, probability: int) -> dict[str, Any]:
        """Another owner, one more follower, a probability set by hand, a later closing date, or a competitor."""
        rng = self.rng
        changes: list[dict[str, Any]] = [
            {"owner": rng.choice(self.organization.sellers).member.pk},
            {"add_followers": [self.organization.some_member()]},
            {"probability": min(probability + rng.choice((-5, 5, 10)), 95)},
            {"expected_close_date": self._closing_day()},
        ]
        if "custom_fields" in self.organization.data:
            changes.append({"custom_fields": {"competitor": rng.choice(words()["competitors"])}})
        return rng.choice(changes)

    def _closing(self, status: str) -> dict[str, Any]:
        """Mostly by a move to the closing stage. Some closings are entered days later."""
        rng, stages = self.rng, {"won": self.won, "lost": self.lost}
        moves = status in stages and rng.random() < 0.9
        change: dict[str, Any] = {"stage": stages[status].pk} if moves else {"status": status}
        if status != "won" and rng.random() < 0.8:
            change["lost_reason"] = rng.choice(list(self.organization.lost_reasons.values())).pk
        return change | ({"closed_at": self.due} if rng.random() < 0.05 else {})
