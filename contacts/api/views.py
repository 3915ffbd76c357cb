"""`/api/contacts`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from contacts.api.filters import ContactFilter
from contacts.api.serializers import ContactReceiptSerializer, ContactSerializer, UpsertContactSerializer
from contacts.models import Contact
from crm_project.accounts.api.serializers import UserSerializer
from crm_project.accounts.models import Member
from crm_project.api.keyed import bulk_action, external_action, upsert_action
from crm_project.api.sparse import Expansion
from crm_project.api.views import RowViewSet
from crm_project.records.paging import Key


class ContactViewSet(RowViewSet):
    """People and companies."""

    queryset = Contact.objects.none()
    serializer_class = ContactSerializer
    filterset_class = ContactFilter
    expansions: ClassVar[Mapping[str, Expansion]] = {
        "company": Expansion(
            "company_id", ContactSerializer, lambda member: Contact.objects.visible_to(member).for_reading()
        ),
        "owner": Expansion(
            "owner_id",
            UserSerializer,
            lambda member: Member.objects.visible_to(member).select_related("user"),
        ),
    }
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "full_name": Key("full_name", text=True),
        "email": Key("email", text=True),
    }
    upsert = upsert_action(UpsertContactSerializer, ContactReceiptSerializer)
    bulk = bulk_action("contact", ContactSerializer, UpsertContactSerializer, {"first_name": "Ann"})
    external = external_action(ContactSerializer)

    def for_reading(self, rows: Any) -> Any:
        return rows.for_reading()
