"""Base of the management commands that call services, and types of their arguments."""

import argparse
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from crm_project.accounts.models import Organization
from crm_project.emails import fold_email
from crm_project.errors import DomainError
from crm_project.records.rules import column_errors


class ServiceCommand(BaseCommand):
    """Prints what `run` returns on standard output; a DomainError becomes a CommandError."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(self.run(**options))
        except DomainError as error:
            fields = [f"{wrong.field}: {wrong.detail}" for wrong in error.fields]
            raise CommandError(" ".join([error.detail, *fields])) from error

    def run(self, *args: Any, **options: Any) -> str:
        raise NotImplementedError

    def note(self, text: str) -> None:
        """Print on standard error; standard output is for results alone."""
        self.stderr.write(text, lambda line: line)


def email_argument(text: str) -> str:
    try:
        validate_email(text.strip())
    except ValidationError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an e-mail address.") from error
    return fold_email(text)


def name_argument(text: str) -> str:
    errors = column_errors(Organization, {"name": text.strip()})
    if errors:
        raise argparse.ArgumentTypeError(errors[0].detail)
    return text.strip()
