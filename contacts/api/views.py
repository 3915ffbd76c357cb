"""`/api/contacts`."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts import services
from contacts.api.filters import ContactFilter
from contacts.api.serializers import ContactReceiptSerializer, ContactSerializer, UpsertContactSerializer
from contacts.models import Contact
from crm_project.api.bulk import bulk_schemas
from crm_project.api.pagination import Key
from crm_project.api.views import KeyedViewSet
from crm_project.records.bulk import Operation
from crm_project.records.receipts import Receipt

BULK = bulk_schemas("contact", ContactSerializer, UpsertContactSerializer)


class ContactViewSet(KeyedViewSet):
    """People and companies."""

    model = Contact
    queryset = Contact.objects.none()
    serializer_class = ContactSerializer
    upsert_serializer_class = UpsertContactSerializer
    row_name = "contact"
    filterset_class = ContactFilter
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "full_name": Key("full_name", text=True),
        "email": Key("email", text=True),
    }

    def for_reading(self, rows: Any) -> Any:
        return rows.for_reading()

    def perform_create(self, change: dict[str, Any]) -> Contact:
        return services.create_contacts(actor=self.actor, changes=[change])[0]

    def perform_update(self, row: Contact, change: dict[str, Any]) -> Contact:
        return services.update_contacts(actor=self.actor, changes=[(row, change)])[0].row

    def perform_destroy(self, row: Contact) -> None:
        services.trash_contacts(actor=self.actor, contacts=[row], if_match=self.expected(row))

    def perform_upsert(self, change: dict[str, Any]) -> Receipt[Contact]:
        return self.carry_out([Operation("upsert", change=change)])[0]

    def carry_out(self, operations: Sequence[Operation]) -> list[Receipt[Contact]]:
        return services.carry_out_contacts(actor=self.actor, operations=operations)

    @extend_schema(
        request=UpsertContactSerializer,
        responses={200: ContactReceiptSerializer, 201: ContactReceiptSerializer},
        summary="Create or update by one key",
    )
    @action(detail=False, methods=["post"])
    def upsert(self, request: Request) -> Response:
        """`match_on` names the key (uuid, external_reference, email), else the first one in the body."""
        return self.upsert_row(request)

    @extend_schema(request=BULK[0], responses=BULK[1], summary="Many writes in one request")
    @action(detail=False, methods=["post"])
    def bulk(self, request: Request) -> Response:
        """Up to 1,000 operations, each treated as a single write; all of them or none, unless `atomic` is false."""
        return self.bulk_rows(request)

    @extend_schema(responses=ContactSerializer, summary="Find by an external reference")
    @action(detail=False, url_path="external/<str:system>/<path:external_id>")
    def external(self, request: Request, system: str, external_id: str) -> Response:
        return self.find_external(system, external_id)

    @extend_schema(request=None, responses=ContactSerializer, summary="Bring back from the trash")
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, **_: Any) -> Response:
        row = self.get_trashed()
        self.expect_no_body(request)
        restored = services.restore_contacts(actor=self.actor, contacts=[row], if_match=self.expected(row))[0]
        return Response(self.shown(restored))
