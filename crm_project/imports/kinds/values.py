"""The values of columns that name one of a few things: which of them are known, and what is chosen for the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop

from crm_project.errors import FieldError
from crm_project.imports.errors import UnreadableCell
from crm_project.readers import quoted
from crm_project.records.text import fold

CREATE, EMPTY = "create", ""
# Words for a status in the languages of the systems that files come from, as `folded` writes them.
STATUS_WORDS: Mapping[str, frozenset[str]] = {
    status: frozenset(words.split(","))
    for status, words in {
        "open": "open,active,in progress,ouvert,ouverte,en cours,abierto,abierta,aperto,aperta,in corso,otwarta,w toku"
        ",offen,en curso",
        "won": "won,closed won,closed - won,gagne,gagnee,ganado,ganada,vinto,vinta,wygrana,wygrany,gewonnen",
        "lost": "lost,closed lost,closed - lost,perdu,perdue,perdido,perdida,perso,persa,przegrana,przegrany,verloren",
        "abandoned": "abandoned,abandonne,abandonnee,abandonado,abandonada,abbandonato,abbandonata,porzucona,porzucony",
    }.items()
}


@dataclass(frozen=True)
class ValueField:
    """A field whose cells name one of a few things.

    `find` returns what a text means or raises UnreadableCell; `choices` are pairs of a value and a label, of which
    `chosen` makes what `find` returns. `create` creates rows of these names, if the actor may.
    """

    find: Callable[[str], Any]
    choices: Callable[[], Sequence[tuple[str, str]]]
    chosen: Callable[[str], Any]
    create: Callable[[Sequence[str]], None] | None = None
    created_as: str = gettext_noop("create it")

    def knows(self, text: str) -> bool:
        try:
            self.find(text)
        except UnreadableCell:
            return False
        return True


@lru_cache(maxsize=1024)
def status_of(text: str) -> str | None:
    """The status that a word means, in some languages."""
    plain = " ".join(fold(text).replace("_", " ").split())
    return next((status for status, words in STATUS_WORDS.items() if plain in words), None)


# What a value can be unknown as: the refusal where none is known, and the one that names the known ones.
UNKNOWN: Mapping[str, tuple[str, str]] = {
    "pipeline": (
        gettext_noop("There is no pipeline %(value)s."),
        gettext_noop("There is no pipeline %(value)s. Known: %(names)s."),
    ),
    "stage": (
        gettext_noop("There is no stage %(value)s."),
        gettext_noop("There is no stage %(value)s. Known: %(names)s."),
    ),
    "status": ("", gettext_noop("There is no status %(value)s. Known: %(names)s.")),
    "lost_reason": (
        gettext_noop("There is no lost reason %(value)s."),
        gettext_noop("There is no lost reason %(value)s. Known: %(names)s."),
    ),
    "member": (
        gettext_noop("There is no member %(value)s."),
        gettext_noop("There is no member %(value)s. Known: %(names)s."),
    ),
    "kind_of_contact": ("", gettext_noop("There is no kind of contact %(value)s. Known: %(names)s.")),
    "type_of_activity": ("", gettext_noop("There is no type of activity %(value)s. Known: %(names)s.")),
}


def unknown(what: str, written: str, known: Sequence[str]) -> UnreadableCell:
    """The refusal of a value, with the first known ones."""
    names = ", ".join(known[:20])
    more = len(known) - 20
    alone, with_names = UNKNOWN[what]
    if not known:
        return UnreadableCell(alone, {"value": quoted(written)})
    params = {"value": quoted(written), "names": names if more <= 0 else f"{names} and {more} more"}
    return UnreadableCell(with_names, params)


def choice_errors(choices: Mapping[str, Any], fields: Mapping[str, ValueField]) -> list[FieldError]:
    """The errors of choices: unknown fields, and choices that are not offered."""
    errors = []
    for key, chosen in choices.items():
        if key not in fields or not isinstance(chosen, Mapping):
            template = gettext_noop("Values are chosen for: %(names)s.")
            params = {"names": ", ".join(fields)}
            errors.append(FieldError(f"value_choices.{key}", "unknown_field", template, params))
            continue
        offered = {value for value, _ in fields[key].choices()} | {EMPTY}
        offered |= {CREATE} if fields[key].create else set()
        for text, value in chosen.items():
            if value is not None and value not in offered:
                template = gettext_noop("One of: %(choices)s.")
                params = {"choices": ", ".join(repr(value) for value in sorted(offered))}
                errors.append(FieldError(f"value_choices.{key}.{text}", "invalid_choice", template, params))
    return errors


def is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True
