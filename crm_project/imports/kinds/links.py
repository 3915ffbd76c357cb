"""Rows that a file names by the ids that another system has for them, and that were imported before."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.errors import DomainError, FieldError, Invalid
from crm_project.imports.kinds.names import refuse_rows
from crm_project.readers import quoted
from crm_project.records import references
from crm_project.records.kinds import kinds
from crm_project.records.references import Key

UNKNOWN = {
    "contact": gettext_noop(
        "There is no contact with the ID %(value)s of %(system)s. Import the contacts first."
    ),
    "client": gettext_noop(
        "There is no company with the ID %(value)s of %(system)s. Import the companies first."
    ),
    "company": gettext_noop(
        "There is no company with the ID %(value)s of %(system)s. Import the companies first."
    ),
}


@dataclass(frozen=True)
class Link:
    """A field with ids of contacts, of which `target` takes the first and the list `others` the rest.

    Columns that name the same row, `names`, are read where the id is unknown.
    """

    key: str
    target: str
    names: Sequence[str]
    others: str = ""
    is_company: bool = False


@dataclass
class Linked:
    """Changes with the rows that they name, and the fields with unknown ids that were left out, by index."""

    changes: list[dict[str, Any]]
    unknown: dict[int, list[str]] = field(default_factory=dict)


def held_by(actor: Actor, kind: str, keys: Iterable[Key]) -> dict[Key, int]:
    """The visible row that has each reference."""
    declared = kinds[kind]
    held = references.holders(declared.references, actor.organization_id, keys)
    visible = declared.live_rows(actor.member).filter(pk__in=set(held.values()))
    seen = set(visible.values_list("pk", flat=True))
    return {key: row_id for key, row_id in held.items() if row_id in seen}


def linked(
    actor: Actor, links: Iterable[Link], changes: Sequence[Mapping[str, Any]], systems: Mapping[str, str]
) -> Linked:
    """Replace the ids by rows. `systems` has the system of the companies of some systems, which is looked up first.

    The UUID of a row comes before its id, and the id before its names.
    """
    result = Linked([dict(change) for change in changes])
    errors: dict[int, DomainError] = {}
    for link in links:
        written = {index: change.pop(link.key, None) for index, change in enumerate(result.changes)}
        named: dict[int, list[Sequence[Key]]] = {
            index: [_candidates(link, key, systems) for key in keys]
            for index, keys in written.items()
            if keys and result.changes[index].get(link.target) is None
        }
        held = held_by(actor, "contact", {key for keys in named.values() for some in keys for key in some})
        for index, keys in named.items():
            rows = [next((held[key] for key in some if key in held), None) for some in keys]
            change = result.changes[index]
            if rows[0] is None and not any(change.get(name) for name in link.names):
                errors[index] = _refusal(link, keys[0][-1])
                continue
            _write(link, change, rows)
            if None in rows:
                result.unknown.setdefault(index, []).append(link.key)
    refuse_rows(errors)
    return result


def _candidates(link: Link, key: Key, systems: Mapping[str, str]) -> Sequence[Key]:
    system, external_id = key
    own = systems.get(system, system) if link.is_company else system
    return [(own, external_id), key] if own != system else [key]


def _write(link: Link, change: dict[str, Any], rows: Sequence[int | None]) -> None:
    first, *rest = rows
    if first is not None:
        change[link.target] = first
        for name in link.names:
            change.pop(name, None)
    others = [row for row in rest if row is not None and row != first]
    if others and link.others:
        change[link.others] = [*change.get(link.others, ()), *others]


def _refusal(link: Link, key: Key) -> DomainError:
    params = {"value": quoted(key[1]), "system": key[0]}
    return Invalid(fields=[FieldError(link.key, "does_not_exist", UNKNOWN[link.target], params)])


def mapped(links: Iterable[Link], keys: Collection[str]) -> list[Link]:
    return [link for link in links if link.key in keys]
