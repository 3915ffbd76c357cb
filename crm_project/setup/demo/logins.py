"""The logins of the demo's members. A login that existed before for another purpose keeps its password and rights."""

from collections.abc import Collection

from django.contrib.auth.hashers import make_password

from crm_project.accounts.models import Member, User
from crm_project.setup.demo.data import SLUGS, demo_members


def owned_emails() -> set[str]:
    """The demo's e-mail addresses whose logins are members of the demo's organizations and of no other one."""
    places = Member.objects.filter(user__email__in=[entry["email"] for entry in demo_members()])
    emails = places.filter(organization__slug__in=SLUGS).values_list("user__email", flat=True)
    elsewhere = places.exclude(organization__slug__in=SLUGS).values_list("user__email", flat=True)
    return set(emails) - set(elsewhere)


def make_logins(password: str, owned: Collection[str]) -> dict[str, User]:
    """The logins by e-mail address; those that are `owned` or new receive the demo's password and rights."""
    emails = [entry["email"] for entry in demo_members()]
    logins = {user.email: user for user in User.objects.filter(email__in=emails)}
    hashed = make_password(password)
    for entry in demo_members():
        email = entry["email"]
        if email in logins and email not in owned:
            continue
        user = logins.setdefault(email, User(email=email))
        user.full_name = entry["full_name"]
        user.is_staff, user.is_superuser = entry.get("staff", False), entry.get("superuser", False)
        user.password = hashed if entry.get("login") else make_password(None)
        user.save()
    return logins
