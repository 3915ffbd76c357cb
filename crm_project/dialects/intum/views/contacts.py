"""`/crm/contacts.json` and `/crm/clients.json`."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import create_contacts, trash_contacts, update_contacts
from crm_project.dialects.intum.views.base import IntumView
from crm_project.dialects.intum.wire import contacts as wire
from crm_project.dialects.intum.wire.references import app_code, with_references


class ContactView(IntumView):
    """People; `ClientView` shows the companies."""

    wrapper = "contact"
    kind = Contact.Kinds.PERSON
    queries = {"index": wire.ContactQuery, "search": wire.ContactQuery}

    @extend_schema(parameters=[wire.ContactQuery], responses=wire.ShownContact(many=True), summary="List")
    def index(self, request: Request) -> Response:
        rows = (
            Contact.objects.visible_to(self.actor.member)
            .filter(kind=self.kind)
            .matching(self.query.get("q") or "")
        )
        rows = self.filtered(rows, {"client_id": ("contact", "company"), "responsible_id": ("user", "owner")})
        if email := self.query.get("extracted_email"):
            rows = rows.with_email([email])
        if "status_id" in self.query:
            rows = rows.none()
        rows = self.page(rows.order_by("-created_at", "-id").for_reading())
        return Response(self.show(wire.ShownContact, list(rows), many=True))

    search = index

    @extend_schema(request=wire.ContactBody, responses={201: wire.ShownContact}, summary="Create")
    def create(self, request: Request) -> Response:
        change = {**self.completed(self.read(wire.ContactWords, self.sent()), None), "kind": self.kind}
        return Response(
            self.shown(create_contacts(actor=self.actor, changes=[change])[0]), self.create_status
        )

    @extend_schema(responses=wire.ShownContact, summary="Show")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.shown(self.one(row)))

    @extend_schema(request=wire.ContactBody, responses=wire.ShownContact, summary="Change")
    def update(self, request: Request, row: str) -> Response:
        contact = self.one(row)
        change = self.completed(self.changed(wire.ContactWords, self.shown(contact)), contact)
        return Response(self.shown(update_contacts(actor=self.actor, changes=[(contact, change)])[0].row))

    @extend_schema(responses=wire.ShownContact, summary="Delete")
    def destroy(self, request: Request, row: str) -> Response:
        contact = self.one(row)
        shown = self.shown(contact)
        trash_contacts(actor=self.actor, contacts=[contact])
        return Response(shown, self.delete_status)

    def read(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Whoever sends one name is told of that."""
        change = super().read(*args, **kwargs)
        if "first_name" not in change:
            self.wire_names["first_name"] = "name"
        return change

    def one(self, row: str) -> Contact:
        contact: Contact = self.find("contact", row)
        if contact.kind != self.kind:
            raise NotFound
        return contact

    def completed(self, change: dict[str, Any], contact: Contact | None) -> dict[str, Any]:
        change = with_references(wire.named(change, self.kind), contact, app_code(self.actor))
        return {**change, "free_custom_fields": True}

    def shown(self, contact: Contact) -> Any:
        return self.show(wire.ShownContact, Contact.objects.for_reading().get(pk=contact.pk))


@extend_schema_view(
    create=extend_schema(request=wire.ClientBody),
    update=extend_schema(request=wire.ClientBody),
)
class ClientView(ContactView):
    """Companies."""

    wrapper = "client"
    kind = Contact.Kinds.COMPANY
