"""The base classes of the canonical API: views scoped to the actor, and viewsets of the rows of a kind."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.api.browsable import BrowsableRenderer
from crm_project.api.converters import row_lookup
from crm_project.api.dispatch import DispatchView
from crm_project.api.errors import InvalidQuery, Refused, field_of, joined, problem_of
from crm_project.api.filters import StrictFilterBackend
from crm_project.api.negotiation import MergePatchNegotiation
from crm_project.api.pagination import KeysetPagination
from crm_project.api.parameters import check_parameters, custom_orderings, with_other_errors
from crm_project.api.saved_views import VIEW, expand_view
from crm_project.api.serializers import StrictSerializer
from crm_project.api.sparse import Expansion, represented
from crm_project.changes import check_only
from crm_project.errors import DomainError, Invalid, NotFound
from crm_project.records.bulk import Operation
from crm_project.records.kinds import kind_of
from crm_project.records.paging import Key
from crm_project.records.writing.receipts import Receipt
from crm_project.versions import Versions


class ScopedView(DispatchView):
    """A view of one organization's data. Without `get_queryset` of its own it shows nothing.

    It has the handlers of a list and of single rows; a subclass implements the `perform_` methods of those it routes.
    """

    queryset: Any = None
    edit_permission: ClassVar[Permission] = Permission.EDIT_DEALS
    renderer_classes: Any = [JSONRenderer, BrowsableRenderer]
    content_negotiation_class = MergePatchNegotiation
    filter_backends: Any = [StrictFilterBackend]
    pagination_class: Any = KeysetPagination
    filterset_class: Any = None
    filtered_actions: ClassVar[frozenset[str]] = frozenset({"list"})
    # Query parameters of single actions, beside those of the filters and the pages: action → name → OpenAPI schema.
    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    # Statuses of reads beside those of every read: action → statuses.
    refused_reads: ClassVar[Mapping[str, tuple[int, ...]]] = {}
    # The actions that take `fields` and `expand`, and the related rows that the latter shows whole.
    sparse_actions: ClassVar[frozenset[str]] = frozenset()
    expansions: ClassVar[Mapping[str, Expansion]] = {}
    orderings: ClassVar[Mapping[str, Key]] = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
    }
    default_ordering: ClassVar[str] = "-created_at"
    # Whether the order of a saved view is left out where it is none of `orderings`, instead of refused.
    leaves_out_orders: ClassVar[bool] = False
    parameter_costs: ClassVar[Mapping[str, int]] = {"total": 5}
    lookup_field = "uuid"
    lookup_value_converter = "any_uuid"
    conditional_actions = frozenset({"partial_update", "destroy"})

    @property
    def model(self) -> Any:
        return self.queryset.model

    @property
    def wire_names(self) -> dict[str, str]:
        serializer = self.get_serializer_class()
        return serializer.wire_names() if hasattr(serializer, "wire_names") else {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._handler(request)  # 405 before anything about the rest of the request
        if "\x00" in request.path_info:
            raise NotFound  # no stored text contains NUL, and PostgreSQL refuses to compare with one
        if VIEW in request.query_params and self.filters:
            expand_view(self, request)
        check_parameters(self)

    @property
    def filters(self) -> bool:
        """Whether the action takes the resource's filters."""
        return self.action in self.filtered_actions

    @property
    def pages(self) -> bool:
        return self.action == "list"

    def orderings_for(self, request: Request) -> Mapping[str, Key]:
        """The sort keys of the list, those of the organization's custom fields included."""
        return {**self.orderings, **custom_orderings(self)}

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, InvalidQuery):
            exc = with_other_errors(self, exc)
        return super().handle_exception(exc)

    def check_own_parameters(self, request: Request) -> None:
        """Raise InvalidQuery for wrong `action_parameters`; a view that has some overrides this."""

    def expect_no_body(self, request: Request) -> None:
        """Refuse every field of the body of an action that takes none."""
        StrictSerializer(data=request.data or {}).is_valid(raise_exception=True)

    def get_object(self) -> Any:
        """The row of the path among the visible ones; the filters of lists do not apply."""
        return self.found(self.get_queryset())

    def object_to_write(self) -> Any:
        """The row of the path for a service. An instance with nothing but its uuid is read by the service's lock."""
        return self.get_object()

    def read_object(self) -> Any:
        """The row of the path, with the relations that the serializer reads."""
        return self.found(self.for_reading(self.get_queryset()))

    def found(self, rows: Any) -> Any:
        """The row of the path among these."""
        row = rows.filter(**self.row_of_path()).first()
        if row is None:
            raise NotFound
        return row

    def row_of_path(self) -> dict[str, Any]:
        return row_lookup(self.lookup_field, self.kwargs[self.lookup_field])

    def for_reading(self, rows: Any) -> Any:
        """Fetch the relations that the serializer reads."""
        return rows

    def list(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(self.for_reading(self.filter_queryset(self.get_queryset())))
        return self.get_paginated_response(represented(self, page))

    def retrieve(self, request: Request, **_: Any) -> Response:
        return Response(self.represent_read(self.read_object()))

    def create(self, request: Request) -> Response:
        row = self.perform_create(self.validated(request, check=self.perform_create))
        return Response(self.represent(row), status=201, headers={"Location": self.location(row)})

    def partial_update(self, request: Request, **_: Any) -> Response:
        row = self.object_to_write()
        change = self.validated(request, row, check=partial(self.perform_update, row))
        return Response(self.represent(self.perform_update(row, change)))

    def destroy(self, request: Request, **_: Any) -> Response:
        self.expect_no_body(request)
        self.perform_destroy(self.get_object())
        return Response(status=204)

    def validated(
        self, request: Request, row: Any = None, *, check: Callable[[dict[str, Any]], Any] | None = None
    ) -> dict[str, Any]:
        """The body as the core's change to `row`, or to a new row.

        A refusal names every wrong field of the body and, from `check_only` of the service `check`, of the core.
        """
        # The relations of the row are fetched only if the body has read-only fields, which are compared with it.
        instance = SimpleLazyObject(partial(self._stored, row)) if row is not None else None
        serializer = self.get_serializer(instance, data=request.data, partial=row is not None)
        if not serializer.is_valid():
            if row is not None and row.pk is None:
                self.get_object()  # raises NotFound, which comes first
            raise self._refusal(serializer, check)
        return self.conditional(serializer.validated_data)

    def _stored(self, row: Any) -> Any:
        return self.reread(row if row.pk is not None else self.get_object())

    def _refusal(self, serializer: Any, check: Callable[[dict[str, Any]], Any] | None) -> Exception:
        error = ValidationError(serializer.errors)
        problem = problem_of(error, wire_names={})
        wrong = {field_of(entry) for entry in problem.errors}
        if check is None or "" in wrong:
            return error
        rest = {name: value for name, value in serializer.initial_data.items() if name not in wrong}
        again = self.get_serializer(serializer.instance, data=rest, partial=True)
        try:
            if again.is_valid():
                with check_only():
                    check(again.validated_data)
        except Invalid as refusal:
            return Refused(joined(problem, problem_of(refusal, wire_names=self.wire_names)))
        except DomainError:
            pass
        return error

    def conditional(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """The change with the versions of If-Match, which the service compares under the row's lock."""
        return dict(change) if self.if_match is None else {**change, "if_match": self.if_match}

    def expected(self, row: Any) -> dict[int, Versions]:
        """The versions of If-Match for a service that takes rows instead of changes."""
        return {} if self.if_match is None else {row.pk: self.if_match}

    def represent(self, row: Any) -> Any:
        """The representation of the row in GET, as it is stored now."""
        return self.represent_read(self.reread(row))

    def represent_read(self, row: Any) -> Any:
        """The representation of a row with its relations; its version becomes part of the answer's ETag."""
        self.etag_version = row.version
        return represented(self, [row])[0]

    def reread(self, row: Any) -> Any:
        """The row as it is stored now, with the relations that the serializer reads."""
        return self.for_reading(self.model.objects.filter(pk=row.pk)).get()

    def location(self, row: Any) -> str:
        return self.reverse_action("detail", kwargs={self.lookup_field: getattr(row, self.lookup_field)})

    def perform_create(self, change: dict[str, Any]) -> Any:
        raise MethodNotAllowed("POST")

    def perform_update(self, row: Any, change: dict[str, Any]) -> Any:
        raise MethodNotAllowed("PATCH")

    def perform_destroy(self, row: Any) -> None:
        raise MethodNotAllowed("DELETE")


class RowViewSet(ScopedView):
    """The rows of a kind, written by the kind's services.

    A viewset names its queryset (`Model.objects.none()`), serializer, filter set and orderings.
    """

    conditional_actions = frozenset({"partial_update", "destroy", "restore", "upsert", "followers"})
    rows_per_unit: ClassVar[Mapping[str, int]] = {"bulk": 10}
    sparse_actions = frozenset({"list", "retrieve", "external"})

    @property
    def services(self) -> Any:
        """The `Services` of the kind."""
        kind = kind_of(self.model)
        assert kind is not None, f"{self.model} is not registered as a kind"
        return kind.services

    def get_queryset(self) -> Any:
        return visible_rows(self)

    def get_trashed(self) -> Any:
        """The row of the path, if it can still be restored."""
        row = trashed_rows(self).filter(**self.row_of_path()).first()
        if row is None:
            raise NotFound
        return row

    @extend_schema(request=None, summary="Restore from the trash")
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, **_: Any) -> Response:
        """Restores its external references, too; 409 `restore_conflict` if a live row has its name or key."""
        row = self.get_trashed()
        return Response(self.represent(self.perform_restore(row, **self.restore_options(request))))

    def restore_options(self, request: Request) -> dict[str, Any]:
        """The keyword arguments of the kind's own service; most kinds take no body."""
        self.expect_no_body(request)
        return {}

    def perform_create(self, change: dict[str, Any]) -> Any:
        return self.services.create(actor=self.actor, changes=[change])[0]

    def perform_update(self, row: Any, change: dict[str, Any]) -> Any:
        return self.services.update(actor=self.actor, changes=[(row, change)])[0].row

    def perform_destroy(self, row: Any, **options: Any) -> None:
        """`options` are keyword arguments of the kind's own service."""
        self.services.trash(actor=self.actor, rows=[row], if_match=self.expected(row), **options)

    def perform_restore(self, row: Any, **options: Any) -> Any:
        return self.services.restore(actor=self.actor, rows=[row], if_match=self.expected(row), **options)[0]

    def carry_out(self, operations: Sequence[Operation], **options: Any) -> Sequence[Receipt[Any]]:
        """All operations, or none of them."""
        receipts: Sequence[Receipt[Any]] = self.services.carry_out(
            actor=self.actor, operations=operations, **options
        )
        return receipts


def visible_rows(view: ScopedView) -> Any:
    """The rows that the actor may see; those of the trash if a read asks for `deleted=only`."""
    if view.request.query_params.get("deleted") == "only" and view.request.method in SAFE_METHODS:
        return trashed_rows(view)
    return view.model.objects.visible_to(view.actor.member)


def trashed_rows(view: ScopedView) -> Any:
    return view.model.objects.trash_visible_to(view.actor.member, timezone.now())
