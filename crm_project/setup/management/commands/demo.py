"""`manage.py demo`: fills the database with two organizations and a year of their sales."""

import argparse
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import CommandParser
from rich.console import Console
from rich.progress import track

from crm_project.accounts.models import Organization
from crm_project.setup.commands import ServiceCommand
from crm_project.setup.demo.build import build_demo
from crm_project.setup.demo.report import other_logins, report, secrets_of_environment

DEALS = 500
MOST_DEALS = 20_000


class Command(ServiceCommand):
    help = "Fill the database with the organizations `demo` and `other`, their contacts, deals and history."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--deals",
            type=count_argument,
            default=DEALS,
            help=f"{DEALS} unless given, at most {MOST_DEALS:,}",
        )
        parser.add_argument("--seed", type=int, default=1, help="another number makes another history")
        parser.add_argument("--replace", action="store_true", help="remove the demo's organizations first")
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing if there is an organization already"
        )

    def run(self, *, deals: int, seed: int, replace: bool, if_empty: bool, **options: Any) -> str:
        given_password, token = secrets_of_environment()
        if if_empty and Organization.objects.exists():
            return report(password=given_password, token=token, is_new=False)
        password = given_password or secrets.token_urlsafe(15)

        def progress(days: Sequence[Any]) -> Iterable[Any]:
            """A bar on a terminal, one line elsewhere."""
            console = Console(file=self.stderr)  # type: ignore[arg-type]
            return track(days, f"Creating {deals:,} deals", console=console)

        token = build_demo(
            deals=deals, seed=seed, password=password, token=token, replace=replace, track=progress
        )
        self.note(other_logins())
        return report(password=password, token=token, is_new=True)


def count_argument(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of deals.")
    if int(text) > MOST_DEALS:
        raise argparse.ArgumentTypeError(
            f"The demo has at most {MOST_DEALS:,} deals. For load tests, `python -m tests.load` fills an"
            " organization of its own with any number of deals."
        )
    return int(text)
