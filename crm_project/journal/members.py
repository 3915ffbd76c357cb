"""Undo for members, which have no trash: role, job title, `is_active` and external references."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Role
from crm_project.accounts.services import update_member
from crm_project.changes import ChangeSet
from crm_project.records import references
from crm_project.records.locks import for_update
from crm_project.records.models import MemberReference
from crm_project.records.services import change_references
from crm_project.records.writing.store import Draft

COLUMNS = ("role", "job_title", "is_active")


class MemberUndoer:
    """The Undoer of members. It writes by the services, which refuse to deactivate the last admin."""

    lists = ("external_references",)

    def hold(self, actor: Actor, restored: Sequence[Mapping[str, Any]]) -> None:
        keys = [tuple(key) for before in restored for key in before.get("external_references") or ()]
        references.hold(MemberReference, actor.organization_id, keys)

    def lock(
        self, actor: Actor, ids: Sequence[int], restored: Sequence[Mapping[str, Any]], *, rows: Any = None
    ) -> dict[int, Draft]:
        members = Member.objects.visible_to(actor.member) if rows is None else rows
        list(for_update(members.filter(role=Role.ADMIN, is_active=True)))  # first, as `update_member` does
        drafts = [Draft.of(row) for row in for_update(members.filter(pk__in=ids))]
        references.note(MemberReference, drafts)
        return {draft.row.pk: draft for draft in drafts}

    def revert(self, changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            changed = draft.changed
            fields = {name: getattr(draft.row, name) for name in COLUMNS if name in changed}
            if fields:
                update_member(actor=actor, member=draft.row, **fields)
            if "external_references" in changed:
                before, after = (list(map(tuple, keys)) for keys in changed["external_references"])
                add = [key for key in after if key not in before]
                remove = [key for key in before if key not in after]
                change_references(actor=actor, row=draft.row, add=add, remove=remove)
