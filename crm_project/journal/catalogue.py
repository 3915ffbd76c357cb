"""Undo for reference data: rows with columns, external references and a trash, which are part of the catalogue."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.services import bump_catalogue
from crm_project.changes import ChangeSet
from crm_project.errors import Conflict
from crm_project.journal.undo_conflicts import refuse_first
from crm_project.records import references
from crm_project.records.locks import for_update
from crm_project.records.reverting import by_action, write_in_order
from crm_project.records.writing import store
from crm_project.records.writing.store import Draft


class CatalogueUndoer:
    """The Undoer of a kind of reference data. `unique` names the columns that are unique together among live rows."""

    lists = ("external_references",)

    def __init__(self, model: Any, reference_model: Any, *, unique: Sequence[str] = ()) -> None:
        self.model = model
        self.reference_model = reference_model
        self.unique = unique

    def hold(self, actor: Actor, restored: Sequence[Mapping[str, Any]]) -> None:
        keys = [tuple(key) for before in restored for key in before.get("external_references") or ()]
        references.hold(self.reference_model, actor.organization_id, keys)

    def lock(
        self, actor: Actor, ids: Sequence[int], restored: Sequence[Mapping[str, Any]], *, rows: Any = None
    ) -> dict[int, Draft]:
        rows = self.model.objects.seen_by(actor.member) if rows is None else rows
        drafts = [Draft.of(row) for row in for_update(rows.filter(pk__in=ids))]
        references.note(self.reference_model, drafts)
        return {draft.row.pk: draft for draft in drafts}

    def revert(self, changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        live = [draft for draft in drafts if draft.row.deleted_at is None]
        self.check(actor, live, [draft for draft in drafts if draft.row.deleted_at is not None])
        refuse_first(references.clashes(self.reference_model, actor.organization_id, live))
        self.write(changes, actor, drafts)
        bump_catalogue(actor.organization_id)

    def check(self, actor: Actor, live: Sequence[Draft], trashed: Sequence[Draft]) -> None:
        """Raise Conflict if the restored values do not fit other rows. Each draft is live or trashed after the undo."""
        for draft in live if self.unique else ():
            values = {name: getattr(draft.row, name) for name in self.unique}
            others = self.model.objects.of(actor.organization_id).live().filter(**values)
            if others.exclude(pk=draft.row.pk).exists():
                raise Conflict("Another row has this name by now.", code=f"{self.unique[-1]}_taken")

    def write(self, changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> list[Draft]:
        touched = store.update(drafts, now=timezone.now())
        with_lists = [draft for draft in touched if draft.lists]
        write_in_order(with_lists, partial(references.write, self.reference_model, actor.organization_id))
        for action, acted in by_action(touched).items():
            store.record(changes, acted, action)
            if action != "updated":
                rows = [draft.row for draft in acted]
                references.set_live(self.reference_model, rows, live=action == "restored")
        return touched
