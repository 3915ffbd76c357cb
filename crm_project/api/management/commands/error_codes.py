"""`manage.py error_codes`: print the tables of docs/api.md."""

from typing import Any

from django.core.management.base import BaseCommand

from crm_project.api.error_codes import markdown


class Command(BaseCommand):
    help = "Print the error codes of the API as Markdown tables, for docs/api.md."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(markdown())
