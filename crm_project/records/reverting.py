"""Helpers of undoers: the actions of restored rows, and lists in their previous order."""

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

from crm_project.records.writing.store import Draft


def by_action(drafts: Sequence[Draft]) -> dict[str, list[Draft]]:
    """Existing rows by the action of their event: trashed, restored or updated."""
    result: dict[str, list[Draft]] = {}
    for draft in drafts:
        was_trashed, is_trashed = draft.before["deleted_at"] is not None, draft.row.deleted_at is not None
        action = "updated" if was_trashed == is_trashed else "trashed" if is_trashed else "restored"
        result.setdefault(action, []).append(draft)
    return result


def write_in_order(drafts: Sequence[Draft], write: Callable[[Sequence[Draft]], None]) -> None:
    """Write the lists of the drafts in exactly their order, which is the id order of the rows of their entries.

    A new entry has the highest id. If it is not the last one, the entries after it are deleted and inserted again.
    """
    heads = [
        {name: _head(draft.lists_before[name], draft.lists[name]) for name in draft.lists} for draft in drafts
    ]
    pairs = list(zip(drafts, heads, strict=True))
    write([Draft(draft.row, draft.before, draft.lists_before, head) for draft, head in pairs])
    write([Draft(draft.row, draft.before, head, draft.lists) for draft, head in pairs])


def _head(before: Sequence[Any], after: Sequence[Any]) -> list[Any]:
    """The entries that need no new row: the common beginning of the new list and the remaining old entries."""
    remaining = [entry for entry in before if entry in after]
    same = takewhile(lambda pair: pair[0] == pair[1], zip(remaining, after, strict=False))
    return [entry for entry, _ in same]
