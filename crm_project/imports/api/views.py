"""`/api/imports`, and the exports of deals and contacts."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.api.views import ContactViewSet
from crm_project.accounts.rules import Permission
from crm_project.api.dispatch import DRY_RUN
from crm_project.api.errors import InvalidQuery
from crm_project.api.pagination import streamed_rows
from crm_project.api.views import ScopedView
from crm_project.errors import NotFound
from crm_project.imports import services, worker
from crm_project.imports.api.parsers import PARSERS, bare
from crm_project.imports.api.serializers import (
    FieldListSerializer,
    ImportSerializer,
    RefusedRowSerializer,
    TextUploadSerializer,
    UploadSerializer,
)
from crm_project.imports.exporting import BLOCK, CSV, STREAMS, XLSX, csv_stream, table_of
from crm_project.imports.kinds import KINDS, kind_for
from crm_project.imports.models import Import, RefusedRow
from crm_project.imports.refusals import error_table
from crm_project.imports.responses import download
from crm_project.imports.undoing import take_back
from crm_project.records.paging import Key
from deals.api.views import DealViewSet

FILES = dict.fromkeys(("text/csv", XLSX, "application/octet-stream"), OpenApiTypes.BINARY)
FILE = {(200, "text/csv"): OpenApiTypes.BINARY}
TRUE_OR_FALSE = {"1": True, "true": True, "0": False, "false": False}


class ImportViewSet(ScopedView):
    """Files of deals or contacts: upload, choose what the columns mean, preview, run."""

    queryset = Import.objects.none()
    serializer_class = ImportSerializer
    conditional_actions = frozenset()
    orderings = {"created_at": Key("created_at")}
    action_parameters = {
        "create": {
            "kind": {"type": "string", "enum": Import.Kinds.values, "description": "For a bare body."},
            "file_name": {"type": "string", "description": "For a bare body."},
        }
    }

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """The charset of the body is the file's; a query is UTF-8 whatever the file is."""
        request.encoding = "utf-8"
        return super().initialize_request(request, *args, **kwargs)

    def get_queryset(self) -> Any:
        return Import.objects.visible_to(self.actor.member)

    def shown(self, row: Any) -> Any:
        """An import is no row of the core: it has no version to compare."""
        return self.get_serializer(self.reread(row)).data

    def get_parsers(self) -> list[Any]:
        method = (getattr(self.request, "method", "") or "").lower()
        is_upload = getattr(self, "action_map", {}).get(method) == "create"
        return [parser() for parser in PARSERS] if is_upload else super().get_parsers()

    @extend_schema(
        request={
            "multipart/form-data": UploadSerializer,
            "application/json": TextUploadSerializer,
            **FILES,
        },
        responses={201: ImportSerializer},
        summary="Upload a file",
    )
    def create(self, request: Request) -> Response:
        """CSV or XLSX, as a form or as the bare body. The answer holds its columns and a guess at their meaning."""
        serializer = TextUploadSerializer if _is(request, "application/json") else UploadSerializer
        is_bare = not _is(request, "application/json", "multipart/form-data")
        upload = serializer(data=bare(request, None) if is_bare and not request.data else request.data)
        upload.is_valid(raise_exception=True)
        given = upload.validated_data
        row = services.upload_file(actor=self.actor, kind=given["kind"], upload=given["file"])
        return Response(self.shown(row), status=201, headers={"Location": self.location(row)})

    @extend_schema(summary="The state of an import")
    def retrieve(self, request: Request, **_: Any) -> Response:
        """`state` is ready, queued, working, previewed, done, undone, failed, or refused: then a row was, and none is
        written.
        """
        row = self.get_object()
        if row.is_busy:
            worker.wake()  # a worker that died is replaced by whoever asks
        return Response(self.shown(row))

    def perform_update(self, row: Import, change: dict[str, Any]) -> Import:
        return services.change_import(actor=self.actor, source=row, change=change)

    def perform_destroy(self, row: Import) -> None:
        services.discard_import(actor=self.actor, source=row)

    @extend_schema(request=None, responses={202: ImportSerializer}, summary="Find out what a run would do")
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, **_: Any) -> Response:
        """The run itself, undone at its end: every row that is wrong, and what would become of the others."""
        self.expect_no_body(request)
        return self._ask_for(Import.Tasks.PREVIEW)

    @extend_schema(request=None, responses={202: ImportSerializer}, summary="Import the rows")
    @action(detail=True, methods=["post"])
    def run(self, request: Request, **_: Any) -> Response:
        """All or nothing, unless `options.bad_rows` is `skip`. With `dry_run=true` this is the preview."""
        self.expect_no_body(request)
        return self._ask_for(Import.Tasks.PREVIEW if self.dry_run else Import.Tasks.RUN)

    @extend_schema(request=None, responses={202: ImportSerializer}, summary="Take an import back")
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, **_: Any) -> Response:
        """Undoes all that the run did, or, when that is done, the undo. All or nothing: `problem` tells what somebody
        has changed since. With `dry_run=true` it is tried at once, and a refusal is a 409 `undo_conflict`.
        """
        self.expect_no_body(request)
        row = services.ask_to_undo(actor=self.actor, source=self.get_object())
        if self.dry_run:
            take_back(worker.claimed(row), self.actor)
        return Response(self.shown(row), status=202)

    def _ask_for(self, task: str) -> Response:
        headers = {DRY_RUN: "true"} if self.dry_run else {}
        # What a dry run asks for is itself kept: the preview is the dry run.
        self.dry_run = False
        row = services.ask_for(actor=self.actor, source=self.get_object(), task=task)
        return Response(self.shown(row), status=202, headers=headers)

    @extend_schema(responses=FILE, summary="The refused rows as a file")
    @action(detail=True, url_path="error-file")
    def error_file(self, request: Request, **_: Any) -> HttpResponse:
        """Their cells as they came, with the line and what is wrong; mend it and send it as a new import."""
        row = self.get_object()
        return download(csv_stream(error_table(row)), f"errors-{row.uuid}.csv", CSV)

    @extend_schema(responses=FieldListSerializer, summary="What columns can be mapped to")
    @action(detail=False, url_path="fields")
    def known_fields(self, request: Request) -> Response:
        fields = {
            name: [field for field in kind_for(name, self.actor).fields if not field.is_read_only]
            for name in KINDS
        }
        return Response(FieldListSerializer(fields).data)


