"""The demo: two organizations with the rows that other systems' example requests name, and a year of sales."""

import datetime
from random import Random

from django.db import transaction
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.models import Organization
from crm_project.accounts.services import create_token
from crm_project.errors import Conflict
from crm_project.journal.models import Event
from crm_project.notifications.reading import skip_to_end
from crm_project.records.planner_statistics import analyze_tables
from crm_project.setup.demo.clock import frozen_time
from crm_project.setup.demo.data import SLUGS, demo_data
from crm_project.setup.demo.deals import DAY
from crm_project.setup.demo.examples import create_example_contacts, create_example_deals
from crm_project.setup.demo.goals import create_demo_goals
from crm_project.setup.demo.history import Track, write_history
from crm_project.setup.demo.logins import make_logins, owned_emails
from crm_project.setup.demo.organizations import create_demo_organization
from crm_project.setup.demo.removal import remove_organizations
from deals.models import Deal, DealState

HOUR = datetime.timedelta(hours=1)
# Days of history. The organization `other` is small and young.
DAYS = (365, 120)
OTHER_DEALS = 20
# Monday, Wednesday and Thursday.
WEEKDAYS = (0, 2, 3)


def build_demo(*, deals: int, seed: int, password: str, token: str, replace: bool, track: Track) -> str:
    """Build the demo in one transaction; returns the secret of the admin's token.

    `password` is that of every login; `token` is the secret of the token, generated if empty.
    """
    with transaction.atomic():
        owned = owned_emails()
        _remove_present(replace=replace)
        logins = make_logins(password, owned)
        # The history ends where the present day begins: the same day and seed make the same demo.
        end = datetime.datetime.combine(timezone.now().date(), datetime.time(), datetime.UTC)
        rng, organizations = Random(f"{seed} {end.date()}"), []
        for slug, days in zip(SLUGS, DAYS, strict=True):
            with frozen_time(end - days * DAY + 8 * HOUR):
                organizations.append(create_demo_organization(slug, demo_data()[slug], rng, logins))
        demo, other = organizations
        with frozen_time(end - DAYS[0] * DAY + 9 * HOUR):
            contacts = create_example_contacts(demo)
        write_history(demo, _working_days(end, DAYS[0]), deals, track)
        create_demo_goals(demo.admin, end - 2 * HOUR)
        create_example_deals(demo, contacts, end - HOUR)
        write_history(other, _working_days(end, DAYS[1])[::4], OTHER_DEALS)
        for one in organizations:
            skip_to_end(one.admin.organization)
        _, secret = create_token(actor=demo.admin, name="Demo", secret=token)
        analyze_tables([Contact, Deal, DealState, Event])
    return secret


def _remove_present(*, replace: bool) -> None:
    present = Organization.objects.filter(slug__in=SLUGS).values_list("slug", flat=True).first()
    if present and not replace:
        raise Conflict(
            "There is already an organization '%(slug)s'. --replace removes it with all its rows.",
            {"slug": present},
            code="demo_exists",
        )
    remove_organizations(SLUGS)


def _working_days(end: datetime.datetime, days: int) -> list[datetime.date]:
    """Three days of each week in the last `days` days."""
    dates = (end.date() - number * DAY for number in range(days - 1, 0, -1))
    return [date for date in dates if date.weekday() in WEEKDAYS]
