"""What turning rows back needs beyond an ordinary write: into the trash and out of it, lists in their old order."""

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

from crm_project.records.writing.store import Draft


def by_action(drafts: Sequence[Draft]) -> dict[str, list[Draft]]:
    """Existing rows by what happens to them: one that enters or leaves the trash is trashed or restored."""
    result: dict[str, list[Draft]] = {}
    for draft in drafts:
        was, goes = draft.before["deleted_at"] is not None, draft.row.deleted_at is not None
        action = "updated" if was == goes else "trashed" if goes else "restored"
        result.setdefault(action, []).append(draft)
    return result


def write_in_order(drafts: Sequence[Draft], write: Callable[[Sequence[Draft]], None]) -> None:
    """Have the drafts' lists written in exactly their order, which is that of the ids of what stands for an entry.

    New entries come last; where that is not their place, those behind it are written anew.
    """
    heads = [
        {name: _head(draft.lists_before[name], draft.lists[name]) for name in draft.lists} for draft in drafts
    ]
    pairs = list(zip(drafts, heads, strict=True))
    write([Draft(draft.row, draft.before, draft.lists_before, head) for draft, head in pairs])
    write([Draft(draft.row, draft.before, head, draft.lists) for draft, head in pairs])


def _head(before: Sequence[Any], after: Sequence[Any]) -> list[Any]:
    """The entries that may stay where they are: those of the old list, without what goes, up to the first new one."""
    kept = [entry for entry in before if entry in after]
    same = takewhile(lambda pair: pair[0] == pair[1], zip(kept, after, strict=False))
    return [entry for entry, _ in same]
