"""The base view of all dialects; what differs between vendors is a class attribute."""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar
from urllib.parse import quote

from django.http import HttpRequest
from django.urls import path
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.api import idempotency
from crm_project.api.authentication import BearerAuthentication
from crm_project.api.dispatch import DispatchView
from crm_project.api.errors import problem_of
from crm_project.api.idempotency import KeyReused
from crm_project.api.negotiation import TokenGetsJson
from crm_project.api.parsers import StrictJSONParser
from crm_project.api.permissions import IsMember
from crm_project.dialects.kit.renderers import ExactJSONRenderer
from crm_project.dialects.kit.representing import Representing
from crm_project.dialects.kit.schema import DialectSchema
from crm_project.dialects.kit.serializers import DialectSerializer, Empty

log = logging.getLogger(__name__)

IGNORED_HEADER = "X-Ignored-Fields"
# Limits the header to a few kilobytes, which all proxies accept; the log has the same names.
IGNORED_LIMIT = 40
NAME_LIMIT = 60


def _quoted(name: str) -> str:
    """The name percent-encoded for a header; a lone surrogate becomes a question mark."""
    return quote(name, safe="[]. ", errors="replace")


class FirstRenderer(TokenGetsJson):
    """Ignores the Accept header: the vendors' clients send arbitrary ones."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class DialectView(Representing, DispatchView):
    """`urls.py` maps methods to the actions of a view; the vendor's base view sets the system and the error format.

    An action validates the body with `self.read(Serializer)`, calls services of the core, and returns
    `self.serialize(Serializer, row)`. Unsafe methods run in one transaction.
    """

    system: ClassVar[str]
    answer: ClassVar[Any]
    """`staticmethod(errors.answer)`: takes a Problem and the request, answers in the vendor's shape."""

    error_schema: ClassVar[Mapping[str, Any]] = {"type": "object"}
    more_refusals: ClassVar[frozenset[int]] = frozenset()
    """The statuses of refusals that the vendor has and our own API has not, for the OpenAPI document."""

    edit_permission: ClassVar[Permission] = Permission.EDIT_DEALS
    authentication_classes: Any = [BearerAuthentication]
    permission_classes: Any = [IsMember]
    parser_classes: Any = [StrictJSONParser]
    renderer_classes: Any = [ExactJSONRenderer]
    content_negotiation_class: Any = FirstRenderer
    filter_backends: Any = []
    pagination_class: Any = None
    metadata_class: Any = None
    schema = DialectSchema()
    create_status: ClassVar[int] = 201
    update_status: ClassVar[int] = 200
    delete_status: ClassVar[int] = 200
    empty_values: ClassVar[Empty] = Empty.NULL
    """The meaning of null and of an empty string in a body."""

    queries: ClassVar[Mapping[str, type[DialectSerializer]]] = {}
    """Maps actions to the serializers of their query parameters; the validated ones are in `self.query`."""

    # Maps the core's field names to the names in the body of this request, for error messages.
    wire_names: Any = {}
    # The names in the body, as it was read last.
    sent_names: Any = frozenset()

    @property
    def allowed_methods(self) -> list[str]:
        """Without OPTIONS, which Django adds and no dialect supports."""
        return [method for method in super().allowed_methods if method != "OPTIONS"]

    @cached_property
    def ignored(self) -> dict[str, None]:
        """The ignored names, in order."""
        return {}

    def ignore(self, names: Iterable[str]) -> None:
        """Report undocumented names of parameters and fields to the client, in a header."""
        self.ignored.update(dict.fromkeys(sorted(names)))

    def query_data(self, request: Request) -> Mapping[str, Any]:
        """The query parameters; of a repeated parameter the last value counts."""
        return request.query_params.dict()

    def read(
        self, serializer_class: type[DialectSerializer], data: Any = None, *, partial: bool = False
    ) -> dict[str, Any]:
        """Validate the body, or `data` out of it, and return the core's change."""
        sent = self.request.data if data is None else data
        self.wire_names = serializer_class.wire_names(sent)
        self.sent_names = set(sent) if isinstance(sent, Mapping) else set()
        context = {**self.get_serializer_context(), "body": True}
        serializer = serializer_class(data=sent, partial=partial, context=context)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def changed_fields(self, sent: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
        """The sent fields whose values differ from the current ones: clients send whole rows back."""
        return {name: value for name, value in sent.items() if name not in current or value != current[name]}

    def serialize(self, serializer_class: Any, rows: Any, *, many: bool = False) -> Any:
        """The vendor's representation of a row or of rows; their ids are looked up with one query for each kind."""
        if many:
            rows = list(rows)
            self.budget.spend(rows=len(rows))
        serializer = serializer_class(context=self.get_serializer_context())
        self.prefetch_ids(serializer, rows if many else [rows])
        data = serializer_class(rows, many=many, context=self.get_serializer_context()).data
        if many:
            self.budget.check_texts(item for item in data if isinstance(item, Mapping))
        return data

    def find(self, kind: str, value: Any) -> Any:
        """The row of the id in the path, else 404."""
        row = self.ids.resolve(kind, value)
        if row is None:
            raise NotFound
        return row

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "\x00" in request.path_info:
            raise NotFound  # PostgreSQL refuses a NUL in a query
        self._read_query(request)

    def _read_query(self, request: Request) -> None:
        """Validate the query; unknown parameters are ignored and reported. All actions accept `dry_run`."""
        sent, known = self.query_data(request), self.queries.get(self.action or "")
        self.query: dict[str, Any] = {}
        if known is None:
            self.ignore(sent.keys() - {"dry_run"})
            return
        data = {name: value for name, value in sent.items() if name != "dry_run"}
        serializer = known(data=data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        self.query = dict(serializer.validated_data)

    def key_reused(self) -> Exception:
        """An error of a field: the vendors' clients handle no other refusal of a request."""
        wrong = ErrorDetail(KeyReused.default_detail, KeyReused.default_code)
        return ValidationError({idempotency.HEADER: [wrong]})

    def get_exception_handler(self) -> Callable[..., Response]:
        return self._refuse

    def _refuse(self, error: Exception, context: Mapping[str, Any]) -> Response:
        problem = problem_of(error, wire_names=self.wire_names)
        if problem.status >= 500 and problem.status != 503:
            log.exception("unhandled error")
        response: Response = type(self).answer(problem, self.request)
        for name, value in (problem.headers or {}).items():
            response[name] = value
        return response

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.ignored:
            names = [_quoted(name[:NAME_LIMIT]) for name in islice(self.ignored, IGNORED_LIMIT)]
            response[IGNORED_HEADER] = ", ".join(names)
        return response

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(request, *args, **kwargs)
        if self.ignored:
            log.info("ignored fields: %s", response[IGNORED_HEADER])
        return response


class _Nowhere:
    """404 in the vendor's format for all other paths and methods, with or without a token."""

    authentication_classes: Any = []
    permission_classes: Any = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound("There is no such resource.")

    def nothing(self, request: Request, **_: Any) -> Response:
        raise NotFound


def catch_all(view: type[DialectView]) -> list[Any]:
    """The last patterns of a vendor's URL configuration: 404 in the format of the vendor's base view."""
    unknown_view: Any = type(f"Unknown{view.__name__}", (_Nowhere, view), {})
    unknown = unknown_view.as_view({"get": "nothing"})
    return [path("", unknown), path("<rest:rest>", unknown)]
