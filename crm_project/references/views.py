"""`/api/external-references`: the ids of our rows in other systems."""

from collections.abc import Collection
from typing import Any, cast
from uuid import UUID

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.api.converters import row_lookup
from crm_project.api.errors import InvalidQuery
from crm_project.api.fields import UUID as UUID_PATTERN
from crm_project.api.filters import ChoicesFilter, StrictFilterSet, TextFilter
from crm_project.api.views import ScopedView
from crm_project.errors import FieldError, Invalid, NotFound, refuse_fields
from crm_project.records.kinds import Kind, kinds, referable
from crm_project.records.models import MemberReference
from crm_project.records.paging import Key
from crm_project.records.services import change_references, rename_reference
from crm_project.references.rows import ReferenceRows
from crm_project.references.serializers import ExternalReferenceSerializer


class ReferenceFilter(StrictFilterSet):
    system = TextFilter("system")
    external_id = TextFilter("external_id")
    kind = ChoicesFilter(choices=list(referable()))


class ExternalReferenceViewSet(ScopedView):
    """A reference is part of its row: it has the row's permission, and a write of it raises the row's version."""

    queryset = MemberReference.objects.none()
    serializer_class = ExternalReferenceSerializer
    filterset_class = ReferenceFilter
    edit_permission = Permission.EDIT_DEALS
    orderings = {"created_at": Key("created_at")}

    def get_queryset(self) -> Any:
        return ReferenceRows.visible_to(self.actor)

    def filter_queryset(self, queryset: Any) -> Any:
        params = self.request.query_params
        for name in ("system", "external_id"):
            if name in params:
                queryset = queryset.filter(**{name: params[name]})
            if f"{name}_not" in params:
                queryset = queryset.filter(~Q(**{name: params[f"{name}_not"]}))
        selected = self._kinds("kind", referable().keys()) - self._kinds("kind_not", ())
        return queryset.of_kinds(selected)

    def _kinds(self, parameter: str, default: Collection[str]) -> set[str]:
        text = self.request.query_params.get(parameter)
        names = set(default if text is None else text.split(","))
        if not names <= referable().keys():
            raise InvalidQuery({parameter: [f"Must be one or more of: {', '.join(referable())}."]})
        return names

    def get_object(self) -> Any:
        found = [
            row
            for part in self.get_queryset().parts.values()
            for row in part.filter(uuid=self.kwargs["uuid"])
        ]
        if not found:
            raise NotFound
        return found[0]

    def reread(self, row: Any) -> Any:
        return row

    def represent(self, row: Any) -> Any:
        """The ETag has the version of the row, since every write of a reference raises it."""
        self.etag_version = row.row.version
        return self.get_serializer(row).data

    def retrieve(self, request: Request, **_: Any) -> Response:
        return Response(self.represent(self.get_object()))

    @extend_schema(responses={200: ExternalReferenceSerializer, 201: ExternalReferenceSerializer})
    def create(self, request: Request) -> Response:
        """Create a reference. If the row has it already, the status is 200."""
        change = self.validated(request)
        kind = kinds[change["kind"]]
        row, key = self._row(kind, change["row"]), (change["system"], change["external_id"])
        if kind.references.objects.filter(
            row=row.pk, system=key[0], external_id=key[1], is_live=True
        ).exists():
            return Response(self.represent(self._reference(kind, row, key)))
        change_references(actor=self.actor, row=row, add=[key])
        reference = self._reference(kind, row, key)
        return Response(self.represent(reference), status=201, headers={"Location": self.location(reference)})

    def partial_update(self, request: Request, **_: Any) -> Response:
        """Change system and external id. The row stays the same."""
        reference = self.get_object()
        change = self.validated(request, reference)
        before = self.represent(reference)
        refuse_fields(
            FieldError(name, "read_only", "A reference stays with its row.")
            for name in ("kind", "row")
            if name in change and change[name] != before[name]
        )
        kind, old = kinds[reference.kind], (reference.system, reference.external_id)
        new = (change.get("system", old[0]), change.get("external_id", old[1]))
        if new != old:
            rename_reference(actor=self.actor, row=reference.row, old=old, new=new, if_match=self.if_match)
        return Response(self.represent(self._reference(kind, reference.row, new)))

    def perform_destroy(self, row: Any) -> None:
        change_references(
            actor=self.actor,
            row=row.row,
            remove=[(row.system, row.external_id)],
            if_match=self.if_match,
        )

    def _reference(self, kind: Kind, row: Any, key: tuple[str, str]) -> Any:
        found = self.get_queryset().parts[kind.name]
        return found.get(row=row.pk, system=key[0], external_id=key[1])

    def _row(self, kind: Kind, name: Any) -> Any:
        key = _named(kind, name)
        rows = kind.live_rows(self.actor.member)
        row = rows.filter(**row_lookup(kind.named_by, key)).first() if key is not None else None
        if row is None:
            raise Invalid(fields=[FieldError("row", "does_not_exist", "There is no such row.")])
        return row


def _named(kind: Kind, name: Any) -> UUID | int | None:
    """The uuid of a row, or the id of one of a kind that the API names by it; None for anything else."""
    if isinstance(name, str):
        return UUID(name) if UUID_PATTERN.fullmatch(name) else None
    whole = isinstance(name, int) and not isinstance(name, bool) and 0 < name < 2**63
    return cast(int, name) if whole and kind.named_by != "uuid" else None
