"""The contacts of a history: companies and their people, made of words, and what becomes of each. Pure."""

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from crm_project.records.text import fold
from crm_project.setup.demo.hours import later
from crm_project.setup.demo.steps import Step

if TYPE_CHECKING:
    from crm_project.setup.demo.world import World

# Those who were customers before there was this CRM were typed in during its first days.
OLD_CUSTOMERS = 0.25
FIRST_DAYS = 0.02
DIAL = {"FR": "+33 1", "BE": "+32 2", "CH": "+41 22", "DE": "+49 30", "IT": "+39 02", "PT": "+351 21", "PL": "+48 12",
        "SE": "+46 31", "GB": "+44 20"}  # fmt: skip


class Profile(NamedTuple):
    """A contact as it was typed in. `company` is the index of a person's company in the crowd."""

    at: datetime.datetime
    change: dict[str, Any]
    company: int | None

    @property
    def email(self) -> str:
        return str(self.change["email"])

    @property
    def full_name(self) -> str:
        change = self.change
        return str(change.get("name") or f"{change['first_name']} {change['last_name']}")


def gather(world: "World") -> list[Profile]:
    """Everybody, in the order in which they became known."""
    rng = world.random("crowd", 0)
    taken: Counter[str] = Counter()
    found: list[tuple[datetime.datetime, int, dict[str, Any], int | None]] = []
    while len(found) < world.contacts:
        company, share = len(found), len(found) / world.contacts
        share = share / OLD_CUSTOMERS * FIRST_DAYS if share < OLD_CUSTOMERS else share
        at = world.seasons.instant(min(share, 0.999))
        found.append((at, company, _company(world, rng, taken), None))
        for number in range(1, rng.choice((2, 2, 3, 4))):
            at += datetime.timedelta(seconds=rng.uniform(40, 400))
            found.append((at, company + number, _person(world, rng, taken, found[company][2]), company))
    return _in_order(found[: world.contacts])


def _in_order(found: list[tuple[datetime.datetime, int, dict[str, Any], int | None]]) -> list[Profile]:
    """Sort by time, and let companies be named by their new places."""
    found = sorted(found, key=lambda entry: entry[:2])
    place = {entry[1]: index for index, entry in enumerate(found)}
    return [
        Profile(at, change, None if company is None else place[company]) for at, _, change, company in found
    ]


def life_of_contact(world: "World", index: int) -> Iterator[Step]:
    """A contact is typed in, and some are completed later."""
    rng, profile = world.random("contact", index), world.crowd[index]
    actor, change = rng.choice(world.sellers), dict(profile.change)
    if profile.company is not None:
        change["company"] = world.first_contact + profile.company
    yield Step(profile.at, actor, "create", change)
    at = later(rng, profile.at, 90)
    if rng.random() < 0.15 and at < world.end:
        yield Step(at, rng.choice(world.sellers), "update", _completed(rng, profile, world))


def _completed(rng: Random, profile: Profile, world: "World") -> dict[str, Any]:
    if profile.company is None:
        return {"website": f"https://{profile.email.partition('@')[2]}"}
    return {"mobile": f"+33 6 {_digits(rng)}", "department": rng.choice(world.words["departments"])}


def _company(world: "World", rng: Random, taken: Counter[str]) -> dict[str, Any]:
    words = world.words
    city, postal_code, country = rng.choice(words["cities"])
    name = f"{rng.choice(words['company_names'])} {rng.choice(words['company_trades'])}"
    domain = _free(taken, _slug(name))
    return {
        "kind": "company",
        "name": f"{name} {rng.choice(words['company_forms'])}",
        "email": f"contact@{domain}.example",
        "phone": f"{DIAL[country]} {_digits(rng)}",
        "street": f"{rng.randint(1, 180)} {rng.choice(words['streets'])}",
        "postal_code": postal_code,
        "city": city,
        "country": country,
        "origin": rng.choice(words["origins"]),
        "owner": rng.choice(world.sellers),
    }


def _person(world: "World", rng: Random, taken: Counter[str], company: dict[str, Any]) -> dict[str, Any]:
    words = world.words
    first, last = rng.choice(words["first_names"]), rng.choice(words["last_names"])
    domain = company["email"].partition("@")[2]
    address = _free(taken, f"{_slug(first)}.{_slug(last)}", f"@{domain}")
    change = {
        "first_name": first,
        "last_name": last,
        "email": address,
        "phone": f"{DIAL[company['country']]} {_digits(rng)}",
        "job_title": rng.choice(words["job_titles"]),
    }
    if world.has_custom_fields and rng.random() < 0.6:
        change["custom_fields"] = {
            "language": rng.choice(("fr", "en", "de", "pl", "pt")),
            "newsletter": rng.random() < 0.4,
        }
    return change


def _slug(text: str) -> str:
    return re.sub(r"[^a-z]+", "-", fold(text).replace("ł", "l").replace("ø", "o")).strip("-")


def _free(taken: Counter[str], wanted: str, ending: str = "") -> str:
    """The name, or the name with a number where others have it already."""
    name = wanted + ending
    taken[name] += 1
    return name if taken[name] == 1 else f"{wanted}-{taken[name]}{ending}"


def _digits(rng: Random) -> str:
    # Numbers of 55 are given to nobody in films either.
    return f"55 {rng.randint(0, 99):02d} {rng.randint(0, 99):02d} {rng.randint(0, 99):02d}"
