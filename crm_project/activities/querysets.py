"""QuerySet of activities: `Activity.objects.visible_to(member).open().due_by(instant)`."""

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from django.db.models import Q

from contacts.models import Contact
from crm_project.records.days import end_of_today, start_of
from crm_project.records.querysets import RowQuerySet
from deals.models import Deal
from deals.querysets import with_any_contact

if TYPE_CHECKING:
    from crm_project.accounts.models import Member


def is_due(states: Iterable[str], now: datetime.datetime, time_zone: str) -> Q:
    """The condition of open activities that are overdue, due later today, planned for later, or undated."""
    today = end_of_today(now, time_zone)
    conditions = {
        "overdue": Q(deadline__lt=now),
        "today": Q(deadline__gte=now, deadline__lte=today),
        "planned": Q(deadline__gt=today),
        "undated": Q(deadline=None),
    }
    chosen = Q(*(conditions[state] for state in states), _connector=Q.OR)
    return Q(done_at=None) & chosen


def is_meeting_on(day: datetime.date, time_zone: str) -> Q:
    """The condition of open meetings of a day, those whose time has passed included."""
    start, end = (start_of(one, ZoneInfo(time_zone)) for one in (day, day + datetime.timedelta(days=1)))
    return Q(done_at=None, type="meeting", deadline__gte=start, deadline__lt=end)


def about_contact(organization_id: int, contact_id: int) -> Q:
    """Activities of a contact, of the people of a company, and of the deals that any of them takes part in."""
    return about_contacts(organization_id, people_of(organization_id, contact_id))


def people_of(organization_id: int, contact_id: int) -> Any:
    """The ids of a contact and of the people of a company, as a subquery."""
    people = Contact.objects.of(organization_id).live().filter(Q(pk=contact_id) | Q(company=contact_id))
    return people.order_by().values("pk")


def about_contacts(organization_id: int, contacts: Any) -> Q:
    """Activities of these contacts and of their deals; `contacts` is a subquery of ids."""
    deals = Deal.objects.of(organization_id).filter(with_any_contact(organization_id, contacts))
    return Q(contact__in=contacts) | Q(deal__in=deals.order_by().values("pk"))


def personal_to(contact_id: int) -> Q:
    """The activities whose texts are about one contact: its own, and those of its deals that name no contact."""
    return Q(contact=contact_id) | Q(contact=None, deal__contact=contact_id)


class ActivityQuerySet(RowQuerySet[Any]):
    def open(self) -> Self:
        return self.filter(done_at=None)

    def done(self) -> Self:
        return self.filter(done_at__isnull=False)

    def due(self, *states: str, now: datetime.datetime, time_zone: str) -> Self:
        """Open, and of one of these states: overdue, today, planned, undated."""
        return self.filter(is_due(states, now, time_zone))

    def owned_by(self, member: "Member") -> Self:
        return self.filter(owner=member)

    def for_lines(self) -> Self:
        """With the related rows that a line on a page names."""
        return self.select_related("owner__user", "deal__contact", "deal__client", "contact")

    def for_reading(self) -> Self:
        """With all related rows of a response, in a fixed number of queries."""
        return self.for_lines().prefetch_related("references")
