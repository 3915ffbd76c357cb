"""Gauzy's organization contacts, which are the clients of deals."""

from typing import Any

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.querysets import fold_email, further_matches, phone_contains
from contacts.services import create_contacts, restore_contacts, trash_contacts, update_contacts
from crm_project.dialects.gauzy.serializers import people as serializers
from crm_project.dialects.gauzy.serializers.plain import PlainContacts
from crm_project.dialects.gauzy.serializers.query import is_text
from crm_project.dialects.gauzy.views.entities import GauzyEntityView, documented


@documented("contact", "contacts", serializers.GauzyContactRead)
class GauzyContactView(GauzyEntityView):
    model, kind, read_class = Contact, "contact", serializers.GauzyContactRead
    plain_class = PlainContacts
    relates = frozenset({*serializers.GauzyContactRead.related, "members.user", "projects.members"})
    columns = {"name": "full_name", "primaryEmail": "email", "primaryPhone": "phone", "notes": "description"}
    partial_in_pages = frozenset({"name", "primaryEmail", "primaryPhone"})
    links = {"id": ("contact", "pk"), "employeeId": ("user", "owner"), "members": ("user", "owner")}
    sortable = {
        **GauzyEntityView.sortable,
        "name": "full_name",
        "primaryEmail": "email",
        "primaryPhone": "phone",
    }

    @property
    def filters(self) -> frozenset[str]:
        return super().filters | {"contactType"}

    def fetched(self, rows: Any) -> Any:
        return rows.select_related("owner__user", "owner__organization")

    def filter_by(self, rows: Any, name: str, value: Any, *, partial: bool) -> Any:
        """The type is a custom field, e-mail addresses are stored folded, and phone numbers also normalized."""
        if name == "contactType":
            return rows.filter(serializers.of_type(value))
        if name == "primaryPhone" and is_text(value):
            organization = self.actor.organization
            return rows.filter(phone_contains(value)) if partial else rows.with_phone(value, organization)
        if name == "primaryEmail" and is_text(value):
            value = fold_email(value)
            if not partial:
                return rows.with_email([value], self.actor.organization_id)
            further = further_matches("email", Q(value__contains=value))
            return rows.filter(Q(email__contains=value) | further)
        return super().filter_by(rows, name, value, partial=partial)

    def trash(self, row: Contact) -> None:
        trash_contacts(actor=self.actor, rows=[row])

    def restore(self, row: Contact) -> Contact:
        return restore_contacts(actor=self.actor, rows=[row])[0]

    @extend_schema(
        request=serializers.GauzyContactWrite,
        responses={201: serializers.GauzyContactRead},
        summary="Create a company",
    )
    def create(self, request: Request) -> Response:
        kind = Contact.Kinds.COMPANY
        change = serializers.contact_change(self.read(serializers.GauzyContactWrite, self.sent()), kind)
        contact = create_contacts(actor=self.actor, changes=[{**change, "kind": kind}])[0]
        return Response(self.entity(contact), self.create_status)

    @extend_schema(
        request=serializers.GauzyContactWrite,
        responses={202: serializers.GauzyContactRead},
        summary="Change a contact",
    )
    def update(self, request: Request, row: str) -> Response:
        contact = self.one(self.kind, row)
        sent = self.changed(serializers.GauzyContactWrite, self.entity(contact))
        change = serializers.contact_change(sent, contact.kind)
        receipt = update_contacts(actor=self.actor, changes=[(contact, change)])[0]
        return Response(self.entity(receipt.row), self.update_status)

    @extend_schema(
        responses=serializers.GauzyEmployeeContactNested(many=True),
        summary="The contacts of an employee",
        operation_id="contacts_of_employee",
    )
    def of_employee(self, request: Request, row: str) -> Response:
        rows = self.ordered(self.listed().filter(owner=self.one("user", row)))
        return Response(self.serialize(serializers.GauzyEmployeeContactNested, list(rows), many=True))

    @extend_schema(
        request=serializers.GauzyAssignmentWrite,
        responses={202: OpenApiTypes.OBJECT},
        summary="Assign contacts to an employee, and take others away",
    )
    def assign(self, request: Request) -> Response:
        sent = self.read(serializers.GauzyAssignmentWrite, self.sent())
        member = self.employee(sent["member"])
        added = [(contact, {"owner": member.pk}) for contact in self.listed_in(sent, "addedEntityIds")]
        removed = [
            (contact, {"owner": None})
            for contact in self.listed_in(sent, "removedEntityIds")
            if contact.owner_id == member.pk
        ]
        update_contacts(actor=self.actor, changes=[*added, *removed])
        return Response(True, self.update_status)

    def employee(self, named: Any) -> Any:
        member = self.ids.resolve("user", named.get("id") if isinstance(named, dict) else named)
        if member is None:
            raise ValidationError({"member": ["There is no such employee."]})
        return member

    def listed_in(self, sent: dict[str, Any], name: str) -> list[Contact]:
        named = sent.get(name, [])
        found = self.ids.resolve_all("contact", named)
        if len(found) != len(named):
            raise ValidationError({name: ["There is no such contact."]})
        return list(found.values())
