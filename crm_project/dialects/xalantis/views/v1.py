"""The endpoints of `/api/v1`."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import create_contacts, trash_contacts, update_contacts
from crm_project.api.pagination import Cursor, Key, page_of
from crm_project.dialects.xalantis.views.base import XalantisView
from crm_project.dialects.xalantis.wire import v1 as wire
from crm_project.records.models import CustomField
from deals.models import Deal
from deals.services import create_deals, trash_deals, update_deals
from pipelines.models import Pipeline

PER_PAGE = 15
NEWEST = "-created_at"


@cache
def answers(name: str, serializer: Any, *, many: bool = False) -> Any:
    """The envelope in the OpenAPI document."""
    fields = {"success": serializers.BooleanField(), "data": serializer(many=many)}
    return inline_serializer(name, fields)


class V1View(XalantisView):
    """`{success, data}`, and for lists `meta` and `links`."""

    queries: ClassVar[Any] = {"index": wire.PageQuery}
    shown_class: ClassVar[Any]

    def one(self, data: Any, status: int = 200) -> Response:
        return Response({"success": True, "data": data}, status)

    def sent(self) -> Mapping[str, Any]:
        body: Any = self.request.data
        if not isinstance(body, Mapping):
            raise ParseError("The body must be an object.")
        return body

    def page(self, rows: Any) -> Response:
        """By numbered pages with a total, or by cursors without one."""
        size = self.query.get("per_page", PER_PAGE)
        if self.query.get("paginate") == "cursor":
            return self._by_cursor(rows, size)
        page, total = self.query.get("page", 1), rows.count()
        shown = rows.order_by(NEWEST, "-id")[(page - 1) * size : page * size]
        meta = {
            "current_page": page,
            "per_page": size,
            "total": total,
            "last_page": max(1, -(-total // size)),
        }
        return self._listed(list(shown), meta, {"prev": None, "next": None})

    def _by_cursor(self, rows: Any, size: int) -> Response:
        text = self.query.get("cursor")
        key = Key("created_at")
        page = page_of(rows, key, NEWEST, Cursor.decode(text, ordering=NEWEST) if text else None, size)
        cursors = {"next": page.next and page.next.encode(), "prev": page.previous and page.previous.encode()}
        meta = {"per_page": size, **{f"{name}_cursor": cursor for name, cursor in cursors.items()}}
        return self._listed(page.rows, meta, cursors)

    def _listed(self, rows: list[Any], meta: Mapping[str, Any], links: Mapping[str, Any]) -> Response:
        data = self.show(self.shown_class, rows, many=True)
        return Response({"success": True, "data": data, "meta": meta, "links": links})


class PipelineView(V1View):
    @extend_schema(
        responses=answers("Pipelines", wire.ShownPipeline, many=True), summary="Pipelines and stages"
    )
    def pipelines(self, request: Request) -> Response:
        rows = Pipeline.objects.visible_to(self.actor.member).default_first().with_stages()
        return self.one(self.show(wire.ShownPipeline, list(rows), many=True))


class FieldView(V1View):
    kind: ClassVar[str] = CustomField.Kinds.DEAL

    @extend_schema(
        responses=answers("CustomFields", wire.ShownField, many=True), summary="Declared custom fields"
    )
    def fields_of(self, request: Request) -> Response:
        rows = CustomField.objects.visible_to(self.actor.member).for_kind(self.kind)
        return self.one(self.show(wire.ShownField, list(rows), many=True))


class DealView(V1View):
    shown_class = wire.ShownV1Deal

    @extend_schema(
        operation_id="v1_deals_list",
        parameters=[wire.PageQuery],
        responses=answers("Deals", wire.ShownV1Deal, many=True),
        summary="List deals",
    )
    def index(self, request: Request) -> Response:
        rows = Deal.objects.visible_to(self.actor.member).matching(self.query.get("search") or "")
        return self.page(rows.for_reading(self.actor.member))

    @extend_schema(
        request=wire.NewV1Deal, responses={201: answers("Deal", wire.ShownV1Deal)}, summary="Create a deal"
    )
    def create(self, request: Request) -> Response:
        deal = create_deals(actor=self.actor, changes=[self.read(wire.NewV1Deal)])[0]
        return self.one(self.shown(deal), self.create_status)

    @extend_schema(responses=answers("Deal", wire.ShownV1Deal), summary="Show a deal")
    def retrieve(self, request: Request, row: str) -> Response:
        return self.one(self.shown(self.find("deal", row)))

    @extend_schema(
        request=wire.DealChange, responses=answers("Deal", wire.ShownV1Deal), summary="Change a deal"
    )
    def update(self, request: Request, row: str) -> Response:
        deal = self.find("deal", row)
        change = self.read(wire.DealChange, self.differing(self.sent(), self.shown(deal)), partial=True)
        return self.one(self.shown(update_deals(actor=self.actor, changes=[(deal, change)])[0].row))

    @extend_schema(responses=answers("Deal", wire.ShownV1Deal), summary="Delete a deal")
    def destroy(self, request: Request, row: str) -> Response:
        deal = self.find("deal", row)
        shown = self.shown(deal)
        trash_deals(actor=self.actor, deals=[deal])
        return self.one(shown, self.delete_status)

    def shown(self, deal: Deal) -> Any:
        return self.show(wire.ShownV1Deal, Deal.objects.for_reading(self.actor.member).get(pk=deal.pk))


class ContactView(V1View):
    """People."""

    kind: ClassVar[str] = Contact.Kinds.PERSON
    shown_class: ClassVar[Any] = wire.ShownContact
    words_class: ClassVar[Any] = wire.ContactWords

    @extend_schema(
        operation_id="v1_contacts_list",
        parameters=[wire.PageQuery],
        responses=answers("Contacts", wire.ShownContact, many=True),
        summary="List",
    )
    def index(self, request: Request) -> Response:
        return self.page(self.rows().matching(self.query.get("search") or "").for_reading())

    @extend_schema(
        request=wire.ContactWords, responses={201: answers("Contact", wire.ShownContact)}, summary="Create"
    )
    def create(self, request: Request) -> Response:
        return self.created(self.read(self.words_class))

    @extend_schema(responses=answers("Contact", wire.ShownContact), summary="Show")
    def retrieve(self, request: Request, row: str) -> Response:
        return self.one(self.shown(self.named(row)))

    @extend_schema(
        request=wire.ContactWords, responses=answers("Contact", wire.ShownContact), summary="Change"
    )
    def update(self, request: Request, row: str) -> Response:
        contact = self.named(row)
        change = self.read(self.words_class, self.differing(self.sent(), self.shown(contact)), partial=True)
        return self.one(self.shown(update_contacts(actor=self.actor, changes=[(contact, change)])[0].row))

    @extend_schema(responses=answers("Contact", wire.ShownContact), summary="Delete")
    def destroy(self, request: Request, row: str) -> Response:
        contact = self.named(row)
        shown = self.shown(contact)
        trash_contacts(actor=self.actor, contacts=[contact])
        return self.one(shown, self.delete_status)

    def rows(self) -> Any:
        return Contact.objects.visible_to(self.actor.member).filter(kind=self.kind)

    def named(self, row: str) -> Contact:
        contact: Contact = self.find("contact", row)
        if contact.kind != self.kind:
            raise NotFound
        return contact

    def created(self, change: dict[str, Any]) -> Response:
        contact = create_contacts(actor=self.actor, changes=[{**change, "kind": self.kind}])[0]
        return self.one(self.shown(contact), self.create_status)

    def shown(self, contact: Contact) -> Any:
        return self.show(self.shown_class, Contact.objects.for_reading().get(pk=contact.pk))


class ClientView(ContactView):
    """Companies."""

    kind = Contact.Kinds.COMPANY
    shown_class = wire.ShownClient
    words_class = wire.ClientWords

    @extend_schema(
        operation_id="v1_clients_list",
        parameters=[wire.PageQuery],
        responses=answers("Clients", wire.ShownClient, many=True),
        summary="List",
    )
    def index(self, request: Request) -> Response:
        return super().index(request)

    @extend_schema(
        request=wire.ClientWords, responses={201: answers("Client", wire.ShownClient)}, summary="Create"
    )
    def create(self, request: Request) -> Response:
        return super().create(request)

    @extend_schema(responses=answers("Client", wire.ShownClient), summary="Show")
    def retrieve(self, request: Request, row: str) -> Response:
        return super().retrieve(request, row)

    @extend_schema(request=wire.ClientWords, responses=answers("Client", wire.ShownClient), summary="Change")
    def update(self, request: Request, row: str) -> Response:
        return super().update(request, row)

    @extend_schema(responses=answers("Client", wire.ShownClient), summary="Delete")
    def destroy(self, request: Request, row: str) -> Response:
        return super().destroy(request, row)


class RepresentativeView(ContactView):
    """The people of a client."""

    @extend_schema(
        operation_id="representatives_list",
        parameters=[wire.PageQuery],
        responses=answers("Contacts", wire.ShownContact, many=True),
        summary="List the people of a client",
    )
    def index(self, request: Request, row: str) -> Response:  # type: ignore[override]
        self.client = self.company(row)
        return super().index(request)

    @extend_schema(
        request=wire.ContactWords,
        responses={201: answers("Contact", wire.ShownContact)},
        summary="Add a person",
    )
    def create(self, request: Request, row: str) -> Response:  # type: ignore[override]
        company = self.company(row)
        return self.created({**self.read(wire.ContactWords), "company": company.pk})

    def rows(self) -> Any:
        return super().rows().filter(company=self.client)

    def company(self, row: str) -> Contact:
        company: Contact = self.find("contact", row)
        if company.kind != Contact.Kinds.COMPANY:
            raise NotFound
        return company
