"""Undo for the kinds that a `RowWriter` writes."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm_project.accounts.actors import Actor
from crm_project.changes import ChangeSet
from crm_project.errors import DomainError
from crm_project.journal.undo_conflicts import conflict, refuse_first
from crm_project.records import references
from crm_project.records.locks import for_update
from crm_project.records.writing.rows import RowWriter
from crm_project.records.writing.store import Draft


class RowUndoer:
    """The Undoer of the writer's kind. Restored values have to satisfy the rules of a write."""

    lists = ("external_references",)

    def __init__(self, writer: RowWriter) -> None:
        self.writer = writer

    def hold(self, actor: Actor, restored: Sequence[Mapping[str, Any]]) -> None:
        keys = [tuple(key) for before in restored for key in before.get("external_references") or ()]
        references.hold(self.writer.references, actor.organization_id, keys)

    def lock(
        self, actor: Actor, ids: Sequence[int], restored: Sequence[Mapping[str, Any]], *, rows: Any = None
    ) -> dict[int, Draft]:
        named = [{name: before.get(f"{name}_id") for name in self.writer.relations} for before in restored]
        self.writer.look_up(actor, list(ids), named)
        rows = self.writer.model.objects.seen_by(actor.member) if rows is None else rows
        drafts = [Draft.of(row) for row in for_update(rows.filter(pk__in=ids))]
        for draft in drafts:
            draft.row.organization = actor.organization
        references.note(self.writer.references, drafts)
        return {draft.row.pk: draft for draft in drafts}

    def revert(self, changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        live = [draft for draft in drafts if draft.row.deleted_at is None]
        gone = self.writer.gone(live)
        errors: dict[int, DomainError] = {}
        for index, draft in enumerate(live):
            if wrong := [*gone.get(index, ()), *self.writer.fit(draft.row)]:
                errors[index] = conflict(wrong)
        refuse_first(errors)
        refuse_first(references.clashes(self.writer.references, actor.organization_id, live))
        self.writer.revert(changes, drafts, actor)
