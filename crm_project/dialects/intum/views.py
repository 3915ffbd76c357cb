"""Intum's endpoints."""

import datetime
from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.db.models.functions import Coalesce
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import create_contacts, trash_contacts, update_contacts
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import User
from crm_project.accounts.rules import Permission
from crm_project.accounts.services import authenticate_token
from crm_project.api.authentication import BearerAuthentication, BearerScheme, bearer_secret
from crm_project.dialects.base import DialectView
from crm_project.dialects.intum import errors, wire
from crm_project.records.models import DEFAULT_SYSTEM
from deals.models import Deal
from deals.services import create_deals, trash_deals, update_deals
from pipelines.models import Pipeline, Stage
from pipelines.services import create_stage, trash_stage, update_stage

TOKEN = "api_token"
PER_PAGE = 25


class TokenAuthentication(BearerAuthentication):
    """`Authorization: Bearer`, else `?api_token=`, else `api_token` beside the body's object."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        if bearer_secret(request) is not None:
            return super().authenticate(request)
        body = request.data if isinstance(request.data, Mapping) else {}
        secret = request.query_params.get(TOKEN) or body.get(TOKEN)
        if not isinstance(secret, str):
            return None
        actor = authenticate_token(secret)
        return (actor.member.user, actor) if actor else None


class TokenScheme(BearerScheme):
    target_class = TokenAuthentication


class IntumView(DialectView):
    system = "intum"
    answer = staticmethod(errors.answer)
    error_schema = errors.SCHEMA
    authentication_classes = [TokenAuthentication]
    secret_parameters = frozenset({TOKEN})
    wrapper: ClassVar[str] = ""

    def query_data(self, request: Request) -> Mapping[str, Any]:
        return {name: value for name, value in super().query_data(request).items() if name != TOKEN}

    def sent(self) -> dict[str, Any]:
        """The object that the body wraps."""
        body: Any = self.request.data
        sent = body.get(self.wrapper) if isinstance(body, Mapping) else None
        if not isinstance(sent, Mapping):
            raise ParseError(f"param is missing or the value is empty: {self.wrapper}")
        self.ignore(body.keys() - {self.wrapper, TOKEN})
        return dict(sent)

    def changed(self, serializer_class: Any, shown: Mapping[str, Any]) -> dict[str, Any]:
        """The change that a body makes of a row: what is sent back as it was shown says nothing."""
        sent = self.sent()
        # A blank `closed` means one thing beside a status and another alone: both are always looked at.
        kept = {name: sent[name] for name in ("status_id", "closed") if name in sent}
        return self.read(serializer_class, self.differing(sent, shown) | kept, partial=True)

    def page(self, rows: Any) -> Any:
        """`page` and `per_page`, as the vendor's family has them; the list is a bare array."""
        size = self.query.get("per_page", PER_PAGE)
        start = (self.query.get("page", 1) - 1) * size
        return rows[start : start + size]

    def filtered(self, rows: Any, columns: Mapping[str, tuple[str, str]]) -> Any:
        """Narrow by ids: filter → (kind of row, column); an id that names nothing finds nothing."""
        for name, (kind, column) in columns.items():
            if name in self.query:
                row = self.ids.resolve(kind, self.query[name])
                rows = rows.filter(**{column: row.pk}) if row else rows.none()
        return rows


