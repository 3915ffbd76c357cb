"""`manage.py dialect_routes [SYSTEM]`: the route tables of the dialects, as `docs/dialects/` contains them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm_project.dialects.registry import DIALECTS
from crm_project.dialects.routes import route_table


class Command(BaseCommand):
    help = "Print the paths and methods of one dialect, or of all, as Markdown tables."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("system", nargs="?", choices=list(DIALECTS), help="default: all dialects")

    def handle(self, *args: Any, system: str | None = None, **options: Any) -> None:
        if system is not None:
            self.stdout.write(route_table(DIALECTS[system]))
            return
        tables = [f"## {dialect.system}\n\n{route_table(dialect)}" for dialect in DIALECTS.values()]
        self.stdout.write("\n\n".join(tables))
