"""`manage.py redact_contact UUID|EMAIL`: erases a contact's personal data, also from its events."""

import uuid
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q, QuerySet

from contacts.models import Contact
from contacts.querysets import further_matches
from contacts.redaction import redact_contact
from crm_project.emails import fold_email
from crm_project.records.text import fold
from crm_project.setup.commands import ServiceCommand
from deals.models import Deal


class Command(ServiceCommand):
    help = "Erase a contact's personal data for good, also from its events."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("contact", metavar="UUID|EMAIL", help="the contact; it may be in the trash")
        parser.add_argument(
            "--organization",
            metavar="SLUG",
            help="required if contacts of several organizations have the e-mail address",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    def run(self, *, contact: str, organization: str | None, yes: bool, **options: Any) -> str:
        row = self.get_contact(contact, organization)
        mentions = deals_mentioning(row)
        if (
            not yes
            and input(f"Erase the personal data of {row.full_name!r}? This cannot be undone. [y/N] ") != "y"
        ):
            raise CommandError("Nothing was erased.")
        redacted = redact_contact(contact=row)
        for deal in mentions:
            self.note(f"The deal {deal.uuid} may still contain personal data in its name or description.")
        return f"{redacted.contact.uuid}: erased, also from {redacted.events} events."

    def get_contact(self, contact: str, organization: str | None) -> Contact:
        rows = list(matching(contact, organization)[:2])
        if not rows:
            raise CommandError(f"There is no contact {contact}.")
        if len(rows) > 1:
            raise CommandError(
                f"There are several contacts {contact}. Name one by its UUID, or its organization."
            )
        return rows[0]


def matching(contact: str, organization: str | None) -> "QuerySet[Contact]":
    """The contact with this UUID, or those with this e-mail address."""
    rows: QuerySet[Contact] = Contact.objects.order_by("id")
    if organization is not None:
        rows = rows.filter(organization__slug=organization)
    try:
        return rows.filter(uuid=uuid.UUID(contact))
    except ValueError:
        email = fold_email(contact)
        named = Q(email=email) | further_matches("email", Q(normalized=email))
        return rows.filter(named) if email else rows.none()


def deals_mentioning(contact: Contact) -> list[Deal]:
    """Deals of this contact whose name or description contains its name or address, to be checked by hand."""
    words = [fold(word) for word in (contact.full_name, contact.email) if word]
    deals = Deal.objects.filter(Q(contact=contact) | Q(client=contact)).order_by("id")
    return [deal for deal in deals if any(word in fold(f"{deal.name}\n{deal.description}") for word in words)]
