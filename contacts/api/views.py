"""`/api/contacts`."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.api.filters import ContactFilter
from contacts.api.serializers import (
    ContactReceiptSerializer,
    ContactSerializer,
    DuplicatesSerializer,
    MergeSerializer,
    UpsertContactSerializer,
)
from contacts.duplicates import duplicates_of
from contacts.models import Contact
from contacts.services import merge_contacts
from crm_project.accounts.api.serializers import UserSerializer
from crm_project.accounts.models import Member
from crm_project.api.keyed import bulk_action, external_action, upsert_action
from crm_project.api.sparse import Expansion, represented
from crm_project.api.views import RowViewSet
from crm_project.errors import Invalid
from crm_project.records.paging import Key
from crm_project.records.writing.columns import missing


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
    conditional_actions = RowViewSet.conditional_actions | {"merge"}
    bulk = bulk_action("contact", ContactSerializer, UpsertContactSerializer, {"first_name": "Ann"})
    external = external_action(ContactSerializer)

    def for_reading(self, rows: Any) -> Any:
        return rows.for_reading()

    @extend_schema(
        request=MergeSerializer, responses={200: ContactSerializer}, summary="Merge others into it"
    )
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, **_: Any) -> Response:
        """Deals, activities, references, people and every address of the others become those of this contact.

        The others go to the trash. All of it is one change set, which can be undone; deals that you may not see
        move, too.
        """
        target, body = self.get_object(), MergeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        receipt = merge_contacts(
            actor=self.actor,
            sources=self._named(body.validated_data["contact_uuids"]),
            target=target,
            fields=body.validated_data.get("fields"),
            if_match=self.if_match,
        )
        return Response(self.represent(receipt.row))

    def _named(self, uuids: Sequence[UUID]) -> list[Contact]:
        rows = {row.uuid: row for row in self.get_queryset().filter(uuid__in=uuids)}
        unknown = [index for index, uuid in enumerate(uuids) if uuid not in rows]
        if unknown:
            raise Invalid(fields=[missing(f"contact_uuids.{index}") for index in unknown])
        return [rows[uuid] for uuid in uuids]

    @extend_schema(responses=DuplicatesSerializer, summary="List contacts that may be the same")
    @action(detail=True)
    def duplicates(self, request: Request, **_: Any) -> Response:
        """At most 20 contacts of its kind with the same e-mail address, phone number or name in any spelling."""
        found = duplicates_of(self.actor, self.read_object())
        results = [
            {**row, "reasons": duplicate.reasons}
            for row, duplicate in zip(represented(self, [one.contact for one in found]), found, strict=True)
        ]
        return Response({"results": results})
