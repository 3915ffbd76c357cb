"""Taking an import back, and taking that back again: one undo of the journal, done by the worker like the import."""

from typing import Any
from uuid import UUID

from crm_project.accounts.actors import Actor
from crm_project.changes import change_set
from crm_project.errors import Conflict, DomainError
from crm_project.imports.models import Import
from crm_project.imports.running import check_constraints, mark, rare_collections, take_time
from crm_project.journal import undo
from crm_project.journal.models import Event
from crm_project.journal.undo import HasUndoOfItsOwn
from crm_project.records.locks import free_keys

States = Import.States
TOLD = 3
# What a request takes back in about a second; its locks, the journal's counter among them, are held for as long.
IN_REQUEST = 2_000


def take_back(source: Import, actor: Actor) -> None:
    """All that the import did becomes undone; of one that is undone, all comes back. A refusal leaves it as it is."""
    last = source.counts.get("undone_by") or source.counts["change_set"]
    with rare_collections(), free_keys(), change_set(actor) as changes:
        take_time()
        event = Event.objects.of_change_set(actor.organization_id, UUID(last)).first()
        if event is not None:  # a file of rows that were all there already did nothing
            undo.take_back(actor=actor, event=event)
            check_constraints()
        mark(source, **_turned(source, changes.uuid), problem="")


def _turned(source: Import, by: UUID) -> dict[str, Any]:
    """What an import is after this change set has undone it, or its undo."""
    counts = {name: value for name, value in source.counts.items() if name != "undone_by"}
    if source.state_at_rest == States.DONE:
        return {"state": States.UNDONE, "counts": counts | {"undone_by": str(by)}}
    return {"state": States.DONE, "counts": counts}


UNDO_AS_A_WHOLE = "This is the work of an import of %(rows)s rows, which is undone as a whole: %(file)s."
UNDO_BY_OTHERS = (
    "This is the work of an import of %(rows)s rows, which is undone as a whole by its author or by an admin."
)


def refuse_great_undo(actor: Actor, change_set: UUID) -> None:
    """The worker takes a great import back: whoever asks elsewhere is told where to ask for it."""
    source = _import_of(actor.organization_id, change_set)
    rows = sum(source.counts[name] for name in ("created", "updated")) if source else 0
    if source is None or rows <= IN_REQUEST:
        return
    params = {"rows": f"{rows:,}", "file": source.file_name}
    if not Import.objects.visible_to(actor.member).filter(pk=source.pk).exists():
        raise Conflict(UNDO_BY_OTHERS, params, code="import_undo")
    extra: dict[str, Any] = {"import": str(source.uuid)}
    raise HasUndoOfItsOwn(UNDO_AS_A_WHOLE, params, code="import_undo", row=source, **extra)


def follow_undo(actor: Actor, undone: UUID, by: UUID) -> None:
    """A small import that was taken back from a row's history, or whose undo was, tells so itself."""
    found = _import_of(actor.organization_id, undone)
    source = found and Import.objects.select_for_update(of=("self",)).get(pk=found.pk)
    if source and not source.is_busy:
        Import.objects.filter(pk=source.pk).update(**_turned(source, by), problem="")


def _import_of(organization_id: int, change_set: UUID) -> Import | None:
    """The import whose run this change set is, or its undo, or the undo of that, and so on."""
    at: UUID | None = change_set
    while at is not None:
        source: Import | None = Import.objects.that_did(organization_id, at).first()
        if source is not None:
            return source
        at = Event.objects.of_change_set(organization_id, at).values_list("undoes", flat=True).first()
    return None


def told(refusal: DomainError) -> str:
    """Why it cannot be undone: the sentence, and the first fields that somebody changed since."""
    fields = dict.fromkeys(f"{wrong.field}: {wrong.detail}" for wrong in refusal.fields)
    more = f" And {len(fields) - TOLD} more." if len(fields) > TOLD else ""
    return " ".join([f"Nothing was undone. {refusal.detail}", *list(fields)[:TOLD]]) + more
