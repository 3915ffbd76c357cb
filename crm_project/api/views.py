"""The base of every view: scoped to the actor, strict in what it takes, each write one transaction."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, cast

from django.db.models.functions import Left
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, MethodNotAllowed, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.api.bulk import Bulk, bulk_schemas
from crm_project.api.dispatch import WRITE_PARAMETERS, DispatchView, writes
from crm_project.api.errors import InvalidQuery, Refused, field_of, joined, problem_of
from crm_project.api.fields import UUID as UUID_PATTERN
from crm_project.api.filters import CUSTOM_PREFIX, StrictFilterBackend, custom_definitions
from crm_project.api.negotiation import TokenGetsJson
from crm_project.api.pagination import KeysetPagination
from crm_project.api.serializers import StrictSerializer, changed_names
from crm_project.changes import attempt
from crm_project.errors import DomainError, Invalid, NotFound
from crm_project.records.bulk import Operation
from crm_project.records.expressions import CustomValue
from crm_project.records.models import CustomField
from crm_project.records.paging import Key
from crm_project.records.writing.receipts import Receipt
from crm_project.versions import Versions

# Known to every operation, so that a client can send them along everywhere.
COMMON_PARAMETERS = frozenset({"cursor", "page_size", "total", "format", "deleted"})
# Texts of several lines are sorted by so many of their first characters.
SORTED_BY = 255


class ScopedView(DispatchView):
    """A view of one organization's data. Without `get_queryset` of its own it shows nothing."""

    edit_permission: ClassVar[Permission] = Permission.EDIT_DEALS
    renderer_classes: Any = [JSONRenderer, BrowsableAPIRenderer]
    content_negotiation_class = TokenGetsJson
    filter_backends: Any = [StrictFilterBackend]
    pagination_class: Any = KeysetPagination
    filterset_class: Any = None
    filtered_actions: ClassVar[frozenset[str]] = frozenset({"list"})
    # Query parameters of single actions, beside those of the filters and the pages: action → name → OpenAPI schema.
    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    orderings: ClassVar[Mapping[str, Key]] = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
    }
    default_ordering: ClassVar[str] = "-created_at"

    @property
    def wire_names(self) -> dict[str, str]:
        serializer = self.get_serializer_class()
        return serializer.wire_names() if hasattr(serializer, "wire_names") else {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._handler(request)  # 405 before anything about the rest of the request
        if "\x00" in request.path_info:
            raise NotFound  # no text of ours holds a NUL, and PostgreSQL would not even look
        self._check_parameters(request)

    def known_parameters(self) -> set[str]:
        """The names that the operation's OpenAPI entry lists."""
        sources = [
            *(self.filter_backends if self.filters else ()),
            *([self.pagination_class] if self.pages else ()),
        ]
        listed = {
            entry["name"] for source in sources for entry in source().get_schema_operation_parameters(self)
        }
        always = WRITE_PARAMETERS if writes(self.request) else frozenset()
        return listed | always | self.action_parameters.get(self.action or "", {}).keys()

    @property
    def filters(self) -> bool:
        """Whether the action takes the resource's filters."""
        return self.action in self.filtered_actions

    @property
    def pages(self) -> bool:
        return self.action == "list"

    def orderings_for(self, request: Request) -> Mapping[str, Key]:
        """What this list can be sorted by, its organization's custom fields included."""
        kind = getattr(self.filterset_class, "custom_kind", "")
        if not kind or CUSTOM_PREFIX not in request.query_params.get("ordering", ""):
            return self.orderings
        keys = {
            f"{CUSTOM_PREFIX}{key}": Key(_sortable(row), nullable=True)
            for key, row in custom_definitions(self.actor, kind).items()
            if row.type != "multiselect"
        }
        return {**self.orderings, **keys}

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, InvalidQuery):
            exc = self._with_others(exc)
        return super().handle_exception(exc)

    def _with_others(self, error: InvalidQuery) -> InvalidQuery:
        """Parameters are looked at where they are needed: once one is refused, the others are asked for too."""
        wrong: dict[str, Any] = {}
        for look in (self.look_at_own, self._look_at_page, self._look_at_filters, self._check_parameters):
            try:
                look(self.request)
            except InvalidQuery as other:
                wrong |= cast(dict[str, Any], other.detail)
            except NotFound:
                pass
        return InvalidQuery({**wrong, **cast(dict[str, Any], error.detail)})

    def look_at_own(self, request: Request) -> None:
        """Refuse what single actions read themselves; a view that has such parameters says how."""

    def _look_at_page(self, request: Request) -> None:
        if self.pages:
            self.pagination_class().parameters(request, self)

    def _look_at_filters(self, request: Request) -> None:
        if self.filters:
            self.filter_queryset(self.get_queryset())

    def _check_parameters(self, request: Request) -> None:
        known = self.known_parameters()
        custom = getattr(self.filterset_class, "custom_kind", "") and self.filters
        errors = {}
        for name, values in request.query_params.lists():
            if name not in known | COMMON_PARAMETERS and not (custom and name.startswith(CUSTOM_PREFIX)):
                errors[name] = [_unknown(known)]
            elif len(values) > 1:
                errors[name] = ["Once is enough."]
            elif not values[0]:
                # Left out by mistake rather than meant: taken for nothing, it would widen the list.
                errors[name] = ["A value is missing."]
            elif "\x00" in values[0]:
                errors[name] = ["A text without NUL."]
        if request.query_params.get("deleted", "only") != "only":
            errors["deleted"] = ["only"]
        if request.query_params.get("format", "json") not in ("json", "api"):
            errors["format"] = ["json or api."]
        if errors:
            raise InvalidQuery(errors)

    def expect_no_body(self, request: Request) -> None:
        """The path says it all; a field that nobody would read is refused like everywhere."""
        StrictSerializer(data=request.data or {}).is_valid(raise_exception=True)

    def get_object(self) -> Any:
        """The row that the path names, among those the actor may see; filters have no say here."""
        lookup = {self.lookup_field: self.kwargs[self.lookup_field]}
        row = self.get_queryset().filter(**lookup).first()
        if row is None:
            raise NotFound
        return row


