"""Delete the idempotency keys that have expired. The API does so by itself, some at a time; this does it at once."""

from typing import Any

from django.core.management.base import BaseCommand

from crm_project.api.idempotency import SWEEP_LIMIT, sweep


class Command(BaseCommand):
    help = "Deletes the answers that are kept for retries, once their 72 hours are over."

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        # In small transactions, so that no write waits long.
        while found := sweep(SWEEP_LIMIT):
            count += found
        self.stdout.write(f"{count} keys forgotten.")
