"""`/api/contacts`."""

from collections.abc import Sequence
from typing import Any

from contacts import services
from contacts.api.filters import ContactFilter
from contacts.api.serializers import ContactReceiptSerializer, ContactSerializer, UpsertContactSerializer
from contacts.models import Contact
from crm_project.api.views import KeyedViewSet, RestoreMixin, keyed_schema
from crm_project.records.bulk import Operation
from crm_project.records.paging import Key
from crm_project.records.writing.receipts import Receipt


@keyed_schema(ContactSerializer, UpsertContactSerializer, ContactReceiptSerializer, row_name="contact")
class ContactViewSet(RestoreMixin, KeyedViewSet):
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
        services.trash_contacts(actor=self.actor, rows=[row], if_match=self.expected(row))

    def carry_out(self, operations: Sequence[Operation]) -> list[Receipt[Contact]]:
        return services.carry_out_contacts(actor=self.actor, operations=operations)

    def perform_restore(self, row: Contact) -> Contact:
        return services.restore_contacts(actor=self.actor, rows=[row], if_match=self.expected(row))[0]