class RefusedRowViewSet(ScopedView):
    """The refused rows of one import, by line."""

    queryset = RefusedRow.objects.none()
    serializer_class = RefusedRowSerializer
    orderings = {"line": Key("line")}
    default_ordering = "line"

    def get_queryset(self) -> Any:
        source = Import.objects.visible_to(self.actor.member).filter(uuid=self.kwargs["uuid"]).first()
        if source is None:
            raise NotFound
        return source.refused_rows.all()

    @extend_schema(summary="The refused rows of an import")
    def list(self, request: Request, **_: Any) -> Response:
        page: Any = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


def _is(request: Request, *types: str) -> bool:
    return request.content_type.partition(";")[0].strip().lower() in types


EXPORT_PARAMETERS = {
    "file_format": {
        "type": "string",
        "enum": list(STREAMS),
        "default": "csv",
        "description": "What the file is to be.",
    },
    "raw": {
        "type": "boolean",
        "default": False,
        "description": "Without the ' before what looks like a formula.",
    },
    "ordering": {"type": "string", "description": "As in the list."},
}
EXPORTED = extend_schema(
    responses={(200, "text/csv"): OpenApiTypes.BINARY, (200, XLSX): OpenApiTypes.BINARY},
    summary="Export what the list shows",
)


class DealExportViewSet(DealViewSet):
    """The deals that the filters leave and the member may see, as a file that imports back unchanged."""

    filtered_actions = frozenset({"export"})
    action_parameters = {"export": EXPORT_PARAMETERS}

    @EXPORTED
    def export(self, request: Request) -> HttpResponse:
        return exported(self, "deals")


class ContactExportViewSet(ContactViewSet):
    """The contacts that the filters leave, as a file that imports back unchanged."""

    filtered_actions = frozenset({"export"})
    action_parameters = {"export": EXPORT_PARAMETERS}

    @EXPORTED
    def export(self, request: Request) -> HttpResponse:
        return exported(self, "contacts")


def exported(view: Any, kind_name: str) -> HttpResponse:
    """A stream of all pages of the list."""
    view.actor.require(Permission.VIEW)
    query = view.request.query_params
    file_format = query.get("file_format", "csv")
    if file_format not in STREAMS:
        raise InvalidQuery({"file_format": [f"Must be one of: {', '.join(STREAMS)}."]})
    raw = TRUE_OR_FALSE.get(query.get("raw", "false"))
    if raw is None:
        raise InvalidQuery({"raw": ["Must be true or false."]})
    kind = kind_for(kind_name, view.actor)
    rows = streamed_rows(
        kind.for_export(view.filter_queryset(view.get_queryset())), view.request, view, size=BLOCK
    )
    stream, media_type = STREAMS[file_format]
    return download(stream(table_of(kind, rows), raw=raw), f"{kind_name}.{file_format}", media_type)
