"""A dialect's ids: an external reference of its own system first, then our own id; and the other way round."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from crm_project.accounts.actors import Actor
from crm_project.api.fields import UUID as UUID_PATTERN
from crm_project.api.references.kinds import KINDS
from crm_project.dialects.registry import DIALECTS
from crm_project.records import references
from crm_project.records.rules import text_error
from crm_project.records.writing.columns import BIGGEST_ID, rows_by_key

ID_LIMIT = 255


class Ids:
    """What ids mean to one actor in one system. What is looked up is kept for the request."""

    def __init__(self, actor: Actor, system: str) -> None:
        self.actor, self.system = actor, system
        self.numbered = DIALECTS[system].numbered
        self._shown: dict[tuple[str, int], str | None] = {}

    def resolve(self, kind: str, value: Any) -> Any:
        """The row that the id names, among those the actor may see, or None."""
        return self.resolve_all(kind, [value]).get(as_text(value))

    def resolve_all(self, kind: str, values: Iterable[Any]) -> dict[str | None, Any]:
        """The rows that the ids name, under the ids as text; those that name nothing are left out."""
        texts = {text for value in values if (text := as_text(value)) is not None}
        model = KINDS[kind].references
        keys = [(self.system, text) for text in texts]
        held = {
            text: pk for (_, text), pk in references.holders(model, self.actor.organization_id, keys).items()
        }
        own = {text: self._own(kind, text) for text in texts - held.keys()}
        rows = rows_by_key(KINDS[kind].rows(self.actor), [*held.values(), *own.values()])
        return {text: rows[key] for text, key in (held | own).items() if key in rows}

    def _own(self, kind: str, text: str) -> int | UUID | None:
        """The text as an id of ours. A number counts only where this system's ids are our numbers."""
        if UUID_PATTERN.fullmatch(text):
            return UUID(text)
        if kind in self.numbered and text.isascii() and text.isdigit() and len(text) < 20:
            return min(int(text), BIGGEST_ID)
        return None

    def remember(self, rows: Iterable[Any]) -> None:
        """Look up the ids of all these rows, one query for each kind, before they are shown."""
        by_kind: dict[str, set[int]] = defaultdict(set)
        for row in rows:
            if row is not None:
                by_kind[row.row_kind].add(row.pk)
        for kind, pks in by_kind.items():
            self._shown |= {(kind, pk): None for pk in pks}
            found = KINDS[kind].references.objects.filter(row__in=pks, system=self.system).order_by("-id")
            # The oldest comes last and stays.
            self._shown |= {
                (kind, row_id): text for row_id, text in found.values_list("row_id", "external_id")
            }

    def shown(self, row: Any) -> Any:
        """The row's id in this system: its oldest reference, else our own number or uuid."""
        if row is None:
            return None
        kind = row.row_kind
        if (kind, row.pk) not in self._shown:
            self.remember([row])
        text = self._shown[kind, row.pk]
        if kind in self.numbered:
            return row.pk if text is None else int(text) if is_number(text) else text
        return str(row.uuid) if text is None else text


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def as_text(value: Any) -> str | None:
    """An id as it may come: a text, or a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and text_error("", value, limit=ID_LIMIT) is None else None


def resolve(actor: Actor, kind: str, value: Any, system: str) -> Any:
    return Ids(actor, system).resolve(kind, value)


def shown_id(actor: Actor, row: Any, system: str) -> Any:
    return Ids(actor, system).shown(row)
