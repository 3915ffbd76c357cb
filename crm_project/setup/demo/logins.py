"""The logins of the demo. One that somebody had before, for something else, keeps its password and its rights."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.contrib.auth.hashers import make_password

from crm_project.accounts.models import Member, User
from crm_project.setup.demo.data import demo_data


def told_members() -> Iterator[Mapping[str, Any]]:
    for name in ("demo", "other"):
        yield from demo_data()[name]["members"]


def admin_email() -> str:
    return str(next(told_members())["email"])


def owned_emails(slugs: Collection[str]) -> set[str]:
    """The demo's e-mail addresses whose logins belong to these organizations' members and to nobody else."""
    places = Member.objects.filter(user__email__in=[told["email"] for told in told_members()])
    here, elsewhere = (
        places.filter(organization__slug__in=slugs),
        places.exclude(organization__slug__in=slugs),
    )
    return set(here.values_list("user__email", flat=True)) - set(
        elsewhere.values_list("user__email", flat=True)
    )


def make_logins(password: str, owned: Collection[str]) -> dict[str, User]:
    """The login of each member of the demo; those that are `owned`, or new, get the demo's password and rights."""
    hashed = make_password(password)
    known = {
        user.email: user for user in User.objects.filter(email__in=[told["email"] for told in told_members()])
    }
    logins = {}
    for told in told_members():
        user = known.get(told["email"]) or User(email=told["email"])
        if user.pk is None or user.email in owned:
            user.full_name = told["full_name"]
            user.is_staff, user.is_superuser = told.get("staff", False), told.get("superuser", False)
            user.password = hashed if told.get("login") else make_password(None)
            user.save()
        logins[user.email] = user
    return logins
