"""`manage.py create_token --organization SLUG --user EMAIL`: the last line of standard output is the token."""

import argparse
import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member, Organization
from crm_project.accounts.rules import ALL_SCOPES
from crm_project.accounts.services import create_token
from crm_project.setup.commands import ServiceCommand, email_argument

MAX_DAYS = 36_500


class Command(ServiceCommand):
    help = "Create an API token of a member. It is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--user", required=True, type=email_argument, metavar="EMAIL")
        parser.add_argument(
            "--scopes",
            type=scopes_argument,
            default=list(ALL_SCOPES),
            help=f"comma-separated, of {', '.join(ALL_SCOPES)}; all unless given",
        )
        parser.add_argument(
            "--app-code",
            default="",
            metavar="CODE",
            help="the application whose external ids a dialect reads and writes with this token",
        )
        parser.add_argument("--expires-in", type=days_argument, metavar="DAYS", help="never unless given")

    def run(
        self,
        *,
        organization: str,
        user: str,
        scopes: list[str],
        app_code: str,
        expires_in: int | None,
        **options: Any,
    ) -> str:
        expires_at = timezone.now() + datetime.timedelta(days=expires_in) if expires_in else None
        actor = Actor(_member(organization, user))
        token, secret = create_token(
            actor=actor, name="Command line", scopes=scopes, app_code=app_code, expires_at=expires_at
        )
        until = f"{expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else "revoked"
        self.note(f"A token of {user} in {organization} for {', '.join(token.scopes)}, valid until {until}:")
        return secret


def _member(slug: str, email: str) -> Member:
    organization = Organization.objects.filter(slug=slug).first()
    if organization is None:
        raise CommandError(f"There is no organization {slug!r}.")
    members = Member.objects.active().select_related("user", "organization")
    member = members.filter(organization=organization, user__email=email).first()
    if member is None:
        raise CommandError(f"{email} is not an active member of {slug!r}.")
    return member


def scopes_argument(text: str) -> list[str]:
    return [scope.strip() for scope in text.split(",") if scope.strip()]


def days_argument(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to {MAX_DAYS}.")
    return int(text)
