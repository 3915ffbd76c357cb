"""`manage.py lint_migrations`: refuse migrations that would block the writes of a running server."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.loader import MigrationLoader

from crm_project.records.migration_rules import broken_rules


class Command(BaseCommand):
    help = "Check the migrations against docs/migrations.md. Needs no database."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        broken = [f"{name}: {problem}" for name, problem in broken_rules(MigrationLoader(None))]
        if broken:
            raise CommandError("\n".join([*broken, "The rules are in docs/migrations.md."]))
        self.stdout.write("No migration blocks writes.")
