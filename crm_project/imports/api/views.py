"""`/api/imports`, and the exports of deals, contacts and activities."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from contacts.api.filters import ContactFilter
from contacts.api.serializers import ContactSerializer
from contacts.api.views import ContactViewSet
from contacts.models import Contact
from crm_project.accounts.rules import Permission
from crm_project.activities.api.filters import ActivityFilter
from crm_project.activities.api.serializers import ActivitySerializer
from crm_project.activities.api.views import ActivityViewSet
from crm_project.activities.models import Activity
from crm_project.api import idempotency
from crm_project.api.dispatch import DRY_RUN
from crm_project.api.errors import RETRY_AFTER, InvalidQuery
from crm_project.api.pagination import streamed_rows
from crm_project.api.preferences import (
    LONGEST_WAIT,
    PREFER,
    PREFERENCE_APPLIED,
    preferred_wait,
    wait_for,
    waiters,
)
from crm_project.api.views import ScopedView, visible_rows
from crm_project.errors import NotFound
from crm_project.imports import services
from crm_project.imports.api.parsers import PARSERS, bare
from crm_project.imports.api.serializers import (
    ExportSerializer,
    FieldListSerializer,
    ImportDetailSerializer,
    ImportSerializer,
    RefusedRowSerializer,
    TextUploadSerializer,
    UndoSerializer,
    UploadSerializer,
)
from crm_project.imports.export_services import ask_for_export, discard_export, require_file
from crm_project.imports.exporting import (
    BLOCK,
    CSV,
    STREAMS,
    XLSX,
    csv_stream,
    export_file,
    file_response,
    table_of,
)
from crm_project.imports.kinds import KINDS, import_kind
from crm_project.imports.models import Export, Import, RefusedRow
from crm_project.imports.refusals import error_table
from crm_project.imports.tasks import claimed
from crm_project.imports.undoing import take_back
from crm_project.records.paging import Key
from deals.api.filters import DealFilter
from deals.api.serializers import DealSerializer
from deals.api.views import DealViewSet
from deals.models import Deal

FILES = dict.fromkeys(("text/csv", XLSX, "application/octet-stream"), OpenApiTypes.BINARY)
FILE = {(200, "text/csv"): OpenApiTypes.BINARY}
# The actions that start a job; a request may wait for its end.
JOBS = ("preview", "run", "undo")
STATES = {200: ImportDetailSerializer, 202: ImportDetailSerializer}
JOB = extend_schema(
    parameters=[
        OpenApiParameter(
            PREFER,
            str,
            OpenApiParameter.HEADER,
            description=f"`wait=10`: wait up to so many seconds, at most {LONGEST_WAIT}, for the end of the job. 200"
            " with the import as it is then, or 202 if it is not over. A retry with an Idempotency-Key gets the 202.",
        )
    ]
)
TRUE_OR_FALSE = {"1": True, "true": True, "0": False, "false": False}


class ImportViewSet(ScopedView):
    """Files of deals, contacts or activities: upload, map the columns, preview, run, undo."""

    queryset = Import.objects.none()
    serializer_class = ImportDetailSerializer
    conditional_actions = frozenset()
    costs = {"create": 20, "preview": 50, "run": 50, "undo": 50, "error_file": 20}
    documented_headers = {job: {202: ("Location", "Retry-After"), 200: (PREFERENCE_APPLIED,)} for job in JOBS}
    orderings = {"created_at": Key("created_at")}
    action_parameters = {
        "create": {
            "kind": {
                "type": "string",
                "enum": Import.Kinds.values,
                "description": "If the body is the file.",
            },
            "file_name": {"type": "string", "description": "If the body is the file."},
        }
    }

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Decode the query as UTF-8: the charset of the request is that of the file."""
        request.encoding = "utf-8"
        return super().initialize_request(request, *args, **kwargs)

    def get_queryset(self) -> Any:
        return Import.objects.visible_to(self.actor.member)

    def get_serializer_class(self) -> Any:
        """What an import asks takes queries of its own, which a list does without."""
        return ImportSerializer if self.action == "list" else super().get_serializer_class()

    def represent(self, row: Any) -> Any:
        """An import has no version."""
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
        responses={201: ImportDetailSerializer},
        summary="Upload a file",
    )
    def create(self, request: Request) -> Response:
        """CSV or XLSX, as a form or as the body. The response has its columns and a guess of their mapping."""
        serializer = TextUploadSerializer if _is(request, "application/json") else UploadSerializer
        is_bare = not _is(request, "application/json", "multipart/form-data")
        upload = serializer(data=bare(request, None) if is_bare and not request.data else request.data)
        upload.is_valid(raise_exception=True)
        given = upload.validated_data
        row = services.upload_file(actor=self.actor, kind=given["kind"], upload=given["file"])
        return Response(self.represent(row), status=201, headers={"Location": self.location(row)})

    @extend_schema(summary="The state of an import")
    def retrieve(self, request: Request, **_: Any) -> Response:
        """`state` is ready, queued, working, previewed, done, undone, failed, or refused: then at least one row is
        wrong, and no row was written.
        """
        return Response(self.represent(self.get_object()))

    def perform_update(self, row: Import, change: dict[str, Any]) -> Import:
        return services.change_import(actor=self.actor, source=row, change=change)

    def perform_destroy(self, row: Import) -> None:
        services.discard_import(actor=self.actor, source=row)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """With `Prefer: wait`, answer a job that is over in time with its end; the job runs after the commit."""
        response = super().dispatch(request, *args, **kwargs)
        seconds = preferred_wait(request)
        is_job = self.action in JOBS and response.status_code == 202 and not self.dry_run
        if seconds is None or not is_job or idempotency.REPLAYED in response:
            return response
        with waiters.place() as has_place:
            row = wait_for(self._ended, seconds) if has_place else None
        return response if row is None else self._ended_response(row, response, seconds)

    def _ended(self) -> Import | None:
        row: Import = self.get_object()
        return None if row.is_busy else row

    def _ended_response(self, row: Import, accepted: HttpResponse, seconds: int) -> HttpResponse:
        """The state of the import as a GET answers it."""
        headers = {DRY_RUN: "true"} if DRY_RUN in accepted else {}
        headers[PREFERENCE_APPLIED] = f"wait={seconds}"
        ended = Response(self.represent(row), headers=headers)
        self.response = self.finalize_response(self.request, ended, *self.args, **self.kwargs)
        return self.response

    @JOB
    @extend_schema(request=None, responses=STATES, summary="Preview an import")
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, **_: Any) -> Response:
        """A run that is rolled back: reports every wrong row, and the expected outcome of the others."""
        self.expect_no_body(request)
        return self._ask_for(Import.Tasks.PREVIEW)

    @JOB
    @extend_schema(request=None, responses=STATES, summary="Import the rows")
    @action(detail=True, methods=["post"])
    def run(self, request: Request, **_: Any) -> Response:
        """All or nothing, unless `options.bad_rows` is `skip`. With `dry_run=true` this is the preview."""
        self.expect_no_body(request)
        return self._ask_for(Import.Tasks.PREVIEW if self.dry_run else Import.Tasks.RUN)

    @JOB
    @extend_schema(request=UndoSerializer, responses=STATES, summary="Undo an import")
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, **_: Any) -> Response:
        """Undoes the whole run; for an import that is undone, undoes the undo. If a row was changed since, nothing is
        undone and `problem` names it, unless `changed_rows` is `keep`: then these rows stay, `counts.stayed` in number.
        With `dry_run=true` it is checked at once; a refusal is a 409 `undo_conflict`.
        """
        body = UndoSerializer(data=request.data or {})
        body.is_valid(raise_exception=True)
        keep_changed = body.validated_data.get("changed_rows") == "keep"
        row = services.ask_to_undo(actor=self.actor, source=self.get_object(), keep_changed=keep_changed)
        if self.dry_run:
            take_back(claimed(row), self.actor)
        return self._accepted(row)

    def _accepted(self, row: Import, **headers: str) -> Response:
        waiting = {"Location": self.location(row), "Retry-After": RETRY_AFTER}
        return Response(self.represent(row), status=202, headers={**waiting, **headers})

    def _ask_for(self, task: str) -> Response:
        headers = {DRY_RUN: "true"} if self.dry_run else {}
        # The request of a preview is committed: the preview is the dry run.
        self.dry_run = False
        row = services.ask_for(actor=self.actor, source=self.get_object(), task=task)
        return self._accepted(row, **headers)

    @extend_schema(responses=FILE, summary="The refused rows as a file")
    @action(detail=True, url_path="error-file")
    def error_file(self, request: Request, **_: Any) -> StreamingHttpResponse:
        """The cells with the line and the errors of each row. Correct it and upload it as a new import."""
        row = self.get_object()
        return file_response(csv_stream(error_table(row)), f"errors-{row.uuid}.csv", CSV)

    @extend_schema(responses=FieldListSerializer, summary="Fields that columns can be mapped to")
    @action(detail=False, url_path="fields")
    def known_fields(self, request: Request) -> Response:
        fields = {name: import_kind(name, self.actor).offered_fields() for name in KINDS}
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
        "description": "The format of the file.",
    },
    "raw": {
        "type": "boolean",
        "default": False,
        "description": "Without the quote before text that looks like a formula.",
    },
    "ordering": {"type": "string", "description": "As in the list."},
}
EXPORTED_FILE = {(200, "text/csv"): OpenApiTypes.BINARY, (200, XLSX): OpenApiTypes.BINARY}
EXPORT_ACTIONS = frozenset({"export", "export_later"})


