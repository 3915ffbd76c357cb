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
from crm_project.api.pagination import Key
from crm_project.api.views import KeyedViewSet, keyed_schema
from crm_project.records.bulk import Operation
from crm_project.records.receipts import Receipt


@keyed_schema(ContactSerializer, UpsertContactSerializer, ContactReceiptSerializer, row_name="contact")
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

    def carry_out(self, operations: Sequence[Operation]) -> list[Receipt[Contact]]:
        return services.carry_out_contacts(actor=self.actor, operations=operations)

    @extend_schema(request=None, responses=ContactSerializer, summary="Bring back from the trash")
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, **_: Any) -> Response:
        row = self.get_trashed()
        self.expect_no_body(request)
        restored = services.restore_contacts(actor=self.actor, contacts=[row], if_match=self.expected(row))[0]
        return Response(self.shown(restored))
