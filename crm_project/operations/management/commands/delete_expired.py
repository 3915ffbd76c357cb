"""`manage.py delete_expired`: deletes what is past its retention, and prints numbers and sizes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from crm_project.operations.retention import expiries, sizes


class Command(BaseCommand):
    help = "Deletes what is past its retention, and prints the sizes of the tables. Run it every night."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count and delete nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        for expiry in expiries(timezone.now()):
            count = expiry.rows.count() if dry_run else expiry.delete()
            self.stdout.write(f"{expiry.subject}: {count} {'expired' if dry_run else 'deleted'}")
        for name, size in sizes():
            self.stdout.write(f"size of {name}: {size / 1024**2:.1f} MiB")
