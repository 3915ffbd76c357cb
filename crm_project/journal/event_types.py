"""The types of events, `deal.won`: one list for the feed and for webhooks, derived from the declarations of the kinds.

An event may have several types: a move into a won stage is `deal.won`, `deal.moved` and `deal.updated`. The first
one is the most specific.
"""

from collections.abc import Iterator

from crm_project.journal.models import Event
from crm_project.records.kinds import Kind, kinds

# The verb of each action of an event.
VERBS = {
    "created": "created",
    "updated": "updated",
    "trashed": "deleted",
    "restored": "restored",
    "purged": "purged",
    "redacted": "redacted",
}


def types_of(event: Event) -> list[str]:
    """Beside an update, all that the update means comes first; beside another action, it comes after it.

    An imported row is created and nothing else: it was won when its file says, not now.
    """
    verb = VERBS[event.action]
    if event.action == "created" and event.import_uuid is not None:
        return [f"{event.kind}.{verb}"]
    meanings = [name for name, is_meant in kinds[event.kind].event_types.items() if is_meant(event.changes)]
    names = [*meanings, verb] if verb == "updated" else [verb, *meanings]
    return [f"{event.kind}.{name}" for name in names]


def known_types() -> list[str]:
    return [f"{kind.name}.{name}" for kind in kinds.values() for name in _names(kind)]


def _names(kind: Kind) -> Iterator[str]:
    yield from ("created", "updated")
    yield from kind.event_types
    has_trash = hasattr(kind.model, "deleted_at")
    if has_trash:
        yield from ("deleted", "restored")
    if has_trash or kind.expired is not None:
        yield "purged"
    if kind.personal:
        yield "redacted"
