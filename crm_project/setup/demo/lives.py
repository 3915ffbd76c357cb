"""The life of one deal, from the first call to the signature, the refusal or the silence. Pure: the same every time."""

import datetime
from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal
from itertools import takewhile
from typing import Any

from crm_project.setup.demo.hours import later, working_instant
from crm_project.setup.demo.steps import Step
from crm_project.setup.demo.world import Route, World
from pipelines.models import Stage

# How a deal ends: won, lost, given up, or forgotten.
ENDINGS = {"won": 36, "lost": 43, "abandoned": 8, "silence": 13}
BIDS = {"hour": (80, 40), "day": (650, 12), "week": (2900, 8), "month": (480, 12), "year": (5200, 3)}
DAY = datetime.timedelta(days=1)


def life_of_deal(world: World, index: int) -> Iterator[Step]:
    """What happened to the deal before the world's end; only the first step is sure."""
    return takewhile(lambda step: step.at < world.end, Teller(world, index).tell())


class Teller:
    """Remembers where a deal stands while its life is told."""

    def __init__(self, world: World, index: int) -> None:
        self.world, self.index = world, index
        self.rng = rng = world.random("deal", index)
        # A share of the period that rises with the index: deals are numbered in the order of their creation.
        self.at = world.seasons.instant((index + rng.random()) / world.deals)
        self.route: Route = rng.choices(world.routes, [route.weight for route in world.routes])[0]
        self.owner = rng.choice(world.sellers)
        self.expected = self.at.date() + DAY * round(self.route.pace * rng.uniform(2, 6))
        self.stage: Stage = self.route.open[0]
        self.fixed = rng.random() >= 0.08
        self.private = rng.random() < 0.03
        self.rate = 1.0

    def tell(self) -> Iterator[Step]:
        rng, stages = self.rng, self.route.open
        ending = rng.choices(list(ENDINGS), list(ENDINGS.values()))[0]
        reached = len(stages) - 1 if ending == "won" else rng.randrange(len(stages))
        yield self._birth()
        for stage in stages[1 : reached + 1]:
            yield from self._wait(self.route.pace)
            yield self._move(stage)
            yield from self._incident()
        if ending == "silence":
            yield from self._clearing_up()
            return
        yield from self._wait(self.route.pace)
        yield self._end(ending)
        yield from self._afterwards(ending)

    def _step(self, change: dict[str, Any], verb: str = "update", actor: int | None = None) -> Step:
        return Step(self.at, actor or self.owner, verb, change)

    def _wait(self, days: float) -> Iterator[Step]:
        """Let time pass; whoever sees the date of closing pass while the deal is open moves the date, mostly."""
        coming = later(self.rng, self.at, days)
        while coming.date() > self.expected and self.rng.random() < 0.7:
            slipped = working_instant(self.rng, max(self.expected, self.at.date() + DAY))
            if slipped >= coming:
                break
            self.at = slipped
            self.expected = slipped.date() + DAY * round(self.route.pace * self.rng.uniform(1, 4))
            yield self._step({"expected_close_date": self.expected})
        self.at = coming

    def _birth(self) -> Step:
        rng, words = self.rng, self.world.words
        change: dict[str, Any] = {
            "name": f"{rng.choice(words['products'])} {self.at.year}",
            "stage": self.stage.pk,
            "owner": self.owner,
            "expected_close_date": self.expected,
            "origin": rng.choice(words["origins"]),
            **self._people(),
            **self._money(),
            **self._details(),
        }
        if self.private:
            others = [member for member in self.world.members if member != self.owner]
            change |= {
                "is_private": True,
                "access_list": [self.owner, *rng.sample(others, min(1, len(others)))],
            }
        handed_out = not self.private and rng.random() < 0.12
        return self._step(change, "create", rng.choice(self.world.managers) if handed_out else None)

    def _people(self) -> dict[str, Any]:
        """Somebody who was known by then, and the company; sometimes a colleague takes part."""
        rng, world = self.rng, self.world
        known = bisect_left(world.arrivals, self.at)
        if not known:
            return {}
        index = rng.randrange(known)
        company = world.crowd[index].company
        if company is None:
            return {"client": world.first_contact + index}
        found: dict[str, Any] = {
            "contact": world.first_contact + index,
            "client": world.first_contact + company,
        }
        near = [other for other in (index - 1, index + 1) if 0 <= other < known]
        colleagues = [world.first_contact + other for other in near if world.crowd[other].company == company]
        if colleagues and rng.random() < 0.25:
            found["members"] = colleagues
        return found

    def _money(self) -> dict[str, Any]:
        rng = self.rng
        currencies = self.world.words["currencies"]
        if not self.fixed:
            bid_type = rng.choice(list(BIDS))
            value, periods = BIDS[bid_type]
            amount = Decimal(round(value * rng.uniform(0.6, 1.7) * 2)) / 2
            return {"bid_type": bid_type, "bid_value": amount, "bid_periods": rng.randint(1, periods)}
        code, _, self.rate, taxes = rng.choices(currencies, [told[1] for told in currencies])[0]
        if rng.random() < 0.05:
            return {"currency": code}
        tax = rng.choice(taxes)
        return {"currency": code, "amount": self._amount()} | ({"tax_rate": tax} if tax else {})

    def _amount(self) -> Decimal:
        """Round figures, as people name them."""
        figure = self.route.size * self.rate * self.rng.lognormvariate(0, 0.7)
        unit = 10 if figure < 5_000 else 50 if figure < 50_000 else 500
        return Decimal(max(round(figure / unit), 1) * unit)

    def _details(self) -> dict[str, Any]:
        rng, world = self.rng, self.world
        found: dict[str, Any] = {}
        if rng.random() < 0.4:
            found["description"] = rng.choice(world.words["descriptions"])
        if rng.random() < 0.5:
            found["number"] = f"{self.at.year}-{self.index + 1:05d}"
        if rng.random() < 0.2:
            found["followers"] = rng.sample(world.members, rng.randint(1, min(2, len(world.members))))
        if world.has_custom_fields and rng.random() < 0.7:
            found["custom_fields"] = self._custom_fields()
        return found

    def _custom_fields(self) -> dict[str, Any]:
        rng = self.rng
        found: dict[str, Any] = {"segment": rng.choice(("TPE", "PME", "PME", "ETI", "Grand compte"))}
        if rng.random() < 0.4:
            found["seats"] = rng.choice((5, 10, 25, 50, 120, 300))
        if rng.random() < 0.3:
            found["needs"] = rng.sample(("Conseil", "Formation", "Intégration", "Support"), rng.randint(1, 3))
        return found

    def _clearing_up(self) -> Iterator[Step]:
        """Most of what was forgotten is given up at last, when somebody goes through the list."""
        if self.rng.random() < 0.9:
            self.at = later(self.rng, self.at, 75)
            yield self._end("abandoned")

    def _move(self, stage: Stage) -> Step:
        """The next stage; an offer may change the amount with it."""
        self.stage = stage
        change: dict[str, Any] = {"stage": stage.pk}
        if self.fixed and self.rng.random() < 0.15:
            change["amount"] = self._amount()
        return self._step(change)

    def _incident(self) -> Iterator[Step]:
        """Some deals change hands, are watched, or are judged better or worse than their stage."""
        rng, luck = self.rng, self.rng.random()
        if luck >= 0.2:
            return
        self.at = later(rng, self.at, 2)
        if luck < 0.04:
            before, self.owner = self.owner, rng.choice(self.world.sellers)
            yield self._step({"owner": self.owner}, actor=before)
        elif luck < 0.09:
            yield self._step({"add_followers": [rng.choice(self.world.members)]})
        elif luck < 0.14:
            yield self._step({"probability": min(self.stage.probability + rng.choice((-5, 5, 10)), 95)})
        elif self.world.has_custom_fields:
            yield self._step({"custom_fields": {"competitor": rng.choice(self.world.words["competitors"])}})

    def _end(self, ending: str) -> Step:
        rng, change = self.rng, dict[str, Any]()
        if ending == "won":
            change["stage"] = self.route.won.pk
        elif ending == "lost" and rng.random() < 0.7:
            change["stage"] = self.route.lost.pk
        else:
            change["status"] = ending
        if ending != "won" and self.world.lost_reasons and rng.random() < 0.8:
            change["lost_reason"] = self._reason()
        if rng.random() < 0.05:
            # Told a little late.
            change["closed_at"] = self.at - datetime.timedelta(hours=rng.randint(1, 60))
        return self._step(change)

    def _reason(self) -> int:
        """Those that stand first are given most often."""
        reasons = self.world.lost_reasons
        return self.rng.choices(reasons, [1 / (place + 2) for place in range(len(reasons))])[0]

    def _afterwards(self, ending: str) -> Iterator[Step]:
        """A few come back to life, a few were typed in by mistake."""
        rng, luck = self.rng, self.rng.random()
        if ending == "won" or luck >= 0.05:
            return
        self.at = later(rng, self.at, 5)
        if luck < 0.02:
            yield self._step({"status": "open", "stage": self.route.open[-1].pk})
            self.at = later(rng, self.at, self.route.pace)
            yield self._end("won")
            return
        yield self._step({}, "trash")
        if luck < 0.03:
            self.at = working_instant(rng, self.at.date() + DAY * rng.randint(1, 9))
            yield self._step({}, "restore")