def _sortable(definition: CustomField) -> Any:
    """What a cursor can hold: a link with all of a long text in it would be longer than a request line may be."""
    value = CustomValue(definition.key, definition.type)
    return Left(value, SORTED_BY) if definition.type == CustomField.Types.TEXTAREA else value


def _unknown(known: set[str]) -> Any:
    return ErrorDetail(
        f"There is no such parameter. Known: {', '.join(sorted(known | COMMON_PARAMETERS))}.",
        "unknown_parameter",
    )


class RowViewSet(ScopedView):
    """List, create, retrieve, change and trash one kind of row. A view names its model and the services it calls."""

    model: Any
    lookup_field = "uuid"
    lookup_value_converter = "any_uuid"
    conditional_actions = frozenset({"partial_update", "destroy", "restore", "upsert", "followers"})

    def get_queryset(self) -> Any:
        if self.request.query_params.get("deleted") == "only" and self.request.method in SAFE_METHODS:
            return self.trash()
        return self.model.objects.visible_to(self.actor.member)

    def trash(self) -> Any:
        return self.model.objects.trash_visible_to(self.actor.member, timezone.now())

    def get_trashed(self) -> Any:
        """The row that the path names, if it can still be restored."""
        row = self.trash().filter(**{self.lookup_field: self.kwargs[self.lookup_field]}).first()
        if row is None:
            raise NotFound
        return row

    def for_reading(self, rows: Any) -> Any:
        """Fetch with the rows what their serializer shows."""
        return rows

    def list(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(self.for_reading(self.filter_queryset(self.get_queryset())))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, **_: Any) -> Response:
        return Response(self.shown(self.get_object()))

    def create(self, request: Request) -> Response:
        row = self.perform_create(self.validated(request, trying=self.perform_create))
        return Response(self.shown(row), status=201, headers={"Location": self.location(row)})

    def partial_update(self, request: Request, **_: Any) -> Response:
        row = self.get_object()
        change = self.validated(request, row, trying=partial(self.perform_update, row))
        return Response(self.shown(self.perform_update(row, change)))

    def destroy(self, request: Request, **_: Any) -> Response:
        self.expect_no_body(request)
        self.perform_destroy(self.get_object())
        return Response(status=204)

    def validated(
        self, request: Request, row: Any = None, *, trying: Callable[[dict[str, Any]], Any] | None = None
    ) -> dict[str, Any]:
        """The body as the core's change; `row` is what it changes, if anything.

        What the body itself gets wrong is refused together with what the core says of the rest, which is tried for
        that: one answer names every wrong field.
        """
        # All that is shown of it is read only if the body says something that cannot be changed.
        instance = SimpleLazyObject(partial(self.reread, row)) if row is not None else None
        serializer = self.get_serializer(instance, data=request.data, partial=row is not None)
        if not serializer.is_valid():
            raise self._refusal(serializer, trying)
        return self.conditional(serializer.validated_data)

    def _refusal(self, serializer: Any, trying: Callable[[dict[str, Any]], Any] | None) -> Exception:
        error = ValidationError(serializer.errors)
        problem = problem_of(error, wire_names={})
        wrong = {field_of(entry) for entry in problem.errors}
        if trying is None or "" in wrong:
            return error
        rest = {name: value for name, value in serializer.initial_data.items() if name not in wrong}
        again = self.get_serializer(serializer.instance, data=rest, partial=True)
        try:
            if again.is_valid():
                with attempt():
                    trying(again.validated_data)
        except Invalid as refusal:
            return Refused(joined(problem, problem_of(refusal, wire_names=self.wire_names)))
        except DomainError:
            pass
        return error

    def conditional(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """The change with the version that it was made for, which the service compares under the row's lock."""
        return dict(change) if self.if_match is None else {**change, "if_match": self.if_match}

    def expected(self, row: Any) -> dict[int, Versions]:
        """The same for a service that takes rows and no change."""
        return {} if self.if_match is None else {row.pk: self.if_match}

    def shown(self, row: Any) -> Any:
        """The row as GET answers it; its version becomes part of the answer's ETag."""
        reread = self.reread(row)
        self.shown_version = reread.version
        return self.get_serializer(reread).data

    def reread(self, row: Any) -> Any:
        """The row with all that is shown of it, as the database has it now."""
        return self.for_reading(self.model.objects.filter(pk=row.pk)).get()

    def location(self, row: Any) -> str:
        return self.reverse_action("detail", kwargs={self.lookup_field: getattr(row, self.lookup_field)})

    def perform_create(self, change: dict[str, Any]) -> Any:
        raise MethodNotAllowed("POST")

    def perform_update(self, row: Any, change: dict[str, Any]) -> Any:
        raise MethodNotAllowed("PATCH")

    def perform_destroy(self, row: Any) -> None:
        raise MethodNotAllowed("DELETE")


class RestoreMixin:
    """Rows that nothing need be said about when they come back from the trash."""

    @extend_schema(request=None, summary="Bring back from the trash")
    @action(detail=True, methods=["post"])
    def restore(self: Any, request: Request, **_: Any) -> Response:
        """As it was, with its external references; 409 `restore_conflict` if a live row has its place by now."""
        row = self.get_trashed()
        self.expect_no_body(request)
        return Response(self.shown(self.perform_restore(row)))


class KeyedViewSet(RowViewSet):
    """A kind of row that integrations name by keys of their own: upsert, lists of writes, look-up by reference."""

    serializer_class: Any
    upsert_serializer_class: Any
    # How a list's answer calls a row.
    row_name: ClassVar[str]

    @extend_schema(summary="Create or update by one key")
    @action(detail=False, methods=["post"])
    def upsert(self, request: Request) -> Response:
        """`match_on` names the key, else the first one in the body."""
        serializer = self.upsert_serializer_class(
            self._named(request.data), data=request.data, context=self.get_serializer_context()
        )
        serializer.is_valid(raise_exception=True)
        change = self.conditional(serializer.validated_data)
        receipt = self.carry_out([Operation("upsert", change=change)])[0]
        created = receipt.outcome == "created"
        headers = {"Location": self.location(receipt.row)} if created else {}
        return Response(self.receipt(receipt), status=201 if created else 200, headers=headers)

    def receipt(self, receipt: Receipt[Any]) -> dict[str, Any]:
        """The row as GET shows it, with GET's ETag, and what became of it in the wire's words."""
        shown = self.shown(receipt.row)
        self.shown_body = JSONRenderer().render(shown)
        return {
            **shown,
            "outcome": receipt.outcome,
            "new": receipt.outcome == "created",
            "matched_on": receipt.matched_on,
            "changed": changed_names(receipt.changed, self.serializer_class.wire_names()),
        }

    @extend_schema(summary="Many writes in one request")
    @action(detail=False, methods=["post"])
    def bulk(self, request: Request) -> Response:
        """Up to 1,000 operations, each treated as a single write; all of them or none, unless `atomic` is false."""
        return Response(Bulk(self).answer(request.data))

    def carry_out(self, operations: Sequence[Operation]) -> Sequence[Receipt[Any]]:
        """All of them, or none."""
        raise MethodNotAllowed("POST")

    @extend_schema(summary="Find by an external reference")
    @action(detail=False, url_path="external/<str:system>/<path:external_id>")
    def external(self, request: Request, system: str, external_id: str) -> Response:
        row = self.get_queryset().holding_reference(system=system, external_id=external_id).first()
        if row is None:
            raise NotFound
        return Response(self.shown(row))

    def _named(self, data: Any) -> Any:
        """The row whose uuid the body names, so that what was read of it may be sent back."""
        named = data.get("uuid") if isinstance(data, dict) else None
        if not isinstance(named, str) or not UUID_PATTERN.fullmatch(named):
            return None
        row = self.get_queryset().filter(uuid=named).first()
        return self.reread(row) if row else None


def keyed_schema(serializer: Any, upsert_serializer: Any, receipt_serializer: Any, *, row_name: str) -> Any:
    """What a keyed view takes and answers, for the OpenAPI document."""
    bulk_request, bulk_answer = bulk_schemas(row_name, serializer, upsert_serializer)
    name = "name" if row_name == "deal" else "first_name"
    operations = [
        {"op": "create", "data": {name: "First"}},
        {"op": "upsert", "data": {"external_id": "ERP-42", name: "Second"}},
    ]
    example = OpenApiExample(
        "Create and upsert", {"atomic": False, "operations": operations}, request_only=True
    )
    return extend_schema_view(
        upsert=extend_schema(
            request=upsert_serializer, responses={200: receipt_serializer, 201: receipt_serializer}
        ),
        bulk=extend_schema(request=bulk_request, responses=bulk_answer, examples=[example]),
        external=extend_schema(responses=serializer),
    )