class ExportView(ScopedView):
    """The visible rows that match the filters of the list, as a file: streamed, or written in the background."""

    kind_name: ClassVar[str]
    # To have a file written is a read.
    edit_permission = Permission.VIEW
    costs = dict.fromkeys(EXPORT_ACTIONS, 50)
    filtered_actions = EXPORT_ACTIONS
    conditional_actions = frozenset()
    action_parameters = dict.fromkeys(EXPORT_ACTIONS, EXPORT_PARAMETERS)
    documented_headers = {"export_later": {202: ("Location", "Retry-After")}}

    def get_queryset(self) -> Any:
        return visible_rows(self)

    @extend_schema(responses=EXPORTED_FILE, summary="Export the list")
    def export(self, request: Request) -> StreamingHttpResponse:
        self.actor.require(Permission.VIEW)
        file_format, raw = self._file_options()
        stream, media_type = STREAMS[file_format]
        table = table_of(import_kind(self.kind_name, self.actor), self.rows())
        return file_response(stream(table, raw=raw), f"{self.kind_name}.{file_format}", media_type)

    @extend_schema(request=None, responses={202: ExportSerializer}, summary="Export the list later")
    def export_later(self, request: Request) -> Response:
        """The same file, written in the background: for long lists. It is at `/api/exports/{uuid}/file` once the
        state of the export is `done`, and shows what its user could see then.
        """
        self.expect_no_body(request)
        file_format, raw = self._file_options()
        query = request.query_params.copy()
        query.pop("dry_run", None)
        # Wrong parameters are refused now.
        rows_of_list(self.kind_name, self.actor, query)
        export = ask_for_export(
            actor=self.actor,
            kind=self.kind_name,
            file_format=file_format,
            listing="api",
            query=query.urlencode(),
            raw=raw,
        )
        place = reverse("export-detail", kwargs={"uuid": export.uuid}, request=request)
        headers = {"Location": place, "Retry-After": RETRY_AFTER}
        return Response(ExportSerializer(export).data, status=202, headers=headers)

    def rows(self) -> Iterator[dict[str, Any]]:
        rows = self.filter_queryset(self.get_queryset())
        exported = import_kind(self.kind_name, self.actor).for_export(rows)
        found: Iterator[dict[str, Any]] = streamed_rows(exported, self.request, self, size=BLOCK)
        return found

    def _file_options(self) -> tuple[str, bool]:
        query = self.request.query_params
        file_format = query.get("file_format", "csv")
        if file_format not in STREAMS:
            raise InvalidQuery({"file_format": [f"Must be one of: {', '.join(STREAMS)}."]})
        raw = TRUE_OR_FALSE.get(query.get("raw", "false"))
        if raw is None:
            raise InvalidQuery({"raw": ["Must be true or false."]})
        return file_format, raw


