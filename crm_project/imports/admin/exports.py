"""Exports in the admin: a list as a file, at once, or in the background if it is long."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.batches import in_batches
from crm_project.imports.admin.imports import list_url
from crm_project.imports.export_services import ask_for_export, discard_export
from crm_project.imports.exporting import BLOCK, STREAMS, export_file, file_response, table_of
from crm_project.imports.forms import ExportForm
from crm_project.imports.kinds import KINDS, import_kind
from crm_project.imports.kinds.base import ImportKind
from crm_project.imports.layouts import Layout, reader_layout
from crm_project.imports.models import Export
from crm_project.languages.figures import number
from crm_project.staff import filters
from crm_project.staff.actions import AdminAction
from crm_project.staff.base import StaffModelAdmin
from crm_project.staff.inputs import whole_number
from crm_project.staff.pages import render_page
from crm_project.staff.request_actor import visible

# The parameter of a download at once, whatever the number of rows.
AT_ONCE = "at_once"
# Parameters of `ExportForm`.
HEADERS, COLUMNS = "headers", "columns"
KEYS, OF_LIST = "keys", "list"
Answer = HttpResponse | StreamingHttpResponse
TITLES = {
    "deals": gettext_lazy("Export deals"),
    "contacts": gettext_lazy("Export contacts"),
    "activities": gettext_lazy("Export activities"),
}


class DiscardExport(AdminAction):
    name = "discard"
    label = gettext_lazy("Delete this file")
    icon = "delete"
    done = gettext_lazy("deleted")
    explanation = gettext_lazy("The file is deleted. The list can be exported again at any time.")
    in_journal = False

    def run(self, actor: Actor, rows: Sequence[Export], given: Mapping[str, Any]) -> None:
        for row in rows:
            discard_export(actor=actor, export=row)


@admin.register(Export)
class ExportAdmin(StaffModelAdmin):
    view_permission = Permission.VIEW
    # Everybody deletes their own.
    edit_permission = Permission.VIEW
    empty_hint = gettext_lazy(
        "A long list that you export is written here in the background. Only you see the file."
    )
    list_display: ClassVar[Any] = ("file_name", "state_text", "row_count", "created_at")
    ordering: ClassVar[Any] = ("-created_at", "-id")
    keyset_columns: ClassVar[Any] = ("created_at",)
    sortable_by: ClassVar[Any] = ()
    row_actions: ClassVar[Sequence[AdminAction]] = (DiscardExport(),)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("File"))
    def file_name(self, row: Export) -> str:
        return row.file_name

    @admin.display(description=gettext_lazy("State"))
    def state_text(self, row: Export) -> str:
        return row.get_state_display()

    @admin.display(description=gettext_lazy("Rows"))
    def row_count(self, row: Export) -> str:
        return number(row.rows)

    def get_urls(self) -> list[URLPattern]:
        def at(place: str, view: Any, name: str) -> URLPattern:
            pattern: URLPattern = path(place, self.admin_site.admin_view(view), name=f"imports_{name}")
            return pattern

        own = [at("<int:pk>/file/", self.file_view, "export_file")]
        for kind in KINDS:
            own.append(at(f"{kind}/{kind}.csv", self._exporter(kind, "csv"), f"export_{kind}"))
            own.append(at(f"{kind}/{kind}.xlsx", self._exporter(kind, "xlsx"), f"export_{kind}_xlsx"))
            own.append(
                at(f"{kind}/choices/", partial(self.choices_view, kind=kind), f"export_{kind}_choices")
            )
        return own + super().get_urls()

    # -- The page of one export.

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method != "GET":
            raise PermissionDenied
        export = self._export(request, object_id)
        return render_page(
            self,
            request,
            "admin/imports/export.html",
            title=export.file_name,
            export=export,
            # A stored problem is a sentence without parameters, in English.
            problem=_(export.problem) if export.problem else "",
            list_url=list_url(export.kind),
            discard_url=next((link["url"] for link in self.row_action_links(request, export)), ""),
            days=settings.EXPORT_KEEP_DAYS,
        )

    def file_view(self, request: HttpRequest, pk: int) -> Answer:
        export = self._export(request, pk)
        if export.state != Export.States.DONE:
            return HttpResponseRedirect(_place(export))
        return export_file(export)

    def _export(self, request: HttpRequest, pk: Any) -> Export:
        key = whole_number(str(pk))
        export: Export | None = None
        if self.has_view_permission(request):
            export = visible(request, Export).filter(pk=key).first()
        if export is None:
            raise PermissionDenied
        return export

    # -- The export of a change list.

    def _exporter(self, kind: str, file_format: str) -> Any:
        return lambda request: self.export_view(request, kind, file_format)

    def _listing(self, request: HttpRequest, kind: str) -> Any:
        listing: Any = self.admin_site._registry[KINDS[kind].model]
        if not listing.has_view_permission(request):
            raise PermissionDenied
        return listing

    def choices_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """The form of the file that the list is exported to."""
        self._listing(request, kind)
        return render_page(
            self,
            request,
            "admin/imports/export_choices.html",
            title=TITLES[kind],
            form=ExportForm(),
            parameters=[(name, value) for name, values in request.GET.lists() for value in values],
            csv_url=reverse(f"admin:imports_export_{kind}"),
            xlsx_url=reverse(f"admin:imports_export_{kind}_xlsx"),
            list_url=f"{list_url(kind)}?{request.GET.urlencode()}",
        )

    def export_view(self, request: HttpRequest, kind: str, file_format: str) -> Answer:
        """All rows of the change list with the same query; a POST has them written in the background."""
        listing = self._listing(request, kind)
        if request.GET.get(filters.TRASH) == "only":
            messages.error(request, _("The trash cannot be exported."))
            return HttpResponseRedirect(list_url(kind))
        asked, query = request.GET, request.GET.copy()
        for name in (AT_ONCE, HEADERS, COLUMNS):
            query.pop(name, None)
        request.GET = query  # type: ignore[assignment]
        try:
            rows = listing.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(list_url(kind))
        if request.method != "POST" and AT_ONCE not in asked and _is_long(rows):
            return self._offer(request, kind, asked)
        kind_of_rows = import_kind(kind, self.actor(request))
        columns = _columns_of_list(request, listing, kind_of_rows) if asked.get(COLUMNS) == OF_LIST else ()
        layout = reader_layout(self.actor(request), keys=asked.get(HEADERS) == KEYS, columns=columns)
        if request.method == "POST":
            return self._ask(request, kind, file_format, layout)
        stream, media_type = STREAMS[file_format]
        found = chain.from_iterable(in_batches(kind_of_rows.for_export(rows), BLOCK))
        table = table_of(kind_of_rows, found, layout)
        return file_response(stream(table, layout=layout), f"{kind}.{file_format}", media_type)

    def _ask(self, request: HttpRequest, kind: str, file_format: str, layout: Layout) -> HttpResponse:
        export = ask_for_export(
            actor=self.actor(request),
            kind=kind,
            file_format=file_format,
            listing="admin",
            query=request.GET.urlencode(),
            layout=layout,
        )
        return HttpResponseRedirect(_place(export))

    def _offer(self, request: HttpRequest, kind: str, asked: QueryDict) -> HttpResponse:
        at_once = asked.copy()
        at_once[AT_ONCE] = "1"
        return render_page(
            self,
            request,
            "admin/imports/long_export.html",
            title=TITLES[kind],
            rows=settings.EXPORT_TASK_ROWS,
            query=asked.urlencode(),
            at_once=at_once.urlencode(),
            list_url=f"{list_url(kind)}?{request.GET.urlencode()}",
            days=settings.EXPORT_KEEP_DAYS,
        )


def _is_long(rows: Any) -> bool:
    most = settings.EXPORT_TASK_ROWS
    return bool(rows.order_by()[: most + 1].count() > most)


def _columns_of_list(request: HttpRequest, listing: Any, kind: ImportKind[Any]) -> list[str]:
    """The fields of the columns that the list shows, or the saved view in its address."""
    names = (listing.column_names.get(name) for name in listing.get_list_display(request))
    return kind.keys_of_list(filter(None, names))


def _place(export: Export) -> str:
    return reverse("admin:imports_export_change", args=[export.pk])
