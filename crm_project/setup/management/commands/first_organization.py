"""`manage.py first_organization`: in an empty database, an organization and its first login; else it does nothing."""

import secrets
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from crm_project import environment
from crm_project.accounts.models import Organization, User
from crm_project.accounts.services import find_or_create_user
from crm_project.setup.commands import ServiceCommand, email_argument, name_argument
from crm_project.setup.organizations import open_organization

NAME = "My company"
OWNER = "admin@example.com"


class Command(ServiceCommand):
    help = (
        "In an empty database, create an organization and the login of its admin, who is an operator, too."
        " The password is printed once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", type=name_argument, default=NAME, help=f"{NAME} unless given")
        parser.add_argument(
            "--owner", type=email_argument, default=OWNER, metavar="EMAIL", help=f"{OWNER} unless given"
        )

    def run(self, *, name: str, owner: str, **options: Any) -> str:
        url = f"URL: http://127.0.0.1:{environment.load().int('PORT', default=8000)}"
        if User.objects.exists() or Organization.objects.exists():
            return f"{url}\nStaff login: your own"
        password = secrets.token_urlsafe(15)
        with transaction.atomic():
            login = find_or_create_user(email=owner, password=password, is_staff=True, is_superuser=True)
            open_organization(name=name, owner=login)
        self.note("The password is not printed again.")
        return f"{url}\nStaff login: {owner} / {password}"
