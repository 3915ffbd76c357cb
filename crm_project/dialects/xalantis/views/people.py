"""The endpoints of `/api/v1` for contacts, clients and their representatives."""

from typing import Any, ClassVar

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import create_contacts, trash_contacts, update_contacts
from crm_project.dialects.xalantis.views.v1 import V1View, answers
from crm_project.dialects.xalantis.wire import people as wire
from crm_project.dialects.xalantis.wire.v1 import PageQuery

PERSON, COMPANY = Contact.Kinds.PERSON, Contact.Kinds.COMPANY
CLIENTS = Q(kind=COMPANY) | Q(company=None)


class PeopleView(V1View):
    """What contacts and clients share; `rows` says which contacts these are."""

    words_class: ClassVar[Any]

    def rows(self) -> Any:
        raise NotImplementedError

    def worded(self, sent: dict[str, Any], contact: Contact | None) -> dict[str, Any]:
        """The change of a contact that the vendor's words mean; of a new one if there is none."""
        return sent if contact else {**sent, "kind": PERSON}

    def listed(self) -> Response:
        return self.page(self.rows().matching(self.query.get("search") or "").for_reading())

    def created(self) -> Response:
        change = self.worded(self.read(self.words_class), None)
        contact = create_contacts(actor=self.actor, changes=[change])[0]
        return self.one(self.shown(contact), self.create_status)

    def changed(self, row: str) -> Response:
        contact = self.named(row)
        sent = self.read(self.words_class, self.differing(self.sent(), self.shown(contact)), partial=True)
        receipts = update_contacts(actor=self.actor, changes=[(contact, self.worded(sent, contact))])
        return self.one(self.shown(receipts[0].row))

    def deleted(self, row: str) -> Response:
        contact = self.named(row)
        shown = self.shown(contact)
        trash_contacts(actor=self.actor, rows=[contact])
        return self.one(shown, self.delete_status)

    def named(self, row: str) -> Contact:
        contact: Contact = self.find("contact", row)
        if not self.rows().filter(pk=contact.pk).exists():
            raise NotFound
        return contact

    def shown(self, contact: Contact) -> Any:
        return self.show(self.shown_class, Contact.objects.for_reading().get(pk=contact.pk))


class ContactView(PeopleView):
    """People."""

    shown_class = wire.ShownContact
    words_class = wire.ContactWords

    def rows(self) -> Any:
        return Contact.objects.visible_to(self.actor.member).filter(kind=PERSON)

    def worded(self, sent: dict[str, Any], contact: Contact | None) -> dict[str, Any]:
        return {**super().worded(sent, contact), "free_custom_fields": True}

    @extend_schema(
        operation_id="v1_contacts_list",
        parameters=[PageQuery],
        responses=answers("Contacts", wire.ShownContact, many=True),
        summary="List contacts",
    )
    def index(self, request: Request) -> Response:
        return self.listed()

    @extend_schema(
        request=wire.ContactWords,
        responses={201: answers("Contact", wire.ShownContact)},
        summary="Create a contact",
    )
    def create(self, request: Request) -> Response:
        return self.created()

    @extend_schema(responses=answers("Contact", wire.ShownContact), summary="Show a contact")
    def retrieve(self, request: Request, row: str) -> Response:
        return self.one(self.shown(self.named(row)))

    @extend_schema(
        request=wire.ContactWords, responses=answers("Contact", wire.ShownContact), summary="Change a contact"
    )
    def update(self, request: Request, row: str) -> Response:
        return self.changed(row)

    @extend_schema(responses=answers("Contact", wire.ShownContact), summary="Delete a contact")
    def destroy(self, request: Request, row: str) -> Response:
        return self.deleted(row)


class ClientView(PeopleView):
    """Companies, and people who are nobody's contact."""

    shown_class = wire.ShownClient
    words_class = wire.ClientWords

    def rows(self) -> Any:
        return Contact.objects.visible_to(self.actor.member).filter(CLIENTS)

    def worded(self, sent: dict[str, Any], contact: Contact | None) -> dict[str, Any]:
        return wire.client_change(sent, contact)

    @extend_schema(
        operation_id="v1_clients_list",
        parameters=[PageQuery],
        responses=answers("Clients", wire.ShownClient, many=True),
        summary="List clients",
    )
    def index(self, request: Request) -> Response:
        return self.listed()

    @extend_schema(
        request=wire.ClientWords,
        responses={201: answers("Client", wire.ShownClient)},
        summary="Create a client",
    )
    def create(self, request: Request) -> Response:
        return self.created()

    @extend_schema(responses=answers("Client", wire.ShownClient), summary="Show a client")
    def retrieve(self, request: Request, row: str) -> Response:
        return self.one(self.shown(self.named(row)))

    @extend_schema(
        request=wire.ClientWords, responses=answers("Client", wire.ShownClient), summary="Change a client"
    )
    def update(self, request: Request, row: str) -> Response:
        return self.changed(row)

    @extend_schema(responses=answers("Client", wire.ShownClient), summary="Delete a client")
    def destroy(self, request: Request, row: str) -> Response:
        return self.deleted(row)


class RepresentativeView(PeopleView):
    """The people of a client that is a company."""

    shown_class = wire.ShownRepresentative
    words_class = wire.RepresentativeWords

    def rows(self) -> Any:
        return Contact.objects.visible_to(self.actor.member).filter(company=self.client)

    def worded(self, sent: dict[str, Any], contact: Contact | None) -> dict[str, Any]:
        return {**sent, "kind": PERSON, "company": self.client.pk}

    @extend_schema(
        operation_id="representatives_list",
        parameters=[PageQuery],
        responses=answers("Representatives", wire.ShownRepresentative, many=True),
        summary="List the representatives of a client",
    )
    def index(self, request: Request, row: str) -> Response:
        self.client = self.company(row)
        return self.listed()

    @extend_schema(
        request=wire.RepresentativeWords,
        responses={201: answers("Representative", wire.ShownRepresentative)},
        summary="Add a representative",
    )
    def create(self, request: Request, row: str) -> Response:
        self.client = self.company(row)
        return self.created()

    def company(self, row: str) -> Contact:
        company: Contact = self.find("contact", row)
        if company.kind != COMPANY:
            raise NotFound
        return company
