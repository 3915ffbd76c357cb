"""`/api/contacts`."""

from typing import Any

from contacts.api.filters import ContactFilter
from contacts.api.serializers import ContactReceiptSerializer, ContactSerializer, UpsertContactSerializer
from contacts.models import Contact
from crm_project.api.keyed import keyed_actions
from crm_project.api.views import RowViewSet
from crm_project.records.paging import Key


class ContactViewSet(RowViewSet):
    """People and companies."""

    queryset = Contact.objects.none()
    serializer_class = ContactSerializer
    filterset_class = ContactFilter
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "full_name": Key("full_name", text=True),
        "email": Key("email", text=True),
    }
    upsert, bulk, external = keyed_actions(
        ContactSerializer,
        UpsertContactSerializer,
        ContactReceiptSerializer,
        row_name="contact",
        name_field="first_name",
    )

    def for_reading(self, rows: Any) -> Any:
        return rows.for_reading()
