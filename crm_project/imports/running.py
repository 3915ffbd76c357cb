"""Run an import in one transaction: all rows, none, or the valid ones. A preview is a run that is rolled back."""

import datetime
import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import IO, Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.changes import ChangeSet, attempt, change_set
from crm_project.database import allow_long_statements
from crm_project.errors import DomainError, FieldError, Invalid, RowsRefused
from crm_project.imports.cells import CellFormat, is_empty
from crm_project.imports.errors import UnreadableFile, stored
from crm_project.imports.fields import cell_of
from crm_project.imports.files import local_copy
from crm_project.imports.hooks import hooks
from crm_project.imports.instants import leave_out_cut
from crm_project.imports.kinds import KINDS, import_kind
from crm_project.imports.kinds.base import ImportKind, Values
from crm_project.imports.mapping import export_language, habits_of_export
from crm_project.imports.models import Import, RefusedRow
from crm_project.imports.new_fields import create_fields, new_field, options_of
from crm_project.imports.profiles import profile_of
from crm_project.imports.questions import Notations, kind_options, open_questions
from crm_project.imports.snapshots import snapshot
from crm_project.imports.sources import source_named
from crm_project.imports.tables import SourceLine, Table
from crm_project.imports.tables.opening import open_rows
from crm_project.records.bulk_sql import insert_rows
from crm_project.records.kinds import kind_of
from crm_project.records.locks import free_keys
from crm_project.records.planner_statistics import analyze_tables, lacks_statistics
from crm_project.spilling_list import SpillingList
from crm_project.write_queue import write_transaction

CHUNK = 500
EXAMPLES = 20
# Different errors that a report sums up, and first values of what is left out.
PROBLEMS = 20
SAMPLES = 3
# About as many objects as a chunk of rows creates.
COLLECT_AFTER = 50_000
# Longest part of a refused row's cell that is stored. The error file is meant to be corrected, so it is generous.
CELL_STORED = 100_000

Progress = Callable[[int], None]


class PreviewRollback(Exception):
    """Rolls back the transaction of a preview, or of a run that refused a row."""


@dataclass
class Report:
    """The outcome of each row, or its expected outcome in a preview, and the refused rows with their lines."""

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)
    refused: SpillingList[RefusedRow] = field(default_factory=SpillingList)
    # The number of rows of each error, by column and template, or text if it names an unknown value; and its texts.
    problems: Counter[tuple[str, str]] = field(default_factory=Counter)
    details: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    # What was not taken from columns that have a field, by column and reason: the number of rows, with the first cells.
    further: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    further_rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Created rows of other kinds, by kind.
    beside: Counter[str] = field(default_factory=Counter)
    rows_left_out: int = 0

    @property
    def counts(self) -> dict[str, int]:
        names = ("created", "updated", "unchanged")
        return {
            "rows": self.rows,
            **{name: self.outcomes[name] for name in names},
            "refused": len(self.refused),
        }

    def note_further(self, label: str, texts: Sequence[str], reason: str = "further") -> None:
        self.further_rows[label, reason] += 1
        samples = self.further.setdefault((label, reason), [])
        samples += [text[:80] for text in texts][: SAMPLES - len(samples)]

    def note_problem(self, column: str, error: FieldError) -> None:
        """Unknown values are summed up by value, other errors by their kind, with the first one as the example."""
        kept = stored(error.template, error.params)
        kept["detail"] = kept["detail"][:300]
        key = (column, kept["detail"] if error.code == "does_not_exist" else error.template)
        self.problems[key] += 1
        self.details.setdefault(key, kept)

    def summary(self, source: Import) -> dict[str, Any]:
        """What the counts do not tell: errors, what is left out, and what is created beside the rows."""
        unmapped = [
            {
                "column": column["label"],
                "rows": column.get("filled", 0),
                "samples": column["samples"],
                "reason": "unmapped",
            }
            for column in source.columns
            if column.get("filled") and not source.mapping.get(column["label"])
        ]
        further = [
            {"column": label, "rows": count, "samples": self.further[label, reason], "reason": reason}
            for (label, reason), count in self.further_rows.items()
        ]
        return {
            "problems": [
                {"column": key[0], "rows": count, **self.details[key]}
                for key, count in self.problems.most_common(PROBLEMS)
            ],
            "left_out": [*unmapped, *further],
            "rows_left_out": self.rows_left_out,
            "created_beside": dict(self.beside),
        }

    def forget_outcomes(self) -> None:
        """Keep the refused rows alone: the others were rolled back."""
        self.outcomes.clear()
        self.examples.clear()


