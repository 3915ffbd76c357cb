"""Ids of a dialect: external references of its system, and our own ids for rows without one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from crm_project.accounts.actors import Actor
from crm_project.api.fields import UUID as UUID_PATTERN
from crm_project.dialects.registry import DIALECTS
from crm_project.records import references
from crm_project.records.kinds import kinds
from crm_project.records.rules import text_error
from crm_project.records.writing.columns import BIGGEST_ID, rows_by_key

ID_LIMIT = 255


class Ids:
    """Resolves and writes the ids of one system for one actor. Ids of rows are cached for the request."""

    def __init__(self, actor: Actor, system: str) -> None:
        self.actor, self.system = actor, system
        self.numbered = DIALECTS[system].numbered
        self._known: dict[tuple[str, int], str | None] = {}

    def resolve(self, kind: str, value: Any) -> Any:
        """The row of this id, or None if there is none that the actor may see. References come before our own ids."""
        return self.resolve_all(kind, [value]).get(as_text(value))

    def resolve_all(self, kind: str, values: Iterable[Any]) -> dict[str | None, Any]:
        """The rows by their ids as text; unknown ids are left out."""
        texts = {text for value in values if (text := as_text(value)) is not None}
        model = kinds[kind].references
        keys = [(self.system, text) for text in texts]
        referred = {
            text: pk for (_, text), pk in references.holders(model, self.actor.organization_id, keys).items()
        }
        own = {text: self._own(kind, text) for text in texts - referred.keys()}
        rows = rows_by_key(kinds[kind].live_rows(self.actor.member), [*referred.values(), *own.values()])
        return {text: rows[key] for text, key in (referred | own).items() if key in rows}

    def filter_key(self, kind: str, value: Any) -> int:
        """The primary key of the row, or 0, which matches no row: filters by an unknown id find nothing."""
        row = self.resolve(kind, value)
        return 0 if row is None else int(row.pk)

    def _own(self, kind: str, text: str) -> int | UUID | None:
        """The text as a primary key or UUID of ours. A number is one only for the kinds that the system numbers."""
        if UUID_PATTERN.fullmatch(text):
            return UUID(text)
        if kind in self.numbered and text.isascii() and text.isdigit() and len(text) < 20:
            return min(int(text), BIGGEST_ID)
        return None

    def prefetch(self, rows: Iterable[Any]) -> None:
        """Look up the ids of these rows, with one query for each kind."""
        by_kind: dict[str, set[int]] = defaultdict(set)
        for row in rows:
            if row is not None:
                by_kind[row.row_kind].add(row.pk)
        for kind, pks in by_kind.items():
            referred = self._references(kind, pks)
            self._known |= {(kind, pk): referred.get(pk) for pk in pks}

    def id_of(self, row: Any) -> Any:
        """The row's id in this system: its oldest reference, else our own primary key or UUID."""
        if row is None:
            return None
        kind = row.row_kind
        if (kind, row.pk) not in self._known:
            self.prefetch([row])
        return self._id(kind, row.pk, row.uuid, self._known[kind, row.pk])

    def ids_of(self, kind: str, uuids: Mapping[int, UUID]) -> dict[int, Any]:
        """The ids of these rows by primary key, with one query; they are not cached."""
        referred = self._references(kind, uuids)
        return {pk: self._id(kind, pk, uuid, referred.get(pk)) for pk, uuid in uuids.items()}

    def _references(self, kind: str, pks: Iterable[int]) -> dict[int, str]:
        found = kinds[kind].references.objects.filter(row__in=pks, system=self.system).order_by("-id")
        # The oldest reference comes last and wins.
        return dict(found.values_list("row_id", "external_id"))

    def _id(self, kind: str, pk: int, uuid: UUID, referred: str | None) -> Any:
        if kind in self.numbered:
            return pk if referred is None else int(referred) if is_number(referred) else referred
        return str(uuid) if referred is None else referred


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def as_text(value: Any) -> str | None:
    """An id as text, if it is a valid string or an integer; else None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and text_error("", value, limit=ID_LIMIT) is None else None
