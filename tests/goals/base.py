"""Goals of the tests, and what attains them, computed from single deals."""

import datetime
import random
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from crm_project.accounts.models import Member, Organization
from crm_project.goals.services import create_goal
from crm_project.rates.services import create_exchange_rate
from deals.models import Deal
from deals.services import create_deals, trash_deals

MONTHS = [datetime.date(2024, month, 1) for month in (1, 2, 3)]
ZONE = "Asia/Tokyo"


def goal(actor, month="2024-01-01", amount="1000", member=None, **more):
    change = {"month": datetime.date.fromisoformat(month), "amount": Decimal(amount), "member": member}
    return create_goal(actor=actor, change={**change, **more})


def in_tokyo(case):
    """Where a day begins nine hours before that of UTC, while Bob reads in Los Angeles."""
    Member.objects.filter(pk=case.bob.member.pk).update(time_zone="America/Los_Angeles")
    case.bob.member.refresh_from_db()
    Organization.objects.filter(pk=case.organization.pk).update(time_zone=ZONE)
    for actor in (case.alice, case.manager, case.bob, case.viewer):
        actor.organization.refresh_from_db()


def random_deals(case, seed=3):
    """Deals of several currencies, one without a rate, closed around the ends of months; private ones and trash."""
    chance = random.Random(seed)
    for day, rate in (("2024-01-10", "0.5"), ("2024-02-10", "0.3333")):
        change = {"currency": "USD", "date": datetime.date.fromisoformat(day), "rate": Decimal(rate)}
        create_exchange_rate(actor=case.alice, change=change)
    instants = [
        datetime.datetime(2024, month, day, hour, 30, tzinfo=datetime.UTC)
        for month in (1, 2, 3)
        for day in (1, 15, 28, 31 if month != 2 else 29)
        for hour in (0, 14, 16)
    ]
    owners = [None, *(actor.member.pk for actor in (case.alice, case.manager, case.bob))]
    for actor in (case.alice, case.bob):
        changes = [
            {
                "name": f"Deal {number}",
                "amount": chance.choice([None, Decimal("10.01"), Decimal(300), Decimal(7)]),
                "currency": chance.choice(["EUR", "USD", "CHF"]),
                "owner": chance.choice(owners),
                "is_private": chance.random() < 0.3,
                **chance.choice(
                    [{}, *({"status": status, "closed_at": chance.choice(instants)} for status in STATUSES)]
                ),
            }
            for number in range(40)
        ]
        trash_deals(actor=actor, rows=create_deals(actor=actor, changes=changes)[:4])


STATUSES = ["won", "won", "won", "lost"]


def counted(reader, month, member_id=None):
    """The won deals of a month that the reader may see, one by one."""
    zone = ZoneInfo(reader.organization.time_zone)
    found = []
    for deal in Deal.objects.visible_to(reader.member):
        day = deal.closed_at and deal.closed_at.astimezone(zone).date()
        is_own = member_id is None or deal.owner_id == member_id
        if deal.status == "won" and is_own and (day.year, day.month) == (month.year, month.month):
            found.append(deal)
    return found


def figures(reader, one):
    """Attained, percent, the number of deals and of those without a rate, of a goal."""
    deals = counted(reader, one.month, one.member_id)
    known = [deal.amount_base for deal in deals if deal.amount_base is not None]
    attained = sum(known, Decimal(0))
    percent = (attained * 100 / one.amount).quantize(Decimal("0.1"), ROUND_HALF_UP)
    without = [deal for deal in deals if deal.amount is not None and deal.amount_base is None]
    return attained, percent, len(deals), len(without)
