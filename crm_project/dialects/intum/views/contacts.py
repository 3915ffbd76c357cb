"""`/crm/contacts.json` and `/crm/clients.json`."""

from functools import cached_property
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import create_contacts, trash_contacts, update_contacts, upsert_contacts
from crm_project.dialects.intum.serializers import contacts as serializers
from crm_project.dialects.intum.serializers.references import app_code, with_references
from crm_project.dialects.intum.views.base import IntumView
from crm_project.dialects.kit.names import is_overridden
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.records import references
from crm_project.records.writing.columns import definitions_of

# The keys beside the client in the body of an upsert.
KEY = ("app_code", "external_id")


class IntumContactView(IntumView):
    """People."""

    wrapper = "contact"
    kind = Contact.Kinds.PERSON
    queries = {"index": serializers.IntumContactQuery, "search": serializers.IntumContactQuery}

    @extend_schema(
        parameters=[serializers.IntumContactQuery],
        responses=serializers.IntumContactRead(many=True),
        summary="List",
    )
    def index(self, request: Request) -> Response:
        rows = (
            Contact.objects.visible_to(self.actor.member)
            .filter(kind=self.kind)
            .matching(self.query.get("q") or "")
        )
        rows = self.filtered(rows, {"client_id": ("contact", "company"), "responsible_id": ("user", "owner")})
        if email := self.query.get("extracted_email"):
            rows = rows.with_email([email], self.actor.organization_id)
        if "status_id" in self.query:
            rows = rows.none()
        rows = self.page(rows.order_by("-created_at", "-id").for_reading())
        return Response(self.serialize(serializers.IntumContactRead, list(rows), many=True))

    search = index

    @extend_schema(
        request=serializers.ContactBody, responses={201: serializers.IntumContactRead}, summary="Create"
    )
    def create(self, request: Request) -> Response:
        change = {
            **self.completed(self.read(serializers.IntumContactWrite, self.sent()), None),
            "kind": self.kind,
        }
        return Response(
            self.representation(create_contacts(actor=self.actor, changes=[change])[0]), self.create_status
        )

    @extend_schema(responses=serializers.IntumContactRead, summary="Show")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.representation(self.one(row)))

    @extend_schema(request=serializers.ContactBody, responses=serializers.IntumContactRead, summary="Change")
    def update(self, request: Request, row: str) -> Response:
        contact = self.one(row)
        change = self.completed(
            self.changed(serializers.IntumContactWrite, self.representation(contact)), contact
        )
        return Response(
            self.representation(update_contacts(actor=self.actor, changes=[(contact, change)])[0].row)
        )

    @extend_schema(responses=serializers.IntumContactRead, summary="Delete")
    def destroy(self, request: Request, row: str) -> Response:
        contact = self.one(row)
        data = self.representation(contact)
        trash_contacts(actor=self.actor, rows=[contact])
        return Response(data, self.delete_status)

    def read(
        self, serializer_class: type[DialectSerializer], data: Any = None, *, partial: bool = False
    ) -> dict[str, Any]:
        """Read also custom fields at the top level. If only `name` was sent, errors of the first name have its name."""
        if serializer_class is serializers.IntumContactWrite:
            data = serializers.with_custom_fields_nested(data, self.additional)
        change = super().read(serializer_class, data, partial=partial)
        if "first_name" not in change:
            self.wire_names["first_name"] = "name"
        return change

    @cached_property
    def additional(self) -> list[str]:
        """The keys of declared custom fields, without headings and without names of Intum's own fields."""
        declared = definitions_of(self.actor.organization_id, "contact")
        own = serializers.IntumContactWrite().fields.keys()
        return [key for key, row in declared.items() if key not in own and row.type != row.Types.HEADING]

    def one(self, row: str) -> Contact:
        contact: Contact = self.find("contact", row)
        if contact.kind != self.kind:
            raise NotFound
        return contact

    def completed(self, change: dict[str, Any], contact: Contact | None) -> dict[str, Any]:
        if self.kind == Contact.Kinds.PERSON and is_overridden(change.get("name"), change, contact):
            self.ignore(["name"])
        change = serializers.with_names(change, self.kind, creating=contact is None)
        change = with_references(change, contact, app_code(self.actor))
        return {**change, "free_custom_fields": True}

    def representation(self, contact: Contact) -> Any:
        return self.serialize(serializers.IntumContactRead, Contact.objects.for_reading().get(pk=contact.pk))


@extend_schema_view(
    create=extend_schema(request=serializers.ClientBody),
    update=extend_schema(request=serializers.ClientBody),
)
class IntumClientView(IntumContactView):
    """Companies."""

    wrapper = "client"
    kind = Contact.Kinds.COMPANY

    @extend_schema(
        request=serializers.UpsertBody,
        responses=dict.fromkeys((200, 201), serializers.IntumContactRead),
        summary="Update or create",
    )
    def upsert(self, request: Request) -> Response:
        sent, key = self.sent(*KEY), self._key()
        visible = Contact.objects.visible_to(self.actor.member)
        found = visible.holding_reference(system=key[0], external_id=key[1]).first()
        if found is not None and found.kind != self.kind:
            raise references.taken()
        change = self.completed(self.read(serializers.IntumContactWrite, sent, partial=True), found)
        # The id of the upsert stands beside the client.
        if sent.get("external_id") not in (None, "", key[1]):
            self.ignore(["external_id"])
        change |= {"kind": self.kind, "external_references": [key], "match_on": "external_reference"}
        receipt = upsert_contacts(actor=self.actor, changes=[change])[0]
        status = self.create_status if receipt.outcome == "created" else self.update_status
        return Response(self.representation(receipt.row), status)

    def _key(self) -> tuple[str, str]:
        body: Any = self.request.data
        key = self.read(serializers.IntumUpsertKey, {name: body[name] for name in KEY if name in body})
        return key.get("app_code") or app_code(self.actor), key["external_id"]

    @extend_schema(
        responses=serializers.IntumContactRead, summary="Find a client by the id of an application"
    )
    def external(self, request: Request, app_code: str, external_id: str) -> Response:
        return Response(self.representation(self.by_reference(self._companies, app_code, external_id)))

    @extend_schema(
        operation_id="dialects_intum_crm_clients_own_external",
        responses=serializers.IntumContactRead,
        summary="Find a client by the id of the token's application",
    )
    def own_external(self, request: Request, external_id: str) -> Response:
        return Response(self.representation(self.by_reference(self._companies, "", external_id)))

    @property
    def _companies(self) -> Any:
        return Contact.objects.visible_to(self.actor.member).filter(kind=self.kind)
