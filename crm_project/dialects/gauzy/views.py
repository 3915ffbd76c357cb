"""Gauzy's endpoints."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import create_contacts, update_contacts
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.api.fields import UUID
from crm_project.dialects.base import DialectView
from crm_project.dialects.gauzy import errors, wire
from crm_project.dialects.logins import WrongPassword, login_token, signed_in
from deals.models import Deal
from deals.services import create_deals, restore_deals, trash_deals, update_deals
from pipelines.models import Pipeline
from pipelines.services import create_pipeline, restore_pipeline, trash_pipeline, update_pipeline

OURS = ("tenantId", "organizationId")
HEADERS = ("Tenant-Id", "Organization-Id")
PAGE, MAX_PAGE = 10, 100
AFFECTED = {"raw": [], "affected": 1}
Found = inline_serializer("Found", {"items": serializers.ListField(), "total": serializers.IntegerField()})


class GauzyView(DialectView):
    system = "gauzy"
    answer = staticmethod(errors.answer)
    error_schema = errors.SCHEMA
    update_status = 202
    delete_status = 202
    model: ClassVar[Any] = None
    kind: ClassVar[str] = ""
    # What `where` may name: the vendor's word → look-up, or the kind of row whose id it is.
    columns: ClassVar[Mapping[str, str]] = {}
    links: ClassVar[Mapping[str, tuple[str, str]]] = {}
    sortable: ClassVar[Mapping[str, str]] = {"createdAt": "created_at", "updatedAt": "updated_at"}
    default_order: ClassVar[tuple[str, ...]] = ("created_at", "id")
    known: ClassVar[frozenset[str]] = frozenset(
        {"where", "relations", "order", "take", "skip", "page", "limit", "search", *OURS}
    )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._check_tenant(request)

    def _read_query(self, request: Request) -> None:
        self.query = wire.parsed_query(request.query_params.dict())
        self.ignore(self.query.keys() - self.known - {"dry_run"})

    @property
    def relations(self) -> list[str]:
        asked = self.query.get("relations") or []
        return [asked] if isinstance(asked, str) else [name for name in asked if isinstance(name, str)]

    def _check_tenant(self, request: Request) -> None:
        """Tenant and organization are the token's, wherever the client names them."""
        if not isinstance(request.auth, Actor):
            return
        body = request.data if isinstance(request.data, Mapping) else {}
        where = self.query.get("where")
        places = [body, self.query, where if isinstance(where, Mapping) else {}]
        named = [place[name] for place in places for name in OURS if place.get(name)]
        named += [request.headers[name] for name in HEADERS if request.headers.get(name)]
        objects = [body.get(name) for name in ("tenant", "organization")]
        named += [value.get("id") for value in objects if isinstance(value, Mapping)]
        organization = self.actor.organization
        own = {str(organization.uuid), str(self.ids.shown(organization)).lower()}
        if any(str(value).lower() not in own for value in named):
            raise PermissionDenied

    def one(self, row: str, kind: str = "") -> Any:
        """The row that the path names; what is no uuid and no id of this system is told apart."""
        found = self.ids.resolve(kind or self.kind, row)
        if found is None and not UUID.fullmatch(row):
            raise errors.NoUuid
        if found is None:
            raise NotFound
        return found

    def trashed(self, row: str) -> Any:
        if not UUID.fullmatch(row):
            raise errors.NoUuid
        found = (
            self.model.objects.trash_visible_to(self.actor.member, timezone.now()).filter(uuid=row).first()
        )
        if found is None:
            raise NotFound
        return found

    def sent(self) -> dict[str, Any]:
        """The body without what was checked already."""
        body = self.request.data if isinstance(self.request.data, Mapping) else {}
        return {name: value for name, value in body.items() if name not in (*OURS, "tenant", "organization")}

    def changed(self, serializer_class: Any, shown: Mapping[str, Any]) -> dict[str, Any]:
        """The change that a body makes of a row."""
        return self.read(serializer_class, self.differing(self.sent(), shown), partial=True)

    def listed(self) -> Any:
        rows = self.model.objects.visible_to(self.actor.member)
        where = self.query.get("where") or {}
        if not isinstance(where, Mapping):
            raise ValidationError({"where": ["This is not an object."]})
        for name, value in where.items():
            rows = rows if name in OURS else self.narrowed(rows, name, value)
        return rows

    def narrowed(self, rows: Any, name: str, value: Any) -> Any:
        if name in self.links:
            kind, column = self.links[name]
            row = self.ids.resolve(kind, value)
            return rows.filter(**{column: row.pk}) if row else rows.none()
        if name not in self.columns or not isinstance(value, str) or "\x00" in value:
            raise ValidationError({f"where.{name}": ["There is no such filter."]})
        return rows.filter(**{self.columns[name]: value})

    def ordered(self, rows: Any) -> Any:
        order = self.query.get("order")
        names = []
        for name, direction in (order if isinstance(order, Mapping) else {}).items():
            if name not in self.sortable:
                raise ValidationError({f"order.{name}": ["There is no such order."]})
            names.append(("-" if str(direction).upper() == "DESC" else "") + self.sortable[name])
        return rows.order_by(*(names or self.default_order), "id")

    def number(self, name: str, default: int | None, *, least: int, most: int = 10**9) -> int | None:
        text = self.query.get(name)
        if text is None:
            return default
        if not (
            isinstance(text, str) and text.isascii() and text.isdigit() and least <= int(text[:10]) <= most
        ):
            raise ValidationError({name: [f"From {least} to {most}."]})
        return int(text)

    def index(self, request: Request) -> Response:
        """All rows, or `take` of them from the offset `skip`."""
        take = self.number("take", None, least=0)
        skip = self.number("skip", 0, least=0) or 0
        return self.found(slice(skip, None if take is None else skip + take))

    def pagination(self, request: Request) -> Response:
        """`take` rows of the page `skip`, which counts from 1."""
        take = self.number("take", PAGE, least=1, most=MAX_PAGE) or PAGE
        page = self.number("skip", 1, least=1) or 1
        return self.found(slice(take * (page - 1), take * page))

    def found(self, part: slice) -> Response:
        rows = self.listed()
        items = list(self.fetched(self.ordered(rows))[part])
        whole = part.start == 0 and part.stop is None
        return Response({"items": self.entities(items), "total": len(items) if whole else rows.count()})

    def count(self, request: Request) -> Response:
        return Response(self.listed().count())

    def fetched(self, rows: Any) -> Any:
        return rows

    def entities(self, rows: list[Any]) -> Any:
        return self.show(self.serializer(), rows, many=True)

    def entity(self, row: Any) -> Any:
        return self.show(self.serializer(), self.fetched(self.model.objects.filter(pk=row.pk)).get())

    def serializer(self) -> Any:
        raise NotImplementedError


