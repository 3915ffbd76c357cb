"""`manage.py work_imports`: do the imports that wait, and delete files that are too old."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm_project.imports.services import delete_old_files
from crm_project.imports.worker import work


class Command(BaseCommand):
    help = "Do the imports that wait, and delete files older than IMPORT_KEEP_DAYS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--watch", action="store_true", help="go on until stopped, looking every second")

    def handle(self, *args: Any, **options: Any) -> None:
        while True:
            done = work()
            deleted = delete_old_files()
            if done or deleted or not options["watch"]:
                self.stdout.write(f"{done} imports done, {deleted} old files deleted")
            if not options["watch"]:
                return
            time.sleep(1)
