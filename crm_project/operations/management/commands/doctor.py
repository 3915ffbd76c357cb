"""`manage.py doctor`: examine the installation, and say what to do."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm_project.operations.doctor import OK, PROBLEM, WARNING, examine


class Command(BaseCommand):
    help = "Examine settings, database, backup and disk. Ends with status 1 if there is a problem."
    # It is for installations that do not pass the checks.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="", help="the public address, to ask through the proxy")

    def handle(self, **options: Any) -> None:
        styles = {OK: self.style.SUCCESS, WARNING: self.style.WARNING, PROBLEM: self.style.ERROR}
        problems = 0
        for finding in examine(options["url"]):
            problems += finding.level == PROBLEM
            self.stdout.write(
                f"{styles[finding.level](f'{finding.level:<8}')} {finding.subject}: {finding.text}"
            )
            if finding.remedy:
                self.stdout.write(f"{'':8} {finding.remedy}")
        if problems:
            sys.exit(1)
