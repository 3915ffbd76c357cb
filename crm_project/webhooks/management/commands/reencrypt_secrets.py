"""Encrypt stored secrets with the present SECRET_KEY, after which SECRET_KEY_FALLBACKS can be emptied."""

from typing import Any

from django.core.management.base import BaseCommand

from crm_project.errors import counted
from crm_project.webhooks.services import reencrypt_secrets


class Command(BaseCommand):
    help = (
        "Encrypt the secrets of webhooks with the present SECRET_KEY, so that its fallbacks can be removed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = reencrypt_secrets()
        self.stdout.write(f"Encrypted the secrets of {counted(count, 'webhook')}.")
