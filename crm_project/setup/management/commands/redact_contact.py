"""`manage.py redact_contact UUID|EMAIL`: erases a contact's personal data and leaves the rest of the history."""

import uuid
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q, QuerySet

from contacts.models import Contact
from contacts.redaction import redact_contact
from crm_project.records.text import fold
from crm_project.setup.commands import ServiceCommand
from deals.models import Deal


class Command(ServiceCommand):
    help = "Erase a contact's name, addresses, custom fields and external ids, from its events too. For good."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("contact", metavar="UUID|EMAIL", help="the contact, also one in the trash")
        parser.add_argument(
            "--organization", metavar="SLUG", help="needed for an e-mail address that several of them know"
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def run(self, *, contact: str, organization: str | None, yes: bool, **options: Any) -> str:
        found = self.found(contact, organization)
        mentions = mentioning(found)
        if not yes and input(f"Erase the personal data of {found.full_name!r} for good? [y/N] ") != "y":
            raise CommandError("Nothing was erased.")
        redacted = redact_contact(contact=found)
        for deal in mentions:
            self.note(f"The deal {deal.uuid} may still name the person in its own name or description.")
        return f"{redacted.contact.uuid}: erased, {redacted.events} events included."

    def found(self, contact: str, organization: str | None) -> Contact:
        rows = list(named(contact, organization)[:2])
        if not rows:
            raise CommandError(f"There is no contact {contact}.")
        if len(rows) > 1:
            raise CommandError(f"There are several contacts {contact}; name one by its uuid.")
        return rows[0]


def named(contact: str, organization: str | None) -> "QuerySet[Contact]":
    """The contact of this uuid, or those of this address."""
    rows: QuerySet[Contact] = Contact.objects.order_by("id")
    if organization is not None:
        rows = rows.filter(organization__slug=organization)
    try:
        return rows.filter(uuid=uuid.UUID(contact))
    except ValueError:
        return rows.filter(email=contact.strip().lower()).exclude(email="")


def mentioning(contact: Contact) -> list[Deal]:
    """Deals of this contact whose own texts hold its name or address: a person has to look at them."""
    words = [fold(word) for word in (contact.full_name, contact.email) if word]
    deals = Deal.objects.filter(Q(contact=contact) | Q(client=contact)).order_by("id")
    return [deal for deal in deals if any(word in fold(f"{deal.name}\n{deal.description}") for word in words)]
