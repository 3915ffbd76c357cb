"""The past of an organization, written by the services in the order of time.

On each day of the history one seller writes, as one list, what has become due since that seller's previous day: a
service takes little longer for a list than for a single row.
"""

import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import uuid4

from crm_project.accounts.actors import Actor
from crm_project.journal.append_only import rewriting
from crm_project.journal.models import Event
from crm_project.records.bulk import Operation
from crm_project.records.bulk_sql import update_rows
from crm_project.records.kinds import kinds
from crm_project.setup.demo.activities import create_demo_activities
from crm_project.setup.demo.clock import frozen_time
from crm_project.setup.demo.contacts import ContactGenerator
from crm_project.setup.demo.deals import DealCourse
from crm_project.setup.demo.organizations import DemoOrganization
from deals.services import carry_out_deals, restore_deals

Track = Callable[[Sequence[Any]], Iterable[Any]]
# Above 1, more is sold at the end of the history than at its beginning.
GROWTH = 1.3
# A part of the contacts is older than the history; the others are created on every eighth of its days.
CONTACTS_AT_START = 0.25
CONTACTS_EVERY = 8


def write_history(
    organization: DemoOrganization, days: Sequence[datetime.date], deals: int, track: Track = iter
) -> None:
    """Create `deals` deals with their contacts on these days, and take the steps of each deal.

    `track` wraps the sequence of the days, for a progress bar.
    """
    rng, sellers = organization.rng, organization.sellers
    contacts, courses, created = ContactGenerator(organization), list[DealCourse](), 0
    for number, day in enumerate(track(days)):
        seller, share = sellers[number % len(sellers)], ((number + 1) / len(days)) ** GROWTH
        at = datetime.datetime.combine(day, datetime.time(7), datetime.UTC)
        at += datetime.timedelta(seconds=rng.randrange(9 * 3600))
        with frozen_time(at):
            if number % CONTACTS_EVERY == 0:
                part = CONTACTS_AT_START + (1 - CONTACTS_AT_START) * share
                contacts.create(seller, round((deals // 3 + 4) * part))
            due = [course for course in courses if course.owner is seller and course.due < at]
            new = [DealCourse(organization, seller, at) for _ in range(round(deals * share) - created)]
            _take_steps(seller, at, [*due, *new])
        created += len(new)
        courses = [course for course in [*courses, *new] if course.step is not None]
    evening = datetime.datetime.combine(days[-1], datetime.time(17), datetime.UTC)
    with frozen_time(evening):
        create_demo_activities(courses, f"{organization.admin.organization.slug} {days[-1]}", evening)
    _separate_change_sets(organization.admin.organization_id)


def _take_steps(actor: Actor, at: datetime.datetime, courses: Sequence[DealCourse]) -> None:
    """Take the present step of each course and determine the next one."""
    restored = [course for course in courses if course.step and course.step[0] == "restore"]
    written = [course for course in courses if course not in restored]
    rows = restore_deals(actor=actor, rows=[course.deal for course in restored if course.deal])
    operations = [
        Operation(course.step[0], course.deal.uuid if course.deal else None, course.step[1])
        for course in written
        if course.step
    ]
    rows += [receipt.row for receipt in carry_out_deals(actor=actor, operations=operations)]
    for course, row in zip([*restored, *written], rows, strict=True):
        course.proceed(row, at)


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
