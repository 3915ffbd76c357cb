"""Undo of an import, and undo of that undo: one undo of the journal, run by the worker like the import."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.changes import change_set
from crm_project.errors import Conflict, DomainError
from crm_project.imports.errors import stored
from crm_project.imports.models import Import
from crm_project.imports.running import check_constraints, extend_statement_timeout, mark, rare_collections
from crm_project.journal import undo
from crm_project.journal.models import Event
from crm_project.journal.undo import UndoneElsewhere
from crm_project.languages.figures import number
from crm_project.records.kinds import kinds
from crm_project.records.locks import free_keys

States = Import.States
# Number of field errors in the problem of a refused undo.
LISTED_ERRORS = 3
# Rows that a request can undo in about a second. Its locks are held as long, that of the journal's counter included.
IN_REQUEST = 2_000


def take_back(source: Import, actor: Actor) -> None:
    """Undo an import, or the undo of an import that is undone. A refusal changes nothing."""
    last = source.counts.get("undone_by") or source.counts["change_set"]
    with rare_collections(), free_keys(), change_set(actor) as changes:
        extend_statement_timeout()
        event = Event.objects.of_change_set(actor.organization_id, UUID(last)).first()
        stayed = 0
        if event is not None:  # an import of unchanged rows has no event
            keep_changed = source.task == Import.Tasks.UNDO_UNCHANGED
            stayed = undo.take_back(actor=actor, event=event, keep_changed=keep_changed).stayed
            check_constraints()
        mark(source, **_columns_after(source, changes.uuid, stayed), problem="")


def rows_of_undo_unchanged(source: Import, actor: Actor) -> Counter[Any]:
    """The number of rows of each model that an undo would change which leaves the changed rows as they are.

    It is tried and rolled back. None of a large import, whose undo takes longer than a request may.
    """
    event = Event.objects.of_change_set(actor.organization_id, UUID(source.counts["change_set"])).first()
    if event is None or _changed_rows(source) > IN_REQUEST:
        return Counter()
    with transaction.atomic():
        try:
            result = undo.take_back(actor=actor, event=event, keep_changed=True)
            rows = {(recorded.kind, recorded.row_id) for recorded in result.changes.recorded}
        except DomainError:
            rows = set()
        transaction.set_rollback(True)
    return Counter(kinds[kind].model for kind, _ in rows)


def _changed_rows(source: Import) -> int:
    return sum(source.counts[name] for name in ("created", "updated"))


def _columns_after(source: Import, by: UUID, stayed: int = 0) -> dict[str, Any]:
    """State and counts of an import after the change set `by` has undone it, or its undo, but for rows that stayed."""
    counts = {name: value for name, value in source.counts.items() if name not in ("undone_by", "stayed")}
    if source.state_at_rest == States.DONE:
        undone = {"undone_by": str(by), **({"stayed": stayed} if stayed else {})}
        return {"state": States.UNDONE, "counts": counts | undone}
    return {"state": States.DONE, "counts": counts}


UNDO_AS_A_WHOLE = gettext_noop(
    "An import of %(rows)s rows made this change. It can only be undone as a whole: %(file)s."
)
UNDO_BY_OTHERS = gettext_noop(
    "An import of %(rows)s rows made this change. Only its author or an admin can undo it, as a whole."
)


def refuse_large_undo(actor: Actor, change_set: UUID) -> None:
    """Refuse the undo of a large import, which the worker runs. The refusal refers to the page of the import."""
    source = _import_of(actor.organization_id, change_set)
    rows = _changed_rows(source) if source else 0
    if source is None or rows <= IN_REQUEST:
        return
    params = {"rows": number(rows), "file": source.file_name}
    if not Import.objects.visible_to(actor.member).filter(pk=source.pk).exists():
        raise Conflict(UNDO_BY_OTHERS, params, code="import_undo")
    extra: dict[str, Any] = {"import": str(source.uuid)}
    raise UndoneElsewhere(UNDO_AS_A_WHOLE, params, code="import_undo", row=source, **extra)


def follow_undo(actor: Actor, undone: UUID, by: UUID) -> None:
    """Update a small import that was undone, or whose undo was undone, from the history of a row."""
    related = _import_of(actor.organization_id, undone)
    source = related and Import.objects.select_for_update(of=("self",)).get(pk=related.pk)
    if source and not source.is_busy:
        Import.objects.filter(pk=source.pk).update(**_columns_after(source, by), problem="")


def _import_of(organization_id: int, change_set: UUID) -> Import | None:
    """The import that a change set ran, or that it undid, directly or by the undo of an undo."""
    current: UUID | None = change_set
    while current is not None:
        source: Import | None = Import.objects.of_change_set(organization_id, current).first()
        if source is not None:
            return source
        current = (
            Event.objects.of_change_set(organization_id, current).values_list("undoes", flat=True).first()
        )
    return None


def undo_problem(refusal: DomainError) -> list[dict[str, Any]]:
    """Why an import cannot be undone, as stored sentences: the refusal, and the first of its field errors."""
    named = {
        f"{wrong.field}: {wrong.detail}": stored(wrong.template, wrong.params, wrong.field)
        for wrong in refusal.fields
    }
    sentences = [stored(gettext_noop("Nothing was undone.")), stored(refusal.template, refusal.params)]
    sentences += list(named.values())[:LISTED_ERRORS]
    if len(named) > LISTED_ERRORS:
        sentences.append(stored(gettext_noop("And %(count)s more."), {"count": len(named) - LISTED_ERRORS}))
    return sentences
