"""The base view of ONLYOFFICE's endpoints: authentication, parameters, envelope."""

import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import Count, F, Min
from django.db.models.expressions import OrderBy
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import force_instance
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import AuthenticationFailed, ParseError, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.accounts.services import authenticate_token
from crm_project.activities.models import Activity
from crm_project.api.authentication import BearerAuthentication, require_own_site
from crm_project.api.parsers import StrictJSONParser
from crm_project.dialects.kit.logins import sign_in
from crm_project.dialects.kit.offset_pages import keys_between, rows_of
from crm_project.dialects.kit.schema import DialectSchema
from crm_project.dialects.kit.serializers import DialectSerializer, Empty
from crm_project.dialects.kit.views import DialectView
from crm_project.dialects.onlyoffice import errors
from crm_project.dialects.onlyoffice.serializers.envelope import PAGE, documented, of_list, of_one
from crm_project.dialects.onlyoffice.serializers.forms import (
    OnlyofficeFormParser,
    OnlyofficeMultipartParser,
    structured,
)
from crm_project.dialects.onlyoffice.serializers.params import (
    WHOLE,
    OnlyofficeNoParameters,
    OnlyofficeParameters,
)
from crm_project.dialects.onlyoffice.serializers.values import OnlyofficeRead
from crm_project.dialects.onlyoffice.serializers.xml import XmlRenderer
from crm_project.errors import Invalid

COOKIE = "asc_auth_key"
# The columns of the sort orders that may be null.
NULLABLE = frozenset(
    "amount expected_close_date owner__user__full_name contact__full_name contact__owner__user__full_name".split()
)
AT_ONCE = 1000
# Our `dry_run`, and the cache busters of the vendor's own pages.
IGNORED_PARAMETERS = frozenset({"dry_run", "__", "_"})


class OnlyofficeAuthentication(BearerAuthentication):
    """A token, bare or after `Bearer` or in a cookie; or an e-mail address and a password after `Basic`."""

    def authenticate(self, request: Request) -> Any:
        header = request.META.get("HTTP_AUTHORIZATION", "").strip()
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "basic":
            actor: Actor | None = Actor(sign_in(request._request, *_credentials(rest)))
        else:
            secret = rest.strip() if scheme.lower() == "bearer" else header
            if not header and (secret := request.COOKIES.get(COOKIE, "")):
                require_own_site(request)
            if not secret:
                return None
            actor = authenticate_token(secret)
        if actor is None:
            raise AuthenticationFailed
        return actor.member.user, actor


def _credentials(text: str) -> tuple[str, str]:
    try:
        email, _, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise AuthenticationFailed from None
    return email, password


class OnlyofficeAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = OnlyofficeAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization"}


class OnlyofficeSchema(DialectSchema):
    """Derives operation ids from path and method, since both `opportunity` and `opportunity/{id}` have a PUT."""

    def get_operation_id(self) -> str:
        return "_".join([self.method.lower(), *re.findall(r"\w+", self.path.partition("/api/")[2])])

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        """Null values are left out, and the parameter `fields` leaves out others: no member is required."""
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(force_instance(serializer), OnlyofficeRead):  # type: ignore[no-untyped-call]
            schema.pop("required", None)
        return schema

    def problem_content(self, status: int) -> dict[str, Any]:
        """Plain text for a request without a valid token; the envelope for a wrong password."""
        content = super().problem_content(status)
        return {"text/plain": {"schema": {"type": "string"}}, **content} if status == 401 else content


