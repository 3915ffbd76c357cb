"""The import itself, one transaction: all or nothing, or the good rows alone; a preview is the run, undone."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.changes import attempt, change_set
from crm_project.errors import DomainError, FieldError, RowsRefused
from crm_project.imports.errors import UnreadableFile
from crm_project.imports.fields import cell_of
from crm_project.imports.files import local_copy
from crm_project.imports.kinds import kind_for
from crm_project.imports.kinds.base import RowKind, Values
from crm_project.imports.models import Import, RefusedRow
from crm_project.imports.tables import SourceLine, Table
from crm_project.imports.tables.opening import open_table
from crm_project.records.bulk_sql import insert_rows
from crm_project.records.locks import free_keys
from crm_project.records.planner_statistics import analyze_tables
from crm_project.spilling_list import SpillingList
from deals.models import Deal

CHUNK = 1_000
EXAMPLES = 20
# About as many objects as a chunk makes.
COLLECT_AFTER = 100_000
# What is shown of a refused row's cell; the error file is made to be mended, so it holds all of the row.
CELL_SHOWN = 100_000

Progress = Callable[[int], None]


class PreviewRollback(Exception):
    """Ends the transaction of a preview, or of a run that refused a row, without leaving anything."""


@dataclass
class Report:
    """What became of the rows, or would; the refused ones with their lines."""

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)
    refused: SpillingList[RefusedRow] = field(default_factory=SpillingList)

    @property
    def counts(self) -> dict[str, int]:
        names = ("created", "updated", "unchanged")
        return {
            "rows": self.rows,
            **{name: self.outcomes[name] for name in names},
            "refused": len(self.refused),
        }


@dataclass(frozen=True)
class _Candidate:
    line: SourceLine
    change: Values


class Runner:
    """Carries one import through its file."""

    def __init__(self, source: Import, actor: Actor, progress: Progress) -> None:
        self.source = source
        self.actor = actor
        self.progress = progress
        self.kind: RowKind[Any] = kind_for(source.kind, actor, source.options)
        self.report = Report()
        self.keys: dict[tuple[Any, ...], int] = {}
        self.places: list[tuple[str, int]] = []
        self.width = 0

    def run(self) -> Report:
        """Do it all; `finish` marks the import in the same transaction that writes its rows."""
        preview = self.source.task == Import.Tasks.PREVIEW
        skipping = self.source.options["bad_rows"] == "skip"
        try:
            with (
                rare_collections(),
                local_copy(self.source) as file,
                free_keys(),
                change_set(self.actor) as changes,
            ):
                take_time()
                self._write_all(open_table(file, self.source.format, self.source.options))
                if preview or (self.report.refused and not skipping):
                    raise PreviewRollback
                if self.report.rows >= CHUNK:
                    analyze_tables((Contact, Deal))
                check_constraints()
                insert_refused(self.report)
                finish(self.source, Import.States.DONE, self.report, change_set=str(changes.uuid))
        except PreviewRollback:
            state = Import.States.PREVIEWED if preview else Import.States.REFUSED
            with transaction.atomic():
                insert_refused(self.report)
                finish(self.source, state, self.report)
        return self.report

    def _write_all(self, table: Table) -> None:
        index = {label: place for place, label in enumerate(table.labels)}
        self.width = len(table.labels)
        self.places = [
            (key, index[label]) for label, key in self.source.mapping.items() if key and label in index
        ]
        while chunk := list(islice(table.rows, CHUNK)):
            self._write_chunk(chunk)
            self.report.rows += len(chunk)
            self.progress(self.report.rows)
        if not self.report.rows:
            raise UnreadableFile("The file has a header and no rows below it; there is nothing to import.")

    def _write_chunk(self, lines: Sequence[SourceLine]) -> None:
        candidates = list(self._readable(lines))
        while candidates:
            try:
                with attempt():
                    receipts = self.kind.write([candidate.change for candidate in candidates])
                break
            except RowsRefused as refused:
                errors = refused.errors
            except DomainError as error:
                if len(candidates) > 1:
                    raise  # of no row, but of all: the actor may not, say
                errors = {0: error}
            for index, refusal in errors.items():
                self._refuse(candidates[index].line, _told(refusal))
            candidates = [candidate for index, candidate in enumerate(candidates) if index not in errors]
        else:
            return
        for candidate, receipt in zip(candidates, receipts, strict=True):
            self._count(candidate.line, receipt)

    def _readable(self, lines: Sequence[SourceLine]) -> Iterator[_Candidate]:
        """The rows that can be read and whose key no earlier row has; the others are refused here."""
        for line in lines:
            change, errors = self._read(line)
            if errors:
                self._refuse(line, errors)
                continue
            key = self.kind.key_of(change)
            first = self.keys.setdefault(key, line.number) if key is not None else line.number
            if first != line.number:
                detail = f"The row at line {first} has the same key; one file changes a row once."
                self._refuse(line, [FieldError(_field_of(key), "row_twice", detail)])
                continue
            yield _Candidate(line, change)

    def _read(self, line: SourceLine) -> tuple[Values, list[FieldError]]:
        if any(cell not in (None, "") for cell in line.cells[self.width :]):
            detail = f"The row has {len(line.cells)} cells, the header {self.width}."
            return {}, [FieldError("", "too_many_cells", detail)]
        # A row that ends early has nothing in the columns that are missing.
        return self.kind.read({key: _cell(line, place) for key, place in self.places})

    def _count(self, line: SourceLine, receipt: Any) -> None:
        self.report.outcomes[receipt.outcome] += 1
        if self.report.outcomes[receipt.outcome] <= EXAMPLES:
            self.report.examples.append(
                {
                    "line": line.number,
                    "outcome": receipt.outcome,
                    "name": str(receipt.row)[:255],
                    "changed": receipt.changed,
                }
            )

    def _refuse(self, line: SourceLine, errors: Sequence[FieldError]) -> None:
        label_of = {key: label for label, key in self.source.mapping.items() if key}
        told = [
            {
                "column": label_of.get(error.field, ""),
                "field": error.field,
                "label": self._label(error.field),
                "code": error.code,
                "detail": error.detail,
            }
            for error in errors
        ]
        cells = [_storable(cell) for cell in line.cells[:1000]]
        self.report.refused.append(RefusedRow(source=self.source, line=line.number, cells=cells, errors=told))

    def _label(self, key: str) -> str:
        field = self.kind.by_key.get(key)
        return field.label if field else key


@contextmanager
def rare_collections() -> Iterator[None]:
    """Rows are no part of any cycle: looking for one after every 700 objects took a third of an import's time."""
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def take_time() -> None:
    """The limit on a statement is made for requests; the commit of a great import checks all its events at once."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '10min'")


def check_constraints() -> None:
    """All that the commit would check, a million keys perhaps, before the journal's counter is locked for everybody.

    A run that is undone is spared it: a service lets no row through that names another organization's, or none.
    """
    if connection.vendor == "postgresql":
        connection.check_constraints()


def _cell(line: SourceLine, place: int) -> Any:
    return line.cells[place] if place < len(line.cells) else None


def _field_of(key: tuple[Any, ...] | None) -> str:
    return {"external_reference": "external_id"}.get(str(key[0]), str(key[0])) if key else ""


# What the core calls its fields, where a table calls them otherwise.
TABLE_NAMES = {
    "contact": "contact_uuid",
    "client": "client_uuid",
    "owner": "owner_email",
    "company": "company_uuid",
    "members": "participant_uuids",
    "followers": "follower_emails",
    "access_list": "access_list_emails",
    "next_deal": "next_deal_uuid",
}


def _told(error: DomainError) -> list[FieldError]:
    """The core's refusal in the table's words."""
    if not error.fields:
        field_name = {"reference_taken": "external_id", "not_found": "uuid", "row_twice": "uuid"}.get(
            error.code, ""
        )
        return [FieldError(field_name, error.code, error.template, error.params)]
    return [
        FieldError(_table_name(wrong.field), wrong.code, wrong.template, wrong.params)
        for wrong in error.fields
    ]


def _table_name(name: str) -> str:
    first, _, rest = name.partition(".")
    if first == "custom_fields":
        return f"custom_{rest}"
    if first == "external_references":
        return "external_system" if rest.endswith("system") else "external_id"
    return TABLE_NAMES.get(first, first)


def _storable(cell: Any) -> str:
    """As JSON and both databases hold it."""
    shown = cell_of(cell)[:CELL_SHOWN]
    return shown.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def insert_refused(report: Report) -> None:
    """After the transaction of the rows has ended, unless it is kept."""
    refused = iter(report.refused)
    while batch := list(islice(refused, CHUNK)):
        insert_rows(batch)


def finish(
    source: Import, state: str, report: Report | None, *, change_set: str = "", problem: str = ""
) -> None:
    """Tell what became of the import, unless another worker has taken it over meanwhile: then nothing is kept."""
    counts = {**(report.counts if report else {}), **({"change_set": change_set} if change_set else {})}
    mark(
        source,
        state=state,
        counts=counts,
        examples=report.examples if report else [],
        progress=report.rows if report else 0,
        problem=problem,
    )


def mark(source: Import, **columns: Any) -> None:
    """The last write of a worker: what became of the import it has taken."""
    taken = Import.objects.filter(pk=source.pk, attempt=source.attempt, state=Import.States.WORKING)
    if not taken.update(finished_at=timezone.now(), **columns):
        raise Superseded


class Superseded(Exception):
    """Another worker took this import for abandoned and has begun it again."""
