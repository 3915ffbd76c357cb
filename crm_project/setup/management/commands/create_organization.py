"""`manage.py create_organization NAME --owner EMAIL`: prints the slug of the new organization."""

from typing import Any

from django.core.management.base import CommandParser

from crm_project.setup.commands import ServiceCommand, email_argument, name_argument
from crm_project.setup.organizations import open_organization, owner_login


class Command(ServiceCommand):
    help = "Create an organization with a default pipeline and its first admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", type=name_argument, help="the name of the organization")
        parser.add_argument(
            "--owner", required=True, type=email_argument, metavar="EMAIL", help="its first admin"
        )

    def run(self, *, name: str, owner: str, **options: Any) -> str:
        login, is_new = owner_login(owner)
        actor = open_organization(name=name, owner=login)
        if is_new:
            self.note(f"Created the login {owner}. Set its password: python manage.py changepassword {owner}")
        return actor.organization.slug
