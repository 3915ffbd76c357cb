"""Services of imports: upload, change the mapping, request a preview, a run or an undo, discard."""

import datetime
from collections.abc import Mapping
from itertools import islice
from typing import Any

from django.conf import settings
from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import before_storing, change_set
from crm_project.errors import Conflict, FieldError, NotFound, refuse_fields
from crm_project.imports import profiles, tasks
from crm_project.imports.files import Upload, keep, local_copy
from crm_project.imports.kinds import import_kind
from crm_project.imports.kinds.base import ImportKind
from crm_project.imports.kinds.values import choice_errors
from crm_project.imports.mapping import (
    DEFAULTS,
    guess_mapping,
    habits_of_export,
    header_digest,
    mapping_errors,
    option_errors,
)
from crm_project.imports.models import Import, ImportChunk, RefusedRow
from crm_project.imports.new_fields import PREFIX as NEW_FIELD
from crm_project.imports.questions import (
    Notations,
    answer_errors,
    kind_options,
    open_questions,
    unknown_values,
)
from crm_project.imports.refusals import COLUMNS, is_error_file
from crm_project.imports.sources import source_of
from crm_project.imports.tables.opening import open_rows, sniff_format, sniff_options

States = Import.States


def upload_file(*, actor: Actor, kind: str, upload: Upload) -> Import:
    """Store the file and read its columns. The mapping is that of the last file with the same columns, or a guess."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        delete_old_files()
        file_format = sniff_format(upload.file)
        language = actor.member.language or actor.organization.language
        source = Import(
            organization_id=actor.organization_id,
            member=actor.member,
            kind=kind,
            file_name=upload.name,
            format=file_format,
            size=upload.size,
            options={**DEFAULTS, **sniff_options(upload.file, file_format, language)},
        )
        _read_columns(actor, source, upload.file)
        source.save(force_insert=True)
        keep(source, upload)
        return source


def change_import(*, actor: Actor, source: Import, change: Mapping[str, Any]) -> Import:
    """Change mapping and options. Another encoding, delimiter or sheet means other columns and a new guess."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        row = _locked(actor, source)
        _require_file(row)
        _require_not_done(row)
        sent = dict(change.get("options") or {})
        refuse_fields(option_errors(sent, row.format))
        labels = [column["label"] for column in row.columns]
        row.options = {**row.options, **sent}
        if sent.keys() & {"encoding", "delimiter", "sheet"}:
            with local_copy(row) as file:
                _read_columns(actor, row, file)
            row.options |= sent
            if [column["label"] for column in row.columns] != labels and "mapping" not in change:
                row.is_mapping_chosen = False
        if "mapping" in change:
            _choose_mapping(actor, row, change["mapping"] or {})
        if "value_choices" in change:
            _choose_values(actor, row, change["value_choices"] or {})
        if "answers" in change:
            refuse_fields(answer_errors(change["answers"], questions_of(actor, row)))
            row.answers = {**row.answers, **change["answers"]}
        row.state, row.task, row.counts, row.examples, row.problem = States.READY, "", {}, [], ""
        row.summary = {}
        before_storing()
        row.save()
        row.refused_rows.all().delete()
        return row


def ask_for(*, actor: Actor, source: Import, task: str) -> Import:
    """Queue the preview or the run: a task of this transaction."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        row = _locked(actor, source)
        _require_file(row)
        _require_not_done(row)
        if not any(row.mapping.values()):
            refuse_fields([FieldError("mapping", "required", "No column is mapped to a field.")])
        if task == Import.Tasks.RUN:
            refuse_fields(open_questions(questions_of(actor, row)))
        row.counts, row.examples, row.summary = {}, [], {}
        return _queue(actor, row, task)


def ask_to_undo(*, actor: Actor, source: Import, keep_changed: bool = False) -> Import:
    """Queue the undo of an import, or the undo of that undo; perhaps without the rows that have been changed since."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        row = _locked(actor, source)
        if row.state not in (States.DONE, States.UNDONE):
            raise Conflict("This file has not been imported.", code="not_undoable")
        return _queue(actor, row, Import.Tasks.UNDO_UNCHANGED if keep_changed else Import.Tasks.UNDO)