class PipelineView(GauzyView):
    """Pipelines, their stages through them alone."""

    model, kind = Pipeline, "pipeline"
    edit_permission = Permission.EDIT_PIPELINES
    columns = {"name": "name__icontains", "description": "description__icontains"}
    sortable = {**GauzyView.sortable, "name": "name"}

    def serializer(self) -> Any:
        return wire.ShownPipelineWithStages if "stages" in self.relations else wire.ShownPipeline

    def fetched(self, rows: Any) -> Any:
        return rows.with_stages()

    @extend_schema(operation_id="pipelines_find_all", responses=Found, summary="Find all pipelines")
    def index(self, request: Request) -> Response:
        return super().index(request)

    @extend_schema(responses=Found, summary="List pipelines by pages")
    def pagination(self, request: Request) -> Response:
        return super().pagination(request)

    @extend_schema(responses=OpenApiTypes.INT, summary="Count pipelines")
    def count(self, request: Request) -> Response:
        return super().count(request)

    @extend_schema(responses=wire.ShownPipeline, summary="Get a pipeline")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.entity(self.one(row)))

    @extend_schema(
        request=wire.PipelineWords,
        responses={201: wire.ShownPipelineWithStages},
        summary="Create a pipeline with its stages",
        examples=[OpenApiExample("Create", wire.EXAMPLE_PIPELINE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        change = wire.pipeline_change(self.read(wire.PipelineWords, self.sent()))
        pipeline = create_pipeline(actor=self.actor, change=change)
        return Response(self.whole(pipeline), self.create_status)

    @extend_schema(
        request=wire.PipelineWords, responses={202: wire.ShownPipelineWithStages}, summary="Change a pipeline"
    )
    def update(self, request: Request, row: str) -> Response:
        pipeline = self.one(row)
        change = wire.pipeline_change(self.changed(wire.PipelineWords, self.whole(pipeline)))
        return Response(
            self.whole(update_pipeline(actor=self.actor, pipeline=pipeline, change=change)),
            self.update_status,
        )

    @extend_schema(responses={202: OpenApiTypes.OBJECT}, summary="Delete a pipeline that no deal stands in")
    def destroy(self, request: Request, row: str) -> Response:
        trash_pipeline(actor=self.actor, pipeline=self.one(row))
        return Response(AFFECTED, self.delete_status)

    @extend_schema(responses={202: wire.ShownPipeline}, summary="Move a pipeline to the trash")
    def soft(self, request: Request, row: str) -> Response:
        pipeline = self.one(row)
        trash_pipeline(actor=self.actor, pipeline=pipeline)
        return Response(self.entity(pipeline), self.delete_status)

    @extend_schema(
        request=None, responses={202: wire.ShownPipelineWithStages}, summary="Bring a pipeline back"
    )
    def recover(self, request: Request, row: str) -> Response:
        return Response(
            self.whole(restore_pipeline(actor=self.actor, pipeline=self.trashed(row))), self.update_status
        )

    def whole(self, pipeline: Pipeline) -> Any:
        return self.show(wire.ShownPipelineWithStages, Pipeline.objects.with_stages().get(pk=pipeline.pk))


class DealView(GauzyView):
    """Deals, in Gauzy's few words."""

    model, kind = Deal, "deal"
    columns = {"title": "name__icontains"}
    links = {
        "stageId": ("stage", "stage"),
        "clientId": ("contact", "client"),
        "createdByUserId": ("user", "created_by"),
    }
    sortable = {**GauzyView.sortable, "title": "name"}

    def serializer(self) -> Any:
        return wire.ShownDealWithRelations if self.relations else wire.ShownDeal

    def fetched(self, rows: Any) -> Any:
        return rows.select_related(
            "stage__pipeline", "client", "contact", "created_by__user", "created_by__organization"
        )

    def entities(self, rows: list[Any]) -> Any:
        self.ids.remember(deal.client or deal.contact for deal in rows)
        return super().entities(rows)

    @extend_schema(operation_id="deals_find_all", responses=Found, summary="List deals")
    def index(self, request: Request) -> Response:
        return super().index(request)

    @extend_schema(responses=Found, summary="List deals by pages")
    def pagination(self, request: Request) -> Response:
        return super().pagination(request)

    @extend_schema(responses=OpenApiTypes.INT, summary="Count deals")
    def count(self, request: Request) -> Response:
        return super().count(request)

    @extend_schema(responses=wire.ShownDeal, summary="Get a deal")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.entity(self.one(row)))

    @extend_schema(
        request=wire.DealWords,
        responses={201: wire.ShownDeal},
        summary="Create a deal",
        examples=[OpenApiExample("Create", wire.EXAMPLE_DEAL, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        change = self.read(wire.DealWords, self.sent())
        return Response(self.entity(create_deals(actor=self.actor, changes=[change])[0]), self.create_status)

    @extend_schema(request=wire.DealWords, responses={202: OpenApiTypes.OBJECT}, summary="Change a deal")
    def update(self, request: Request, row: str) -> Response:
        deal = self.one(row)
        update_deals(actor=self.actor, changes=[(deal, self.changed(wire.DealWords, self.entity(deal)))])
        return Response({"generatedMaps": [], **AFFECTED}, self.update_status)

    @extend_schema(responses={202: OpenApiTypes.OBJECT}, summary="Delete a deal")
    def destroy(self, request: Request, row: str) -> Response:
        trash_deals(actor=self.actor, deals=[self.one(row)])
        return Response(AFFECTED, self.delete_status)

    @extend_schema(responses={202: wire.ShownDeal}, summary="Move a deal to the trash")
    def soft(self, request: Request, row: str) -> Response:
        deal = self.one(row)
        trash_deals(actor=self.actor, deals=[deal])
        return Response(self.entity(deal), self.delete_status)

    @extend_schema(request=None, responses={202: wire.ShownDeal}, summary="Bring a deal back")
    def recover(self, request: Request, row: str) -> Response:
        restored = restore_deals(actor=self.actor, deals=[self.trashed(row)])[0]
        return Response(self.entity(restored), self.update_status)


class PipelineDealView(DealView):
    """The deals of one pipeline, stage by stage."""

    default_order = ("stage__position",)

    @extend_schema(responses=Found, summary="Get the deals of a pipeline")
    def index(self, request: Request, row: str) -> Response:  # type: ignore[override]
        self.pipeline = self.one(row, "pipeline")
        return super().index(request)

    def listed(self) -> Any:
        return super().listed().filter(stage__pipeline=self.pipeline)


class ContactView(GauzyView):
    """Organization contacts: what a deal's `clientId` names."""

    model, kind = Contact, "contact"
    columns = {"name": "full_name__icontains", "primaryEmail": "email__iexact"}
    sortable = {**GauzyView.sortable, "name": "full_name"}

    def serializer(self) -> Any:
        return wire.ShownContact

    @extend_schema(operation_id="contacts_find_all", responses=Found, summary="List contacts")
    def index(self, request: Request) -> Response:
        return super().index(request)

    @extend_schema(responses=Found, summary="List contacts by pages")
    def pagination(self, request: Request) -> Response:
        return super().pagination(request)

    @extend_schema(responses=OpenApiTypes.INT, summary="Count contacts")
    def count(self, request: Request) -> Response:
        return super().count(request)

    @extend_schema(responses=wire.ShownContact, summary="Get a contact")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.entity(self.one(row)))

    @extend_schema(request=wire.ContactWords, responses={201: wire.ShownContact}, summary="Create a company")
    def create(self, request: Request) -> Response:
        change = self.worded(self.read(wire.ContactWords, self.sent()))
        contact = create_contacts(actor=self.actor, changes=[{**change, "kind": Contact.Kinds.COMPANY}])[0]
        return Response(self.entity(contact), self.create_status)

    @extend_schema(request=wire.ContactWords, responses={202: wire.ShownContact}, summary="Change a contact")
    def update(self, request: Request, row: str) -> Response:
        contact = self.one(row)
        change = self.worded(self.changed(wire.ContactWords, self.entity(contact)))
        return Response(
            self.entity(update_contacts(actor=self.actor, changes=[(contact, change)])[0].row),
            self.update_status,
        )

    def worded(self, change: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in change.items() if name != "contactType"}


class PasswordAuthentication(BaseAuthentication):
    """E-mail address and password of the body. Here and not in the action: a failure must not be rolled back."""

    def authenticate(self, request: Request) -> tuple[Any, Actor] | None:
        body = request.data if isinstance(request.data, Mapping) else {}
        email, password = body.get("email"), body.get("password")
        if not isinstance(email, str) or not isinstance(password, str):
            raise WrongPassword
        member = signed_in(request._request, email, password)
        return member.user, Actor(member)


class LoginView(GauzyView):
    authentication_classes = [PasswordAuthentication]
    permission_classes: Any = []
    secret_actions = frozenset({"login"})

    @extend_schema(
        auth=[],
        request=inline_serializer(
            "Login", {"email": serializers.EmailField(), "password": serializers.CharField()}
        ),
        responses={201: OpenApiTypes.OBJECT},
        summary="Get a token of twelve hours",
    )
    def login(self, request: Request) -> Response:
        secret = login_token(self.actor.member, "Gauzy login")[1]
        user = self.show(wire.ShownUser, self.actor.member)
        return Response({"token": secret, "refresh_token": None, "user": user}, self.create_status)


class UserView(GauzyView):
    @extend_schema(responses=wire.ShownUser, summary="Who the token belongs to")
    def me(self, request: Request) -> Response:
        return Response(self.show(wire.ShownUser, self.actor.member))