class DealExportViewSet(ExportView):
    """The visible deals that match the filters, as a file that can be imported again without a change."""

    queryset = Deal.objects.none()
    serializer_class = DealSerializer
    filterset_class = DealFilter
    parameter_costs = DealViewSet.parameter_costs
    orderings = DealViewSet.orderings
    kind_name = "deals"


class ContactExportViewSet(ExportView):
    """The contacts that match the filters, as a file that can be imported again without a change."""

    queryset = Contact.objects.none()
    serializer_class = ContactSerializer
    filterset_class = ContactFilter
    orderings = ContactViewSet.orderings
    kind_name = "contacts"


class ActivityExportViewSet(ExportView):
    """The visible activities that match the filters, as a file that can be imported again without a change."""

    queryset = Activity.objects.none()
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilter
    orderings = ActivityViewSet.orderings
    kind_name = "activities"


def rows_of_list(kind: str, actor: Any, query: QueryDict) -> Iterator[dict[str, Any]]:
    """The rows of the list with these parameters, without a request. Raises InvalidQuery."""
    http_request = HttpRequest()
    http_request.method = "GET"
    http_request.GET = query  # type: ignore[assignment]
    view = EXPORTS[kind](action="export", args=(), kwargs={}, format_kwarg=None)
    view.request = Request(http_request)
    view.request.user, view.request.auth = actor.member.user, actor
    rows: Iterator[dict[str, Any]] = view.rows()
    return rows


