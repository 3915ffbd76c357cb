"""The endpoints of `/api/v1` for contacts, clients and their representatives."""

from typing import Any, ClassVar

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import create_contacts, trash_contacts, update_contacts
from crm_project.dialects.xalantis.serializers import people as serializers
from crm_project.dialects.xalantis.serializers.v1 import XalantisPageQuery, response_of
from crm_project.dialects.xalantis.views.v1 import XalantisV1View

PERSON, COMPANY = Contact.Kinds.PERSON, Contact.Kinds.COMPANY
CLIENTS = Q(kind=COMPANY) | Q(company=None)


class XalantisPeopleView(XalantisV1View):
    """The base view of contacts, clients and representatives; `rows` is the queryset."""

    write_class: ClassVar[Any]

    def rows(self) -> Any:
        raise NotImplementedError

    def worded(self, sent: dict[str, Any], contact: Contact | None) -> dict[str, Any]:
        """The core's change of a contact, or of a new one if `contact` is None."""
        return sent if contact else {**sent, "kind": PERSON}

    def listed(self) -> Response:
        return self.page(self.rows().matching(self.query.get("search") or "").for_reading())

    def created(self) -> Response:
        change = self.worded(self.read(self.write_class), None)
        contact = create_contacts(actor=self.actor, changes=[change])[0]
        return self.one(self.representation(contact), self.create_status)

    def changed(self, row: str) -> Response:
        contact = self.named(row)
        sent = self.read(
            self.write_class, self.changed_fields(self.sent(), self.representation(contact)), partial=True
        )
        receipts = update_contacts(actor=self.actor, changes=[(contact, self.worded(sent, contact))])
        return self.one(self.representation(receipts[0].row))

    def deleted(self, row: str) -> Response:
        contact = self.named(row)
        data = self.representation(contact)
        trash_contacts(actor=self.actor, rows=[contact])
        return self.one(data, self.delete_status)

    def named(self, row: str) -> Contact:
        contact: Contact = self.find("contact", row)
        if not self.rows().filter(pk=contact.pk).exists():
            raise NotFound
        return contact

    def representation(self, contact: Contact) -> Any:
        return self.serialize(self.read_class, Contact.objects.for_reading().get(pk=contact.pk))


class XalantisContactView(XalantisPeopleView):
    """People."""

    read_class = serializers.XalantisContactRead
    write_class = serializers.XalantisContactWrite

    def rows(self) -> Any:
        return Contact.objects.visible_to(self.actor.member).filter(kind=PERSON)

    def worded(self, sent: dict[str, Any], contact: Contact | None) -> dict[str, Any]:
        return {**super().worded(sent, contact), "free_custom_fields": True}

    @extend_schema(
        operation_id="v1_contacts_list",
        parameters=[XalantisPageQuery],
        responses=response_of("Contacts", serializers.XalantisContactRead, many=True),
        summary="List contacts",
    )
    def index(self, request: Request) -> Response:
        return self.listed()

    @extend_schema(
        request=serializers.XalantisContactWrite,
        responses={201: response_of("Contact", serializers.XalantisContactRead)},
        summary="Create a contact",
    )
    def create(self, request: Request) -> Response:
        return self.created()

    @extend_schema(
        responses=response_of("Contact", serializers.XalantisContactRead), summary="Show a contact"
    )
    def retrieve(self, request: Request, row: str) -> Response:
        return self.one(self.representation(self.named(row)))

    @extend_schema(
        request=serializers.XalantisContactWrite,
        responses=response_of("Contact", serializers.XalantisContactRead),
        summary="Change a contact",
    )
    def update(self, request: Request, row: str) -> Response:
        return self.changed(row)

    @extend_schema(
        responses=response_of("Contact", serializers.XalantisContactRead), summary="Delete a contact"
    )
    def destroy(self, request: Request, row: str) -> Response:
        return self.deleted(row)


class XalantisClientView(XalantisPeopleView):
    """Companies, and people without a company."""

    read_class = serializers.XalantisClientRead
    write_class = serializers.XalantisClientWrite

    def rows(self) -> Any:
        return Contact.objects.visible_to(self.actor.member).filter(CLIENTS)

    def worded(self, sent: dict[str, Any], contact: Contact | None) -> dict[str, Any]:
        return serializers.client_change(sent, contact)

    @extend_schema(
        operation_id="v1_clients_list",
        parameters=[XalantisPageQuery],
        responses=response_of("Clients", serializers.XalantisClientRead, many=True),
        summary="List clients",
    )
    def index(self, request: Request) -> Response:
        return self.listed()

    @extend_schema(
        request=serializers.XalantisClientWrite,
        responses={201: response_of("Client", serializers.XalantisClientRead)},
        summary="Create a client",
    )
    def create(self, request: Request) -> Response:
        return self.created()

    @extend_schema(responses=response_of("Client", serializers.XalantisClientRead), summary="Show a client")
    def retrieve(self, request: Request, row: str) -> Response:
        return self.one(self.representation(self.named(row)))

    @extend_schema(
        request=serializers.XalantisClientWrite,
        responses=response_of("Client", serializers.XalantisClientRead),
        summary="Change a client",
    )
    def update(self, request: Request, row: str) -> Response:
        return self.changed(row)

    @extend_schema(responses=response_of("Client", serializers.XalantisClientRead), summary="Delete a client")
    def destroy(self, request: Request, row: str) -> Response:
        return self.deleted(row)


class XalantisRepresentativeView(XalantisPeopleView):
    """The people of a company."""

    read_class = serializers.XalantisRepresentativeRead
    write_class = serializers.XalantisRepresentativeWrite

    def rows(self) -> Any:
        return Contact.objects.visible_to(self.actor.member).filter(company=self.client)

    def worded(self, sent: dict[str, Any], contact: Contact | None) -> dict[str, Any]:
        return {**sent, "kind": PERSON, "company": self.client.pk}

    @extend_schema(
        operation_id="representatives_list",
        parameters=[XalantisPageQuery],
        responses=response_of("Representatives", serializers.XalantisRepresentativeRead, many=True),
        summary="List the representatives of a client",
    )
    def index(self, request: Request, row: str) -> Response:
        self.client = self.company(row)
        return self.listed()

    @extend_schema(
        request=serializers.XalantisRepresentativeWrite,
        responses={201: response_of("Representative", serializers.XalantisRepresentativeRead)},
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
