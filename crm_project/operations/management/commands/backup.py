"""`manage.py backup`: write a backup of the database while the server runs."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm_project.operations.backups import back_up, path_for


class Command(BaseCommand):
    help = "Write a backup of the database, SQLite or PostgreSQL, while the server runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path", nargs="?", help="a file, or a directory for a new file; BACKUP_PATH if absent"
        )

    def handle(self, **options: Any) -> None:
        place = options["path"] or settings.BACKUP_PATH
        if not place:
            raise CommandError("Name a file or a directory, or set BACKUP_PATH.")
        path = path_for(Path(place), timezone.now())
        try:
            back_up(path)
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{path} ({path.stat().st_size / 1024**2:.1f} MiB)")