EXPORTS: dict[str, Any] = {
    "deals": DealExportViewSet,
    "contacts": ContactExportViewSet,
    "activities": ActivityExportViewSet,
}


class ExportViewSet(ScopedView):
    """Exports in the background. Each belongs to the user who asked for it, and is kept for some days."""

    queryset = Export.objects.none()
    serializer_class = ExportSerializer
    edit_permission = Permission.VIEW
    conditional_actions = frozenset()
    costs = {"file": 20}
    refused_reads = {"file": (409,)}
    documented_headers = {"retrieve": {200: ("Retry-After",)}}
    orderings = {"created_at": Key("created_at")}

    def get_queryset(self) -> Any:
        return Export.objects.visible_to(self.actor.member)

    def represent_read(self, row: Any) -> Any:
        """An export has no version."""
        return self.get_serializer(row).data

    @extend_schema(summary="The state of an export")
    def retrieve(self, request: Request, **_: Any) -> Response:
        """`state` is queued, working, done or failed."""
        row = self.get_object()
        headers = {"Retry-After": RETRY_AFTER} if row.is_busy else {}
        return Response(self.represent_read(row), headers=headers)

    def perform_destroy(self, row: Export) -> None:
        discard_export(actor=self.actor, export=row)

    @extend_schema(responses=EXPORTED_FILE, summary="The file of an export")
    @action(detail=True)
    def file(self, request: Request, **_: Any) -> StreamingHttpResponse:
        """409 `export_busy` while it is being written, `export_failed` if that has failed."""
        row = self.get_object()
        require_file(row)
        return export_file(row)