def questions_of(actor: Actor, source: Import) -> list[dict[str, Any]]:
    """What the columns leave open, with the answers."""
    kind = import_kind(source.kind, actor, kind_options(source))
    return Notations(source, kind.by_key, actor.organization).questions()


def values_of(actor: Actor, source: Import) -> list[dict[str, Any]]:
    """The values of the file that are unknown here, with what can be chosen for each and what was chosen."""
    return unknown_values(source, import_kind(source.kind, actor, kind_options(source)))


def _choose_values(actor: Actor, row: Import, sent: Mapping[str, Any]) -> None:
    """Null takes a choice back; values that are not sent keep theirs."""
    refuse_fields(choice_errors(sent, import_kind(row.kind, actor).value_fields))
    for key, chosen in sent.items():
        kept = {**row.value_choices.get(key, {}), **chosen}
        row.value_choices[key] = {text: value for text, value in kept.items() if value is not None}


def _queue(actor: Actor, row: Import, task: str) -> Import:
    row.asked_by = actor.member
    row.token_uuid = actor.token.uuid if actor.token else None
    row.state, row.task, row.attempt, row.progress, row.problem = States.QUEUED, task, 0, 0, ""
    row.queued_at, row.started_at, row.finished_at = timezone.now(), None, None
    row.save()
    tasks.enqueue(row)
    return row


