"""Imports in the admin: upload, mapping, preview, run, report."""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy, pgettext_lazy

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.errors import Conflict, DomainError
from crm_project.imports import services
from crm_project.imports.errors import shown
from crm_project.imports.exporting import CSV, csv_stream, file_response
from crm_project.imports.files import BLOCK as PIECE
from crm_project.imports.files import receive
from crm_project.imports.forms import ChoicesForm, UploadForm
from crm_project.imports.kinds import KINDS, import_kind
from crm_project.imports.layouts import reader_layout
from crm_project.imports.models import Import
from crm_project.imports.questions import kind_options, spelled_out
from crm_project.imports.refusals import error_table, sentence
from crm_project.imports.sources import source_named
from crm_project.imports.undoing import rows_of_undo_unchanged
from crm_project.journal.models import Event
from crm_project.languages.figures import number
from crm_project.records.kinds import kinds
from crm_project.staff import filters
from crm_project.staff.actions import AdminAction, Reach, is_on_all_that_match, reach_text
from crm_project.staff.base import StaffModelAdmin
from crm_project.staff.counts import counted_rows
from crm_project.staff.inputs import whole_number
from crm_project.staff.once import carry_out
from crm_project.staff.pages import render_page
from crm_project.staff.request_actor import visible

REFUSED_ROWS = 100
States = Import.States
OUTCOMES = {
    "created": ngettext_lazy("%(number)s created", "%(number)s created", "count"),
    "updated": ngettext_lazy("%(number)s updated", "%(number)s updated", "count"),
    "unchanged": ngettext_lazy("%(number)s unchanged", "%(number)s unchanged", "count"),
    "refused": ngettext_lazy("%(number)s refused", "%(number)s refused", "count"),
}
# The first of several in a sentence.
WERE = {
    "created": ngettext_lazy("%(number)s were created", "%(number)s were created", "count"),
    "updated": ngettext_lazy("%(number)s were updated", "%(number)s were updated", "count"),
    "unchanged": ngettext_lazy("%(number)s were unchanged", "%(number)s were unchanged", "count"),
    "refused": ngettext_lazy("%(number)s were refused", "%(number)s were refused", "count"),
}
WOULD_BE = {
    "created": ngettext_lazy("%(number)s would be created", "%(number)s would be created", "count"),
    "updated": ngettext_lazy("%(number)s would be updated", "%(number)s would be updated", "count"),
    "unchanged": ngettext_lazy("%(number)s would be unchanged", "%(number)s would be unchanged", "count"),
    "refused": ngettext_lazy("%(number)s would be refused", "%(number)s would be refused", "count"),
}
OUTCOME = {
    "created": pgettext_lazy("row", "created"),
    "updated": pgettext_lazy("row", "updated"),
    "unchanged": pgettext_lazy("row", "unchanged"),
}
# Labels of examples whose value is that of a choice, or a day that is spelled out in English.
CHOICES = ("Kind", "Type")
DAYS = ("Closed", "Created", "Done", "Due", "Expected close")


def _tools(kind: str) -> tuple[tuple[Any, str, str, Permission], ...]:
    return (
        (pgettext_lazy("verb", "Import"), "upload", "admin:imports_import_add", Permission.EDIT_DEALS),
        ("CSV", "download", f"admin:imports_export_{kind}", Permission.VIEW),
        ("XLSX", "download", f"admin:imports_export_{kind}_xlsx", Permission.VIEW),
        (pgettext_lazy("verb", "Export"), "tune", f"admin:imports_export_{kind}_choices", Permission.VIEW),
    )


def rows_of_run(source: Import) -> Reach:
    """The rows that the import has changed, or the undo of it: those that the next undo changes."""
    change_set = source.counts.get("undone_by") or source.counts["change_set"]
    events = Event.objects.of_change_set(source.organization_id, change_set)
    return {kinds[name].model: count for name, count in events.rows_by_kind().items()}


