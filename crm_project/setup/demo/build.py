"""The demo, built from nothing: two organizations, the examples of other systems' documents, and two years of sales."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.models import Organization, User
from crm_project.accounts.services import create_token
from crm_project.errors import Conflict
from crm_project.setup.demo.bulk import reserve_ids, write_history
from crm_project.setup.demo.data import demo_data, slugs
from crm_project.setup.demo.examples import type_contacts, type_deals
from crm_project.setup.demo.hours import midnight
from crm_project.setup.demo.logins import make_logins, owned_emails
from crm_project.setup.demo.removal import remove_organizations
from crm_project.setup.demo.scene import Scene, build_scene
from crm_project.setup.demo.typed import type_history
from crm_project.setup.demo.world import crowd_size, world_of
from deals.models import Deal

YEARS_BACK = datetime.timedelta(days=730)
# The neighbours are small and young.
NEIGHBOURS_DEALS = 20
NEIGHBOURS_AGE = datetime.timedelta(days=120)
HOUR = datetime.timedelta(hours=1)
# Numbers below are left to the ids that other systems' documents use.
FIRST_CONTACT = 1_000


@dataclass(frozen=True)
class Order:
    """What is asked for. `password` opens every login of the demo; `token` is the admin's secret, made up if empty."""

    deals: int
    seed: int
    password: str
    token: str = ""
    replace: bool = False


def build_demo(order: Order, progress: Callable[[int], None]) -> str:
    """Build it in one transaction; answers the admin's token."""
    # SQLite then checks all references once, at the end; PostgreSQL does so at the commit anyway.
    with connection.constraint_checks_disabled(), transaction.atomic():
        owned = owned_emails(slugs())
        _clear(replace=order.replace)
        logins = make_logins(order.password, owned)
        # The demo ends where the day begins, so that the same day gives the same demo.
        end = midnight(timezone.now().date())
        scene = _sell(order, end, logins, progress)
        _neighbours(order, end, logins)
        _, secret = create_token(actor=scene.admin, name="Demo", secret=order.token)
        connection.check_constraints()
    return secret


def _clear(*, replace: bool) -> None:
    taken = Organization.objects.filter(slug__in=slugs()).values_list("slug", flat=True)
    if taken and not replace:
        raise Conflict(
            f"There is an organization {taken[0]!r} already. --replace removes it with everything in it.",
            code="demo_exists",
        )
    remove_organizations(slugs())


def _sell(
    order: Order, end: datetime.datetime, logins: Mapping[str, User], progress: Callable[[int], None]
) -> Scene:
    data = demo_data()["demo"]
    opening = end - YEARS_BACK
    scene = build_scene(data["slug"], data, logins, opening + 8 * HOUR)
    contacts = type_contacts(scene, opening + 9 * HOUR)
    world = world_of(
        scene,
        seed=order.seed,
        deals=order.deals,
        start=opening.date() + datetime.timedelta(days=1),
        end=end - HOUR,
        first_contact=reserve_ids(Contact, crowd_size(order.deals), above=FIRST_CONTACT),
        first_deal=reserve_ids(Deal, order.deals),
    )
    write_history(world, progress)
    type_deals(scene, contacts, end - HOUR)
    return scene


def _neighbours(order: Order, end: datetime.datetime, logins: Mapping[str, User]) -> None:
    data = demo_data()["other"]
    opening = end - NEIGHBOURS_AGE
    scene = build_scene(data["slug"], data, logins, opening + 8 * HOUR)
    world = world_of(
        scene,
        seed=order.seed,
        deals=NEIGHBOURS_DEALS,
        start=opening.date() + datetime.timedelta(days=1),
        end=end - HOUR,
    )
    type_history(world, scene)