class OnlyofficeView(DialectView):
    system = "onlyoffice"
    answer = staticmethod(errors.answer)
    error_schema = errors.SCHEMA
    schema = OnlyofficeSchema()
    empty_values = Empty.ABSENT
    authentication_classes: Any = (OnlyofficeAuthentication,)
    parser_classes = (StrictJSONParser, OnlyofficeFormParser, OnlyofficeMultipartParser)
    queries: ClassVar[Mapping[str, type[OnlyofficeParameters]]] = {}
    # Whether the path ends in `.xml`.
    in_xml: ClassVar[bool] = False

    def get_renderers(self) -> list[Any]:
        """XML on paths that end in `.xml`, unless the body is JSON."""
        sends_json = (self.request.content_type or "").startswith("application/json")
        return [XmlRenderer()] if self.in_xml and not sends_json else super().get_renderers()

    @cached_property
    def may_edit(self) -> bool:
        return self.actor.may(Permission.EDIT_DEALS)

    @cached_property
    def sent(self) -> Any:
        """Query and body as one set of parameters; the body wins."""
        pairs = [(name, value) for name, values in self.request.query_params.lists() for value in values]
        query = {name: value for name, value in structured(pairs).items() if name not in IGNORED_PARAMETERS}
        if self.request.method in SAFE_METHODS:
            return query
        body = self.request.data
        return {**query, **body} if isinstance(body, Mapping) else body

    def read(
        self, serializer_class: type[DialectSerializer], data: Any = None, *, partial: bool = False
    ) -> dict[str, Any]:
        named = serializer_class.renamed(self.sent if data is None else data)  # type: ignore[attr-defined]
        return super().read(serializer_class, named, partial=partial)

    def _read_query(self, request: Request) -> None:
        """Validate the query of a read; a write validates it together with its body."""
        reads = request.method in SAFE_METHODS
        self.query = self.read(self.queries.get(self.action or "", OnlyofficeNoParameters)) if reads else {}

    def find(self, kind: str, value: Any) -> Any:
        if WHOLE.fullmatch(value) and int(value) <= 0:
            raise ParseError("Value does not fall within the expected range.")
        return super().find(kind, value)

    def read_bulk_filter(
        self, serializer: type[OnlyofficeParameters], matching: Callable[[Mapping[str, Any]], Any]
    ) -> tuple[dict[str, Any], list[int]]:
        """The parameters of a bulk write and the keys of its rows. A missing or an unknown filter is refused."""
        sent = self.read(serializer)
        if self.ignored:
            raise ValidationError({name: ["There is no such filter."] for name in self.ignored})
        if not any(sent.get(name) is not None for name in serializer.narrowing):  # type: ignore[attr-defined]
            raise ValidationError("Send at least one filter.")
        ids = list(matching(sent).order_by("id").values_list("pk", flat=True)[: AT_ONCE + 1])
        if len(ids) > AT_ONCE:
            raise Invalid("This matches more than %(limit)s rows. Narrow the filter.", {"limit": AT_ONCE})
        return sent, ids

    def one(self, data: Any, status: int = 200) -> Response:
        return Response(of_one(data, status), status)

    def many(self, items: Any, *, status: int = 200, **paging: Any) -> Response:
        return Response(of_list(items, status=status, **paging), status)

    def serialize(self, serializer_class: Any, rows: Any, *, many: bool = False) -> Any:
        rows = list(rows) if many else rows
        if getattr(serializer_class, "counts_tasks", False):
            self.count_tasks(rows if many else [rows])
        return super().serialize(serializer_class, rows, many=many)

    @cached_property
    def open_tasks(self) -> dict[int, tuple[int, bool]]:
        """By contact, the number of its open tasks, and whether one is late."""
        return defaultdict(lambda: (0, False))

    def count_tasks(self, contacts: Iterable[Any]) -> None:
        """Count the open tasks of these contacts, with one query."""
        rows = Activity.objects.visible_to(self.actor.member).open()
        rows = rows.filter(contact__in=[contact.pk for contact in contacts]).order_by()
        now = timezone.now()
        for key, count, first in rows.values_list("contact").annotate(Count("pk"), Min("deadline")):
            self.open_tasks[key] = (count, first is not None and first < now)

    def page(self, rows: Any) -> tuple[list[Any], dict[str, Any]]:
        """The requested rows, and the paging of the envelope. Rows are counted only if the page is full."""
        asked = self.query.get("count") or PAGE
        count, start = min(PAGE, max(1, asked)), max(0, self.query.get("startIndex") or 0)
        keys = keys_between(rows, start, start + count)
        last = len(keys) < count and (keys or not start)
        total = start + len(keys) if last else rows.count()
        return rows_of(rows, keys), {"start": start, "total": total, "fields": self.query.get("fields_")}

    def ordering(self, sorts: Mapping[str, Any], default: str) -> list[str | OrderBy]:
        """The columns to sort by; an unknown `sortBy` is ignored and reported."""
        name = (self.query.get("sortBy") or default).lower()
        if name not in sorts:
            self.ignore([f"sortBy={name}"])
            name = default
        descending = (self.query.get("sortOrder") or "").lower().startswith("desc")
        columns = sorts[name] if isinstance(sorts[name], tuple) else (sorts[name],)
        ordered = [*columns, "id"]
        return [sort_key(column, descending=descending) for column in ordered]


def described(
    summary: str,
    part: Any,
    *,
    request: Any = None,
    many: bool = False,
    status: int = 200,
    example: Any = None,
) -> Any:
    """Decorator of an action: its OpenAPI operation, whose answer is the envelope of `part` or of a list of it."""
    examples = [OpenApiExample("Request", example, request_only=True)] if example else None
    responses = {status: documented(part, many)}
    return extend_schema(summary=summary, request=request, responses=responses, examples=examples)


def sort_key(column: str, *, descending: bool) -> str | OrderBy:
    """Rows without a value come last in both directions, as in the canonical API."""
    if column in NULLABLE:
        return F(column).desc(nulls_last=True) if descending else F(column).asc(nulls_last=True)
    if not descending:
        return column
    return column[1:] if column.startswith("-") else f"-{column}"