@dataclass(frozen=True)
class _Candidate:
    line: SourceLine
    change: Values


class Runner:
    """Imports the rows of one file."""

    def __init__(self, source: Import, actor: Actor, progress: Progress) -> None:
        self.source = source
        self.actor = actor
        self.progress = progress
        self.kind: ImportKind[Any] = import_kind(source.kind, actor, kind_options(source))
        self.report = Report()
        # The field of each column, in which new custom fields have their keys once they are created.
        self.mapping: dict[str, str | None] = dict(source.mapping)
        # The line of each key, by its digest: the keys of a great file would be most of what an import remembers.
        self.lines: dict[bytes, int] = {}
        # The columns of each field by label and place, in the order of the file.
        self.places: dict[str, list[tuple[str, int]]] = {}
        self.formats: dict[str, CellFormat] = {}
        self.has_further = False
        self.single: list[tuple[str, int]] = []
        self.key_formats: dict[str, CellFormat] = {}
        self.width = 0
        self.is_export = False
        self.zone: datetime.tzinfo = datetime.UTC

    def run(self) -> Report:
        """Import the file; `finish` updates the import in the transaction that writes its rows."""
        preview = self.source.task == Import.Tasks.PREVIEW
        skipping = self.source.options["bad_rows"] == "skip"
        try:
            with (
                rare_collections(),
                snapshot() if preview else nullcontext(),
                local_copy(self.source) as file,
                free_keys(),
                change_set(self.actor) as changes,
            ):
                extend_statement_timeout()
                changes.import_uuid = self.source.uuid
                self._profile(file)
                self._create_fields(file)
                self.kind.prepare(self._pairs(file))
                self._write_all(open_rows(file, self.source))
                self._count_beside(changes)
                if preview or (self.report.refused and not skipping):
                    raise PreviewRollback
                if self.report.rows >= CHUNK:
                    analyze_tables(imported_tables())
                check_constraints()
                insert_refused(self.report)
                self.source.mapping = self.mapping
                finish(self.source, Import.States.DONE, self.report, change_set=str(changes.uuid))
        except PreviewRollback:
            state = Import.States.PREVIEWED if preview else Import.States.REFUSED
            if not preview:
                self.report.forget_outcomes()
            with transaction.atomic():
                insert_refused(self.report)
                finish(self.source, state, self.report)
        return self.report

    def _profile(self, file: IO[bytes]) -> None:
        """Read a large file to its end, which the upload has not done. A run waits for answers; a preview does not."""
        if not self.source.is_profiled:
            table = open_rows(file, self.source)
            habits = habits_of_export(table.labels, self.kind.fields, self.source.options)
            self.source.columns = profile_of(table.labels, table.rows, habits=habits)
            self.source.is_profiled = True
            self.kind = import_kind(self.source.kind, self.actor, kind_options(self.source))
        notations = Notations(self.source, self.kind.by_key, self.actor.organization)
        unanswered = open_questions(notations.questions())
        if unanswered and self.source.task == Import.Tasks.RUN:
            open_ones = [
                question["column"] for question in notations.questions() if question["answer"] is None
            ]
            columns = ", ".join(dict.fromkeys(open_ones))
            template = gettext_noop(
                "Cells can be read in several ways in: %(columns)s. Say which one is meant, and import again."
            )
            raise Invalid(template, {"columns": columns}, fields=unanswered)

    def _create_fields(self, file: IO[bytes]) -> None:
        """Define the custom fields that columns are mapped to, and map the columns to them."""
        found = {label: new_field(key) for label, key in self.mapping.items() if key}
        columns = {label: field for label, field in found.items() if field}
        if not columns:
            return
        table = open_rows(file, self.source)
        options = options_of(table.labels, table.rows, columns)
        kind = self.kind.declaration.name
        self.mapping |= create_fields(actor=self.actor, kind=kind, columns=columns, options=options)
        mapped = list(filter(None, self.mapping.values()))
        self.kind = import_kind(self.source.kind, self.actor, {**kind_options(self.source), "mapped": mapped})

    def _count_beside(self, changes: ChangeSet) -> None:
        """Count the created rows that are no rows of the file."""
        created = Counter(
            {kind: count for (kind, action), count in changes.counts.items() if action == "created"}
        )
        created[self.kind.declaration.name] -= self.report.outcomes["created"]
        self.report.beside = +created

    def _pairs(self, file: IO[bytes]) -> Iterator[dict[str, str]]:
        """The texts of the fields with values of each row."""
        table = open_rows(file, self.source)
        self._place(table.labels)
        for line in table.rows:
            chosen = self._chosen(line)
            yield {key: text_of_cell(chosen[key][1]) for key in self.kind.prepared_keys if key in chosen}

    def _place(self, labels: Sequence[str]) -> None:
        """Find the columns of each field, and how they are read."""
        index = {label: place for place, label in enumerate(labels)}
        self.width = len(labels)
        self.places = {}
        for label, key in self.mapping.items():
            if key and label in index:
                self.places.setdefault(key, []).append((label, index[label]))
        known = source_named(self.source.kind, self.source.recognized_as)
        for key, label in known.also.items() if known else ():
            if key not in self.places and label in index:
                self.places[key] = [(label, index[label])]
        self.has_further = any(len(places) > 1 for places in self.places.values())
        notations = Notations(self.source, self.kind.by_key, self.actor.organization)
        self.formats = {label: notations.format_of(label) for label in labels}
        self.is_export = export_language(labels, self.kind.fields) is not None
        self.zone = notations.zone
        # If each field has one column, which most files have, nothing is chosen for each row.
        self.single = [(key, places[0][1]) for key, places in self.places.items()]
        self.key_formats = {key: self.formats[places[0][0]] for key, places in self.places.items()}

    def _write_all(self, table: Table) -> None:
        self._place(table.labels)
        # Each time that a first import has doubled the rows: see `analyze_tables`.
        analyze_at = CHUNK if lacks_statistics(self.kind.model) else None
        while chunk := list(islice(table.rows, CHUNK)):
            self._write_chunk(chunk)
            self.report.rows += len(chunk)
            self.progress(self.report.rows)
            if analyze_at and self.report.rows >= analyze_at:
                analyze_tables(imported_tables())
                analyze_at = 2 * self.report.rows
        self.report.rows_left_out = table.left_out
        if not self.report.rows:
            raise UnreadableFile("The file has a header and no rows below it; there is nothing to import.")

    def _write_chunk(self, lines: Sequence[SourceLine]) -> None:
        candidates = list(self._readable(lines))
        if self.is_export:
            leave_out_cut(self.kind, [candidate.change for candidate in candidates], self.zone)
        while candidates:
            try:
                with attempt():
                    receipts = self.kind.write([candidate.change for candidate in candidates])
                break
            except RowsRefused as refused:
                errors = refused.errors
            except DomainError as error:
                if len(candidates) > 1:
                    raise  # not about one row: the actor lacks permission, for example
                errors = {0: error}
            for index, refusal in errors.items():
                self._refuse(candidates[index].line, self._field_errors(refusal))
            candidates = [candidate for index, candidate in enumerate(candidates) if index not in errors]
        else:
            return
        for candidate, receipt in zip(candidates, receipts, strict=True):
            self._count(candidate.line, receipt)
        if self.kind.ignorable:
            for candidate, receipt in zip(candidates, receipts, strict=True):
                self._note_ignored(candidate.line, receipt)

    def _readable(self, lines: Sequence[SourceLine]) -> Iterator[_Candidate]:
        """Yield the valid rows with a key that no earlier row has; refuse the others."""
        for line in lines:
            change, errors = self._read(line)
            if errors:
                self._refuse(line, errors)
                continue
            key = self.kind.key_of(change)
            first = self.lines.setdefault(_digest(key), line.number) if key is not None else line.number
            if first != line.number:
                template = gettext_noop(
                    "The row at line %(line)s has the same key; a file can change a row only once."
                )
                self._refuse(line, [FieldError(_field_of(key), "row_twice", template, {"line": first})])
                continue
            yield _Candidate(line, change)

    def _read(self, line: SourceLine) -> tuple[Values, list[FieldError]]:
        if any(cell not in (None, "") for cell in line.cells[self.width :]):
            params = {"cells": len(line.cells), "columns": self.width}
            template = gettext_noop("The row has %(cells)s cells, the header %(columns)s.")
            return {}, [FieldError("", "too_many_cells", template, params)]
        if not self.has_further:
            result = self.kind.read({key: _cell(line, place) for key, place in self.single}, self.key_formats)
        else:
            chosen = self._chosen(line)
            formats = {key: self.formats[label] for key, (label, _) in chosen.items()}
            result = self.kind.read({key: cell for key, (_, cell) in chosen.items()}, formats)
        if self.has_further or self.kind.left_over:
            self._note_further(line, self._chosen(line))
        return result

    def _chosen(self, line: SourceLine) -> dict[str, tuple[str, Any]]:
        """The first column of each field that is not empty, and its cell. A shorter row has empty cells at its end."""
        chosen = {}
        for key, places in self.places.items():
            found = [(label, _cell(line, place)) for label, place in places]
            chosen[key] = next((pair for pair in found if not is_empty(pair[1])), found[0])
        return chosen

    def _note_further(self, line: SourceLine, chosen: Mapping[str, tuple[str, Any]]) -> None:
        """Remember what a row has beside what is taken: other columns of a field, and other entries of a cell."""
        for key, places in self.places.items():
            label, cell = chosen[key]
            for other, place in places if len(places) > 1 else ():
                text = text_of_cell(_cell(line, place))
                if other != label and text and text != text_of_cell(cell):
                    self.report.note_further(other, [text])
        for key, entries in self.kind.left_over.items():
            self.report.note_further(chosen[key][0], entries)
        self.kind.left_over.clear()

    def _note_ignored(self, line: SourceLine, receipt: Any) -> None:
        """Remember the values that were left out when the row was written."""
        found = [key for key in receipt.ignored if key in self.kind.ignorable]
        chosen = self._chosen(line) if found else {}
        for key in found:
            label, cell = chosen[key]
            self.report.note_further(label, [text_of_cell(cell)], self.kind.ignorable[key])

    def _count(self, line: SourceLine, receipt: Any) -> None:
        self.report.outcomes[receipt.outcome] += 1
        if self.report.outcomes[receipt.outcome] <= EXAMPLES:
            self.report.examples.append(
                {
                    "line": line.number,
                    "outcome": receipt.outcome,
                    "name": str(receipt.row)[:255],
                    "changed": receipt.changed,
                    "row": self.kind.preview(receipt.row),
                }
            )

    def _refuse(self, line: SourceLine, errors: Sequence[FieldError]) -> None:
        label_of = {key: label for key, (label, _) in self._chosen(line).items()}
        for key, others in self.kind.stand_ins.items():
            label_of |= {
                other: label_of[key] for other in others if key in label_of and other not in label_of
            }
        described = [
            {
                "column": label_of.get(error.field, ""),
                "field": error.field,
                "label": self._label(error.field),
                "code": error.code,
                **stored(error.template, error.params),
            }
            for error in errors
        ]
        for error, entry in zip(errors, described, strict=True):
            self.report.note_problem(entry["column"] or entry["label"], error)
        cells = [_storable(cell) for cell in line.cells[:1000]]
        self.report.refused.append(
            RefusedRow(source=self.source, line=line.number, cells=cells, errors=described)
        )

    def _field_errors(self, error: DomainError) -> list[FieldError]:
        """The errors of a refusal by the service, with the keys of the import's fields."""
        if not error.fields:
            codes = {"reference_taken": "external_id", "not_found": "uuid", "row_twice": "uuid"}
            return [FieldError(codes.get(error.code, ""), error.code, error.template, error.params)]
        return [
            FieldError(self.kind.field_key(wrong.field), wrong.code, wrong.template, wrong.params)
            for wrong in error.fields
        ]

    def _label(self, key: str) -> str:
        field = self.kind.by_key.get(key)
        return field.label if field else key