def _exports(kind: str) -> list[tuple[str, Any, Any]]:
    """The exports of chosen rows of a list: a redirect to the export of the list that has these alone."""

    def export_as(name: str) -> Any:
        def redirect(admin: Any, request: HttpRequest, rows: Any) -> HttpResponse:
            query = request.GET.copy()
            if not is_on_all_that_match(request):
                ids = rows.order_by("pk").values_list("pk", flat=True)
                query = QueryDict(mutable=True)
                query[filters.ChosenFilter.parameter] = ",".join(map(str, ids))
            return HttpResponseRedirect(f"{reverse(f'admin:imports_{name}')}?{query.urlencode()}")

        return redirect

    return [
        (f"export_{kind}", gettext_lazy("Export as CSV"), export_as(f"export_{kind}")),
        (f"export_{kind}_xlsx", gettext_lazy("Export as XLSX"), export_as(f"export_{kind}_xlsx")),
    ]


class UndoImport(AdminAction):
    """Runs in the background, so that it is reported on the page of the import and not by its message."""

    name = "undo"
    label = gettext_lazy("Undo this import")
    icon = "undo"
    done = gettext_lazy("the undo has begun")
    explanation = gettext_lazy("Created rows move to the trash. Updated rows get their earlier values back.")
    on_many = False
    in_journal = False
    state: ClassVar[str] = States.DONE
    keep_changed: ClassVar[bool] = False

    def fits(self, row: Import) -> bool:
        return row.state == self.state

    def reach(self, actor: Actor, rows: Sequence[Import]) -> Reach:
        reached: Counter[Any] = Counter()
        for row in rows:
            if self.fits(row):
                reached.update(rows_of_run(row))
        return reached

    def run(self, actor: Actor, rows: Sequence[Import], given: Mapping[str, Any]) -> None:
        for row in rows:
            if not self.fits(row):
                raise Conflict("The import has been undone or redone in the meantime.", code="not_undoable")
            services.ask_to_undo(actor=actor, source=row, keep_changed=self.keep_changed)


class UndoUnchanged(UndoImport):
    """Offered when an undo was refused."""

    name = "undo-unchanged"
    label = gettext_lazy("Undo the other rows")
    explanation = gettext_lazy(
        "Rows that have been changed since stay as they are, with the rows to which they belong. Of the others, created"
        " ones move to the trash, and updated ones get their earlier values back."
    )
    keep_changed = True

    def fits(self, row: Import) -> bool:
        return super().fits(row) and row.is_undo and bool(row.problem)

    def reach(self, actor: Actor, rows: Sequence[Import]) -> Reach:
        reached: Counter[Any] = Counter()
        for row in filter(self.fits, rows):
            reached.update(rows_of_undo_unchanged(row, actor))
        return reached


class RedoImport(UndoImport):
    name = "redo"
    label = gettext_lazy("Redo this import")
    icon = "redo"
    done = gettext_lazy("the import is being redone")
    explanation = gettext_lazy(
        "Created rows come back from the trash. Updated rows get the values of the file again."
    )
    state = States.UNDONE


class DiscardImport(AdminAction):
    name = "discard"
    label = gettext_lazy("Discard this file")
    icon = "delete"
    done = gettext_lazy("discarded. Imported rows stay")
    explanation = gettext_lazy(
        "The file, its report and its options are deleted. Imported rows stay. This cannot be undone."
    )
    is_dangerous = True
    on_many = False
    in_journal = False

    def run(self, actor: Actor, rows: Sequence[Import], given: Mapping[str, Any]) -> None:
        for row in rows:
            services.discard_import(actor=actor, source=row)


