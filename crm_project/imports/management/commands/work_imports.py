"""`manage.py work_imports`: run the imports in the queue and delete old files."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm_project.imports.services import delete_old_files
from crm_project.imports.worker import work


class Command(BaseCommand):
    help = "Run the imports in the queue and delete files older than IMPORT_KEEP_DAYS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--watch", action="store_true", help="check the queue every second until stopped")

    def handle(self, *args: Any, **options: Any) -> None:
        while True:
            done = work()
            deleted = delete_old_files()
            if done or deleted or not options["watch"]:
                self.stdout.write(f"{done} imports run, {deleted} old files deleted")
            if not options["watch"]:
                return
            time.sleep(1)