def imported_tables() -> list[Any]:
    """The models of all kinds of rows that an import may create, with their parts."""
    declared = [kind_of(kind.model) for kind in KINDS.values()]
    return [model for kind in declared if kind for model in (kind.model, *kind.all_parts)]


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect garbage less often: rows are in no cycles. The default doubles the time of an import (9 s for 5 s)."""
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def extend_statement_timeout() -> None:
    """The configured limit is for requests; the commit of a large import checks all its events in one statement."""
    allow_long_statements(600)


def check_constraints() -> None:
    """Check the deferred foreign keys, perhaps a million, before the commit locks the journal's counter.

    A run that is rolled back does without: the services refuse rows that refer to another organization's rows.
    """
    if connection.vendor == "postgresql":
        connection.check_constraints()


def _cell(line: SourceLine, place: int) -> Any:
    return line.cells[place] if place < len(line.cells) else None


def text_of_cell(cell: Any) -> str:
    return cell.strip() if isinstance(cell, str) else cell_of(cell)


def _digest(key: tuple[Any, ...]) -> bytes:
    return blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _field_of(key: tuple[Any, ...] | None) -> str:
    return {"external_reference": "external_id"}.get(str(key[0]), str(key[0])) if key else ""


def _storable(cell: Any) -> str:
    """The text of a cell as JSON and both databases can store it."""
    text = cell_of(cell)[:CELL_STORED]
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def insert_refused(report: Report) -> None:
    """Store the refused rows: in the run's transaction if that is committed, else after its rollback."""
    refused = iter(report.refused)
    while batch := list(islice(refused, CHUNK)):
        insert_rows(batch)


