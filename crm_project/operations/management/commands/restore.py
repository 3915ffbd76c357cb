"""`manage.py restore`: replace the database by a backup."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm_project.operations.backups import restore


class Command(BaseCommand):
    help = "Replace all data by those of a backup. Stop the server first; run `migrate` afterwards."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", help="a file that `backup` wrote")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, **options: Any) -> None:
        if not options["yes"] and input("All present data will be lost. Type yes: ") != "yes":
            raise CommandError("Nothing was done.")
        try:
            restore(Path(options["path"]))
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Restored. Run `manage.py migrate` before the server starts.")