class DealView(IntumView):
    """Deals, in Intum's words."""

    wrapper = "deal"
    queries = {"index": wire.DealQuery}

    @extend_schema(parameters=[wire.DealQuery], responses=wire.ShownDeal(many=True), summary="List deals")
    def index(self, request: Request) -> Response:
        rows = self.page(self.listed().order_by("-created_at", "-id").for_reading(self.actor.member))
        return Response(self.show(wire.ShownDeal, list(rows), many=True))

    @extend_schema(
        request=wire.DealBody,
        responses={201: wire.ShownDeal},
        summary="Create a deal",
        examples=[OpenApiExample("Create", wire.EXAMPLE_REQUEST, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        change = self.completed(self.read(wire.DealWords, self.sent()), None)
        deal = create_deals(actor=self.actor, changes=[change])[0]
        return Response(self.shown(deal), self.create_status)

    @extend_schema(responses=wire.ShownDeal, summary="Show a deal")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.shown(self.find("deal", row)))

    @extend_schema(request=wire.DealBody, responses=wire.ShownDeal, summary="Change a deal")
    def update(self, request: Request, row: str) -> Response:
        deal = self.find("deal", row)
        change = self.completed(self.changed(wire.DealWords, self.shown(deal)), deal)
        return Response(self.shown(update_deals(actor=self.actor, changes=[(deal, change)])[0].row))

    @extend_schema(responses=wire.ShownDeal, summary="Delete a deal")
    def destroy(self, request: Request, row: str) -> Response:
        deal = self.find("deal", row)
        shown = self.shown(deal)
        trash_deals(actor=self.actor, deals=[deal])
        return Response(shown, self.delete_status)

    @extend_schema(responses=wire.ShownDeal, summary="Find a deal by what an application calls it")
    def external(self, request: Request, app_code: str, external_id: str) -> Response:
        visible = Deal.objects.visible_to(self.actor.member)
        for system in dict.fromkeys((app_code, DEFAULT_SYSTEM)):
            found = visible.holding_reference(system=system, external_id=external_id).first()
            if found is not None:
                return Response(self.shown(found))
        raise NotFound

    def completed(self, change: dict[str, Any], deal: Deal | None) -> dict[str, Any]:
        change = wire.with_status(change, deal)
        change = wire.with_references(change, deal, wire.app_code(self.actor))
        # `fields` is free-form JSON by contract.
        return {**change, "free_custom_fields": True}

    def shown(self, deal: Deal) -> Any:
        return self.show(wire.ShownDeal, Deal.objects.for_reading(self.actor.member).get(pk=deal.pk))

    def listed(self) -> Any:
        query = self.query
        rows = Deal.objects.visible_to(self.actor.member).matching(query.get("q") or "")
        rows = self.filtered(
            rows,
            {
                "client_id": ("contact", "client"),
                "status_id": ("stage", "stage"),
                "responsible_id": ("user", "owner"),
            },
        )
        plain = {name: query[name] for name in ("department_id", "project_id") if name in query}
        return self.priced(self.dated(rows.filter(**plain)))

    def dated(self, rows: Any) -> Any:
        """By the main date: the deal's own, else the day of its creation in the organization's zone."""
        zone = ZoneInfo(self.actor.organization.time_zone)
        if start := self.query.get("main_date_from"):
            instant = datetime.datetime.combine(start, datetime.time(), zone)
            rows = rows.filter(Q(date__gte=start) | Q(date=None, created_at__gte=instant))
        if end := self.query.get("main_date_to"):
            after = datetime.datetime.combine(end + datetime.timedelta(days=1), datetime.time(), zone)
            rows = rows.filter(Q(date__lte=end) | Q(date=None, created_at__lt=after))
        return rows

    def priced(self, rows: Any) -> Any:
        """By the gross amount as it is shown."""
        rows = rows.alias(gross=Coalesce("amount_gross", "amount"))
        if "total_amount_gross_from" in self.query:
            rows = rows.filter(gross__gte=self.query["total_amount_gross_from"])
        if "total_amount_gross_to" in self.query:
            rows = rows.filter(gross__lte=self.query["total_amount_gross_to"])
        return rows


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

    def one(self, row: str) -> Contact:
        contact: Contact = self.find("contact", row)
        if contact.kind != self.kind:
            raise NotFound
        return contact

    def completed(self, change: dict[str, Any], contact: Contact | None) -> dict[str, Any]:
        change = wire.with_references(wire.named(change, self.kind), contact, wire.app_code(self.actor))
        return {**change, "free_custom_fields": True}

    def shown(self, contact: Contact) -> Any:
        return self.show(wire.ShownContact, Contact.objects.for_reading().get(pk=contact.pk))


class ClientView(ContactView):
    wrapper = "client"
    kind = Contact.Kinds.COMPANY


class StatusView(IntumView):
    """The stages: the default pipeline's first, then the others' under their pipeline's name."""

    wrapper = "status"
    edit_permission = Permission.EDIT_PIPELINES

    @extend_schema(responses=wire.ShownStatus(many=True), summary="List statuses")
    def index(self, request: Request) -> Response:
        rows = self.stages().order_by("-pipeline__is_default", "pipeline_id", "position")
        return Response(self.show(wire.ShownStatus, list(rows), many=True))

    @extend_schema(request=wire.StatusBody, responses={201: wire.ShownStatus}, summary="Create a status")
    def create(self, request: Request) -> Response:
        change = self.kinded(self.read(wire.StatusWords, self.sent()))
        default = Pipeline.objects.of(self.actor.organization_id).default().first()
        stage = create_stage(actor=self.actor, change={**change, "pipeline": default and default.pk})
        return Response(self.shown(stage), self.create_status)

    @extend_schema(responses=wire.ShownStatus, summary="Show a status")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.shown(self.find("stage", row)))

    @extend_schema(request=wire.StatusBody, responses=wire.ShownStatus, summary="Change a status")
    def update(self, request: Request, row: str) -> Response:
        stage = self.find("stage", row)
        change = self.kinded(self.changed(wire.StatusWords, self.shown(stage)))
        return Response(self.shown(update_stage(actor=self.actor, stage=stage, change=change)))

    @extend_schema(responses=wire.ShownStatus, summary="Delete a status that no deal stands in")
    def destroy(self, request: Request, row: str) -> Response:
        stage = self.find("stage", row)
        shown = self.shown(stage)
        trash_stage(actor=self.actor, stage=stage)
        return Response(shown, self.delete_status)

    @extend_schema(request=None, responses=wire.ShownStatus, summary="Move a status up within its pipeline")
    def up(self, request: Request, row: str) -> Response:
        return self.moved(row, -1)

    @extend_schema(request=None, responses=wire.ShownStatus, summary="Move a status down within its pipeline")
    def down(self, request: Request, row: str) -> Response:
        return self.moved(row, 1)

    def moved(self, row: str, step: int) -> Response:
        stage = self.find("stage", row)
        position = max(0, stage.position + step)
        return Response(
            self.shown(update_stage(actor=self.actor, stage=stage, change={"position": position}))
        )

    def kinded(self, change: dict[str, Any]) -> dict[str, Any]:
        return {**change, "kind": wire.KINDS[change["kind"]]} if "kind" in change else change

    def stages(self) -> Any:
        return Stage.objects.visible_to(self.actor.member).select_related("pipeline")

    def shown(self, stage: Stage) -> Any:
        return self.show(wire.ShownStatus, self.stages().get(pk=stage.pk))
