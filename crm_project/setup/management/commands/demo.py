"""`manage.py demo`: fills the database with two organizations that have been selling for a while."""

import argparse
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandParser
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from crm_project.accounts.models import Organization
from crm_project.setup.commands import ServiceCommand
from crm_project.setup.demo.build import Order, build_demo
from crm_project.setup.demo.report import also_opens, report, secrets_of_environment

DEALS = 2_000


class Command(ServiceCommand):
    help = "Fill the database with the organizations `demo` and `other`, their contacts, deals and history."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--deals", type=count_argument, default=DEALS, help=f"{DEALS:,} unless given")
        parser.add_argument("--seed", type=int, default=1, help="another number, another history")
        parser.add_argument("--replace", action="store_true", help="remove the demo's organizations first")
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing if there is an organization already"
        )

    def run(self, *, deals: int, seed: int, replace: bool, if_empty: bool, **options: Any) -> str:
        wanted = secrets_of_environment()
        if if_empty and Organization.objects.exists():
            return report(password=wanted.password, token=wanted.token)
        password = wanted.password or secrets.token_urlsafe(15)
        order = Order(deals=deals, seed=seed, password=password, token=wanted.token, replace=replace)
        with self.progress(deals) as advance:
            token = build_demo(order, advance)
        self.note(also_opens())
        return report(password=password, token=token)

    @contextmanager
    def progress(self, deals: int) -> Iterator[Callable[[int], None]]:
        """A bar on a terminal; a line before and after on anything else."""
        console = Console(file=self.stderr)  # type: ignore[arg-type]
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(f"Selling {deals:,} deals", total=deals)

            def advance(count: int) -> None:
                bar.advance(task, count)
                if bar.tasks[0].finished:
                    # Of a great demo this takes a while, too.
                    bar.add_task("Indexing and checking", total=None)

            yield advance


def count_argument(text: str) -> int:
    if not text.isdigit() or int(text) > 10_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of deals.")
    return int(text)
