"""What all of Gauzy's endpoints share: the tenant, the query formats, lists and pages."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.actors import Actor
from crm_project.api.fields import UUID
from crm_project.dialects.base import DialectView
from crm_project.dialects.gauzy import errors, wire

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
