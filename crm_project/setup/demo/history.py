"""The past of an organization, written by the services in the order of time.

On each day of the history one seller writes, as one list, what has become due since that seller's previous day: a
service takes little longer for a list than for a single row.
"""

import datetime
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any
from uuid import uuid4

from contacts.services import create_contacts
from crm_project.accounts.actors import Actor
from crm_project.journal.append_only import rewriting
from crm_project.journal.models import Event
from crm_project.records.bulk import Operation
from crm_project.records.bulk_sql import update_rows
from crm_project.records.kinds import kinds
from crm_project.setup.demo.clock import frozen_time
from crm_project.setup.demo.contacts import ContactGenerator
from crm_project.setup.demo.data import words
from crm_project.setup.demo.deals import DealCourse
from crm_project.setup.demo.organizations import DemoOrganization
from deals.services import carry_out_deals, restore_deals

Track = Callable[[Sequence[Any]], Iterable[Any]]
# How much more is sold at the end of the history than at its beginning.
GROWTH = 0.7
# Part of the contacts is older than the history; the others are created on every eighth of its days.
CONTACTS_AT_START = 0.25
CONTACTS_EVERY = 8


def write_history(
    organization: DemoOrganization, days: Sequence[datetime.date], deals: int, track: Track = iter
) -> None:
    """Create `deals` deals with their contacts on these days, and take the steps of each deal.

    `track` wraps the sequence of the days, for a progress bar.
    """
    rng, sellers = organization.rng, organization.sellers
    contacts, courses = ContactGenerator(organization), list[DealCourse]()
    people, created = deals // 3 + 4, 0
    for number, (day, share) in enumerate(track(list(zip(days, _shares(days), strict=True)))):
        seller = sellers[number % len(sellers)]
        at = datetime.datetime.combine(day, datetime.time(7), datetime.UTC)
        at += datetime.timedelta(seconds=rng.randrange(9 * 3600))
        if number % CONTACTS_EVERY == 0:
            total = round(people * (CONTACTS_AT_START + (1 - CONTACTS_AT_START) * share))
            with frozen_time(at):
                _create_contacts(organization, contacts, seller, total - len(organization.people))
        at += datetime.timedelta(seconds=rng.randrange(600, 3600))
        due = [course for course in courses if course.owner is seller and course.due < at]
        new = [DealCourse(organization, seller, at) for _ in range(round(deals * share) - created)]
        created += len(new)
        with frozen_time(at):
            _take_steps(seller, at, [*due, *new])
        courses = [course for course in [*courses, *new] if course.step is not None]
    _separate_change_sets(organization.admin.organization_id)


def _shares(days: Sequence[datetime.date]) -> list[float]:
    """For each day the share of all deals that are created by its end, according to season and growth."""
    seasons = [float(weight) for weight in words()["seasons"]]
    weights = [seasons[day.month - 1] * (1 + GROWTH * n / len(days)) for n, day in enumerate(days)]
    total = sum(weights)
    return [weight / total for weight in accumulate(weights)]


def _create_contacts(
    organization: DemoOrganization, generator: ContactGenerator, actor: Actor, count: int
) -> None:
    """Create companies of one to three people each, `count` people or a little more."""
    sizes: list[int] = []
    while sum(sizes) < count:
        sizes.append(organization.rng.choice((1, 1, 2, 3)))
    changes = [generator.company(actor.member.pk) for _ in sizes]
    companies = create_contacts(actor=actor, changes=changes)
    employers = [company for company, size in zip(companies, sizes, strict=True) for _ in range(size)]
    changes = [generator.person(company) for company in employers]
    organization.people += create_contacts(actor=actor, changes=changes)


def _take_steps(actor: Actor, at: datetime.datetime, courses: Sequence[DealCourse]) -> None:
    """Take the present step of each course and determine the next one."""
    restored = [course for course in courses if course.step and course.step[0] == "restore"]
    written = [course for course in courses if course not in restored]
    if restored:
        restore_deals(actor=actor, rows=[course.deal for course in restored if course.deal])
    if written:
        operations = [
            Operation(course.step[0], course.deal.uuid if course.deal else None, course.change_at(at))
            for course in written
            if course.step
        ]
        receipts = carry_out_deals(actor=actor, operations=operations)
        for course, receipt in zip(written, receipts, strict=True):
            course.deal = receipt.row
    for course in courses:
        course.proceed(at)


def _separate_change_sets(organization_id: int) -> None:
    """Give each event of contacts and deals a change set of its own, as if each had been a separate request.

    Otherwise the undo of one change would undo everything that its author did on that day.
    """
    names = [name for name, kind in kinds.items() if not kind.in_catalogue]
    events = list(Event.objects.filter(organization=organization_id, kind__in=names))
    for event in events:
        event.change_set = uuid4()
    with rewriting():
        update_rows(events, ["change_set"])