def discard_import(*, actor: Actor, source: Import) -> None:
    """Delete the file with its report, mapping and options; imported rows stay."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        row = _locked(actor, source)
        row.refused_rows.all().delete()
        row.chunks.all().delete()
        row.delete()


def old_files(now: datetime.datetime) -> Any:
    """The imports whose file is older than IMPORT_KEEP_DAYS."""
    before = now - datetime.timedelta(days=settings.IMPORT_KEEP_DAYS)
    old = Import.objects.filter(created_at__lt=before, file_deleted_at=None)
    return old.exclude(state__in=[States.QUEUED, States.WORKING])


def delete_old_files(now: datetime.datetime | None = None) -> int:
    """Delete files, which hold personal data, and refused rows after IMPORT_KEEP_DAYS; returns the number of files."""
    now = now or timezone.now()
    ids = list(old_files(now).values_list("id", flat=True)[:100])
    ImportChunk.objects.filter(source__in=ids).delete()
    RefusedRow.objects.filter(source__in=ids).delete()
    for row in Import.objects.filter(pk__in=ids):
        row.columns = [{"label": column["label"], "samples": []} for column in row.columns]
        row.examples, row.summary, row.file_deleted_at = [], {}, now
        row.save(update_fields=["columns", "examples", "summary", "file_deleted_at"])
    return len(ids)


def _locked(actor: Actor, source: Import) -> Import:
    row: Import | None = (
        Import.objects.visible_to(actor.member).select_for_update(of=("self",)).filter(pk=source.pk).first()
    )
    if row is None:
        raise NotFound
    if row.is_busy:
        raise Conflict("This import is running. Wait until it has ended.", code="import_busy")
    return row


def _require_not_done(row: Import) -> None:
    if row.state in (States.DONE, States.UNDONE):
        raise Conflict(
            "This file has been imported already. Upload it again to import it once more.", code="import_done"
        )


def _require_file(row: Import) -> None:
    if row.file_deleted_at is not None:
        raise Conflict("The file has been deleted. Upload it again.", code="file_deleted")


def _read_columns(actor: Actor, source: Import, file: Any) -> None:
    table = open_rows(file, source)
    # The error file is the file of its import, with two columns more.
    labels = table.labels[: -len(COLUMNS)] if is_error_file(table.labels) else table.labels
    source.header_digest = header_digest(labels)
    known = source_of(source.kind, labels)
    source.recognized_as = known.key if known else ""
    kind = import_kind(source.kind, actor, {"recognized_as": source.recognized_as})
    fields = kind.fields
    source.sheets = list(table.sheets)
    rows = iter(table.rows)
    habits = habits_of_export(table.labels, fields, source.options)
    source.columns = profiles.profile_of(table.labels, islice(rows, profiles.ROWS_AT_UPLOAD), habits=habits)
    source.is_profiled = next(rows, None) is None
    source.answers = {}
    if known:
        source.options["external_system"] = known.system
    continued = _continued(source) if labels is not table.labels else None
    earlier = continued or _earlier(source)
    mapping = _earlier_mapping(source, earlier, labels, kind) or _guessed(source, labels, kind)
    source.mapping = {label: mapping.get(label) for label in table.labels}
    source.value_choices = continued.value_choices if continued else _earlier_choices(source)
    if continued:
        _continue(actor, source, continued)


def _guessed(source: Import, labels: list[str], kind: ImportKind[Any]) -> dict[str, str | None]:
    """The fields that the headers name, and those that they make."""
    mapping = guess_mapping(labels, kind.fields, kind.source)
    free = [
        column for column in source.columns if column["label"] in mapping and not mapping[column["label"]]
    ]
    return {**mapping, **kind.guess_made(free)}


def _continued(source: Import) -> Import | None:
    """The last import of these columns that has refused rows."""
    files = Import.objects.filter(organization_id=source.organization_id, kind=source.kind)
    same = files.filter(header_digest=source.header_digest, refused_rows__isnull=False)
    found: Import | None = same.order_by("-created_at", "-id").first()
    return found


def _continue(actor: Actor, source: Import, earlier: Import) -> None:
    """Read the rows as their import has read the others."""
    for name in ("decimal", "date_order", "currency"):
        source.options[name] = earlier.options.get(name, source.options[name])
    kind = import_kind(source.kind, actor, kind_options(earlier))
    notations = Notations(earlier, kind.by_key, actor.organization)
    for column in source.columns:
        for name in ("decimal", "date_order"):
            notation = notations.notation(column["label"], name)
            if len(column[name]["choices"]) > 1 and notation in column[name]["choices"]:
                source.answers[column["label"]] = notation


def _earlier(source: Import) -> Import | None:
    """The last file with these columns whose mapping was chosen."""
    found: Import | None = Import.objects.with_chosen_mapping(
        organization_id=source.organization_id, kind=source.kind, header_digest=source.header_digest
    ).first()
    return found


def _earlier_choices(source: Import) -> dict[str, Any]:
    """What was chosen for values in the last file of the same source, or with the same columns."""
    files = Import.objects.filter(organization_id=source.organization_id, kind=source.kind)
    same = files.filter(header_digest=source.header_digest)
    if source.recognized_as:
        same = files.filter(recognized_as=source.recognized_as)
    chosen = (
        same.exclude(value_choices={}).order_by("-created_at", "-id").values_list("value_choices", flat=True)
    )
    return chosen.first() or {}


def _earlier_mapping(
    source: Import, earlier: Import | None, labels: list[str], kind: ImportKind[Any]
) -> dict[str, Any] | None:
    """The mapping and options that were chosen for these columns before, without fields that no longer exist."""
    if earlier is None:
        return None
    keys = {
        name: field.key
        for field in kind.fields
        if not field.is_read_only
        for name in (*field.names, field.key)
    }
    chosen = {label: earlier.mapping.get(label) for label in labels}
    for name in ("match_on", "external_system", "empty_cells"):
        source.options[name] = earlier.options.get(name, source.options[name])
    made = {key: key for key in chosen.values() if key and kind.made_field(key)}
    return {label: (keys | made).get(key) for label, key in chosen.items()}


def _choose_mapping(actor: Actor, row: Import, sent: Mapping[str, Any]) -> None:
    """Columns that are not sent keep their field; several columns may fill one field, and the first filled one does."""
    labels = [column["label"] for column in row.columns]
    kind = import_kind(row.kind, actor)
    types = {column["label"]: column.get("type", "text") for column in row.columns}
    # A new field without a type has the one that suits its column.
    sent = {
        label: f"{NEW_FIELD}:{types.get(label)}" if key == NEW_FIELD else key for label, key in sent.items()
    }
    refuse_fields(mapping_errors(sent, labels, kind.fields, kind.may_map))
    row.mapping = {label: {**row.mapping, **sent}.get(label) for label in labels}
    row.is_mapping_chosen = True
