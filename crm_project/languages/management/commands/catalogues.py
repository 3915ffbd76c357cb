"""`python manage.py catalogues` brings the catalogues of the languages up to date with the sources."""

from typing import Any

from django.core.management.base import BaseCommand

from crm_project.languages import TRANSLATED
from crm_project.languages.catalogues import stored, update


class Command(BaseCommand):
    help = "Extract the messages of the sources into the catalogues of all languages, and compile these."

    def handle(self, *args: Any, **options: Any) -> None:
        update()
        for language in TRANSLATED:
            messages = [message for message in stored(language) if message.id]
            missing = sum(not (message.string and all(_forms(message.string))) for message in messages)
            self.stdout.write(f"{language}: {len(messages)} messages, {missing} without a translation")


def _forms(string: Any) -> tuple[str, ...]:
    return string if isinstance(string, tuple) else (string,)
