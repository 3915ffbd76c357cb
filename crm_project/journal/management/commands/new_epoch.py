"""`manage.py new_epoch`: the last step of restoring a backup."""

from typing import Any

from django.core.management.base import BaseCommand

from crm_project.errors import counted
from crm_project.journal.feed import draw_epochs


class Command(BaseCommand):
    help = "Draw a new epoch for every organization's feed of events. Run it after the restore of a backup."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"A new epoch for {counted(draw_epochs(), 'organization')}.")