@admin.register(Import)
class ImportAdmin(StaffModelAdmin):
    view_permission = Permission.EDIT_DEALS
    empty_hint = gettext_lazy(
        "Upload a CSV or XLSX file of deals, contacts or activities. A preview shows the result before anything is"
        " saved."
    )
    list_display: ClassVar[Any] = ("file_name", "kind", "state_text", "counts_text", "created_at")
    ordering: ClassVar[Any] = ("-created_at", "-id")
    keyset_columns: ClassVar[Any] = ("created_at",)
    search_fields: ClassVar[Any] = ("file_name",)
    row_actions: ClassVar[Sequence[AdminAction]] = (
        UndoImport(),
        UndoUnchanged(),
        RedoImport(),
        DiscardImport(),
    )
    list_tools: ClassVar[Any] = {kind.model: _tools(name) for name, kind in KINDS.items()}
    list_exports: ClassVar[Any] = {kind.model: _exports(name) for name, kind in KINDS.items()}

    @admin.display(description=gettext_lazy("State"))
    def state_text(self, row: Import) -> str:
        return row.get_state_display()

    def outcome(self, source: Import) -> str:
        """The counts of the run as a sentence, or the expected counts of a preview."""
        counts = [(name, source.counts[name]) for name in OUTCOMES if source.counts.get(name)]
        first = WOULD_BE if source.state == Import.States.PREVIEWED else WERE
        parts = [_counted(OUTCOMES if place else first, *pair) for place, pair in enumerate(counts)]
        rows = source.counts.get("rows", 0)
        sentence = ngettext("Of %(number)s row %(parts)s.", "Of %(number)s rows %(parts)s.", rows)
        return sentence % {"number": number(rows), "parts": ", ".join(parts)}

    def beside(self, source: Import) -> str:
        """What is created beside the rows, as a sentence; empty if nothing is."""
        found = source.summary.get("created_beside", {})
        if not found:
            return ""
        things = [_created(kind, count) for kind, count in found.items()]
        if source.state == Import.States.PREVIEWED:
            sentence = _("Beside the rows, %(things)s would be created.")
        else:
            sentence = ngettext(
                "Beside the rows, %(things)s was created.",
                "Beside the rows, %(things)s were created.",
                sum(found.values()),
            )
        return sentence % {"things": ", ".join(things)}

    @admin.display(description=gettext_lazy("Rows"))
    def counts_text(self, row: Import) -> str:
        return ", ".join(
            _counted(OUTCOMES, name, row.counts[name]) for name in OUTCOMES if row.counts.get(name)
        )

    def get_urls(self) -> list[URLPattern]:
        def at(place: str, view: Any, name: str) -> URLPattern:
            pattern: URLPattern = path(place, self.admin_site.admin_view(view), name=f"imports_{name}")
            return pattern

        own = [
            at("<int:pk>/preview/", self.preview_view, "preview"),
            at("<int:pk>/run/", self.run_view, "run"),
            at("<int:pk>/error-file/", self.error_file_view, "error_file"),
        ]
        return own + super().get_urls()

    # -- Upload.

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        kind = request.GET.get("kind")
        form = UploadForm(
            request.POST or None, request.FILES or None, initial={"kind": kind} if kind in KINDS else {}
        )
        if request.method == "POST" and form.is_valid():
            source = self._upload(request, form)
            if source is not None:
                return HttpResponseRedirect(_page(source))
        return render_page(
            self,
            request,
            "admin/imports/upload.html",
            title=_("Import a file"),
            form=form,
            form_key=uuid4().hex,
        )

    def _upload(self, request: HttpRequest, form: UploadForm) -> Import | None:
        given = form.cleaned_data
        try:
            actor = self.actor(request)
            upload = receive(given["file"].name, given["file"].chunks(PIECE))
            store = partial(services.upload_file, actor=actor, kind=given["kind"], upload=upload)
            created, _changes = carry_out(
                actor=actor, request=request, act=lambda: str(store().pk), is_new=True
            )
            return Import.objects.visible_to(actor.member).filter(pk=int(created)).first()
        except DomainError as error:
            form.add_error("file", error.detail)
            return None

    # -- The page of one import.

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method != "GET":
            raise PermissionDenied
        source = self._get_import(request, object_id)
        return self._import_page(request, source, self._choices(request, source))

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._ask_for(request, pk, Import.Tasks.PREVIEW)

    def run_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._ask_for(request, pk, Import.Tasks.RUN)

    def _ask_for(self, request: HttpRequest, pk: int, task: str) -> HttpResponse:
        """Save the mapping and options and queue the task; a refusal becomes an error of the form."""
        source = self._get_import(request, pk)
        if request.method != "POST":
            return HttpResponseRedirect(_page(source))
        form = self._choices(request, source, request.POST)
        if not form.is_valid():
            return self._import_page(request, source, form)
        change = form.change()
        try:
            with transaction.atomic():
                services.change_import(actor=self.actor(request), source=source, change=change)
                if "mapping" in change:
                    services.ask_for(actor=self.actor(request), source=source, task=task)
        except (DomainError, IntegrityError) as error:
            for wrong in getattr(error, "fields", ()) or (error,):
                form.add_error(None, getattr(wrong, "detail", str(wrong)))
            return self._import_page(request, self._get_import(request, pk), form)
        if "mapping" not in change:
            messages.info(request, _("The file was read again with these options. Check its columns."))
        return HttpResponseRedirect(_page(source))

    def error_file_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        source = self._get_import(request, pk)
        stream = csv_stream(error_table(source), layout=reader_layout(self.actor(request)))
        return file_response(stream, f"errors-{source.uuid}.csv", CSV)

    def _get_import(self, request: HttpRequest, pk: Any) -> Import:
        key = whole_number(str(pk))
        source: Import | None = None
        if self.has_view_permission(request):
            source = visible(request, Import).filter(pk=key).first()
        if source is None:
            raise PermissionDenied
        return source

    def _choices(self, request: HttpRequest, source: Import, data: Any = None) -> ChoicesForm:
        actor = self.actor(request)
        if source.file_deleted_at is not None or source.state in (States.DONE, States.UNDONE):
            return ChoicesForm(data, source=source, fields=import_kind(source.kind, actor).fields)
        return ChoicesForm(
            data,
            source=source,
            fields=import_kind(source.kind, actor, kind_options(source)).offered_fields(),
            questions=services.questions_of(actor, source),
            values=services.values_of(actor, source),
        )

    def _import_page(self, request: HttpRequest, source: Import, form: ChoicesForm) -> HttpResponse:
        refused = list(source.refused_rows.order_by("line")[:REFUSED_ROWS])
        return render_page(
            self,
            request,
            "admin/imports/import.html",
            title=source.file_name,
            source=source,
            form=form,
            outcome=self.outcome(source),
            undo_reach=reach_text(rows_of_run(source))
            if source.state in (States.DONE, States.UNDONE)
            else "",
            row_action_links={
                link["action"].name.replace("-", "_"): link["url"]
                for link in self.row_action_links(request, source)
            },
            recognized=source_named(source.kind, source.recognized_as),
            beside=self.beside(source),
            problem=_problem_of(source),
            problems=_problems_of(source),
            examples=[_example(example) for example in source.examples],
            refused=[(row.line, sentence(row.errors), " · ".join(row.cells)[:200]) for row in refused],
            more_refused=max(source.counts.get("refused", 0) - REFUSED_ROWS, 0),
            list_url=rows_url(source),
        )