def finish(
    source: Import,
    state: str,
    report: Report | None,
    *,
    change_set: str = "",
    problems: Sequence[dict[str, Any]] = (),
) -> None:
    """Store the outcome of an import. Raises Superseded if another worker has taken it over."""
    counts = {**(report.counts if report else {}), **({"change_set": change_set} if change_set else {})}
    with write_transaction():
        mark(
            source,
            state=state,
            counts=counts,
            examples=report.examples if report else [],
            progress=report.rows if report else 0,
            columns=source.columns,
            mapping=source.mapping,
            **with_problems(report.summary(source) if report else {}, problems),
            is_profiled=source.is_profiled,
        )
        for ended in hooks.after_run if source.task == Import.Tasks.RUN else ():
            ended(source)


def with_problems(summary: Mapping[str, Any], problems: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The columns of a problem: the text that the API answers, and in the summary what the admin makes it of."""
    text = " ".join(part["detail"] for part in problems)
    return {"problem": text, "summary": {**summary, **({"problem": list(problems)} if problems else {})}}


def mark(source: Import, **columns: Any) -> None:
    """Release an import that this worker has claimed. Raises Superseded if another worker has taken it over."""
    taken = Import.objects.filter(pk=source.pk, attempt=source.attempt, state=Import.States.WORKING)
    if not taken.update(finished_at=timezone.now(), **columns):
        raise Superseded


class Superseded(Exception):
    """Another worker considered this import abandoned and has started it again."""
