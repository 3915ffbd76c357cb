"""`manage.py create_organization NAME --owner EMAIL`: prints the slug of the new organization."""

from typing import Any

from django.core.management.base import CommandParser

from crm_project.setup.commands import ServiceCommand, email_argument, name_argument
from crm_project.setup.organizations import open_organization, owner_login

OPTIONS = ("time_zone", "country", "language")


class Command(ServiceCommand):
    help = "Create an organization with a default pipeline and its first admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", type=name_argument, help="the name of the organization")
        parser.add_argument(
            "--owner", required=True, type=email_argument, metavar="EMAIL", help="its first admin"
        )
        parser.add_argument("--time-zone", metavar="ZONE", help="such as Europe/Paris; default UTC")
        parser.add_argument(
            "--country", type=str.upper, metavar="CODE", help="ISO 3166 code; default that of the time zone"
        )
        parser.add_argument("--language", metavar="TAG", help="such as fr; default en")

    def run(self, *, name: str, owner: str, **options: Any) -> str:
        given = {key: options[key] for key in OPTIONS if options.get(key)}
        login, is_new = owner_login(owner)
        actor = open_organization(name=name, owner=login, **given)
        if is_new:
            self.note(f"Created the login {owner}. Set its password: python manage.py changepassword {owner}")
        return actor.organization.slug