def _created(kind: str, count: int) -> str:
    """Rows of a kind that a file creates beside its own; a member whom it names is one who has left."""
    if kind != Member.row_kind:
        return counted_rows(kinds[kind].model, count)
    return ngettext("%(count)s former member", "%(count)s former members", count) % {"count": number(count)}


def _counted(texts: Mapping[str, Any], name: str, count: int) -> str:
    return str(texts[name] % {"count": count, "number": number(count)})


def _problem_of(source: Import) -> str:
    """The problem in the language of the reader, if the summary has its sentences."""
    parts = source.summary.get("problem", ())
    is_same = " ".join(part["detail"] for part in parts) == source.problem
    return " ".join(map(shown, parts)) if is_same else source.problem


def _problems_of(source: Import) -> list[tuple[int, str, str]]:
    """The summed up errors: the number of rows, the column, or the field if there is no column, and the text."""
    columns = {column["label"] for column in source.columns}
    return [
        (
            problem["rows"],
            problem["column"]
            if problem["column"] in columns or not problem["column"]
            else _(problem["column"]),
            shown(problem),
        )
        for problem in source.summary.get("problems", ())
    ]


def _example(example: Mapping[str, Any]) -> dict[str, Any]:
    """An example with its outcome and its labels in the language of the reader."""
    pairs = [(_(label), _value_of(label, value)) for label, value in example.get("row", ())]
    return {**example, "outcome": OUTCOME.get(example["outcome"], example["outcome"]), "row": pairs}


def _value_of(label: str, value: str) -> str:
    if value and label in CHOICES:
        return _(value)
    if value and label in DAYS:
        with suppress(ValueError):
            return spelled_out(datetime.datetime.strptime(value, "%d %B %Y"))
    return value


def list_url(kind: str) -> str:
    return reverse(f"admin:{KINDS[kind].model._meta.label_lower.replace('.', '_')}_changelist")


def rows_url(source: Import) -> str:
    """The list of the rows that the import has written; all rows if it has written none."""
    change_set = source.counts.get("change_set")
    query = f"?{urlencode({filters.ChangeSetFilter.parameter: change_set})}" if change_set else ""
    return f"{list_url(source.kind)}{query}"


def _page(source: Import) -> str:
    return reverse("admin:imports_import_change", args=[source.pk])
