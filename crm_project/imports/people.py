"""People as files write them: full names, and cells with several addresses, numbers or people."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nameparser import HumanName

from crm_project.imports.errors import UnreadableCell
from crm_project.readers import quoted

# Between the entries of one cell; a comma stands between e-mail addresses alone.
ENTRIES = re.compile(r"\s*(?:;|\n|\r| ::: |\|)\s*")
ADDRESSES = re.compile(r"\s*(?:[;,\n\r|]| ::: |\s)\s*")
# `Ann Lee <ann@example.com>` and `Ann Lee (ann@example.com)`.
WITH_ADDRESS = re.compile(r"(.*?)\s*[<(]\s*(?:mailto:)?([^\s<>()]+@[^\s<>()]+)\s*[>)]", re.DOTALL)


@dataclass(frozen=True)
class Several:
    """The first entry of a cell, which is taken, and the others, which are left out."""

    first: str
    others: Sequence[str] = ()


@dataclass(frozen=True)
class PersonName:
    first_name: str
    last_name: str
    email: str = ""


def addresses(written: str) -> Several:
    """The e-mail addresses of a cell."""
    found: list[str] = []
    for entry in ENTRIES.split(written):
        named = WITH_ADDRESS.fullmatch(entry.strip())
        found += [named[2]] if named else [part for part in ADDRESSES.split(entry) if part]
    plain = [address.removeprefix("mailto:") for address in found]
    return Several(plain[0], plain[1:]) if plain else Several("")


def phones(written: str) -> Several:
    entries = [entry for entry in ENTRIES.split(written.strip()) if entry]
    return Several(entries[0], entries[1:]) if entries else Several("")


def people(written: str) -> Several:
    """The people of a cell, each a name, perhaps with an address."""
    entries = [entry for entry in ENTRIES.split(written.strip()) if entry]
    return Several(entries[0], entries[1:]) if entries else Several("")


def person_name(written: str) -> PersonName:
    """First and last name of a full name, with the e-mail address beside it if there is one."""
    named = WITH_ADDRESS.fullmatch(written.strip())
    email = named[2] if named else ""
    name = HumanName(named[1] if named else written.strip())
    first = " ".join(filter(None, (name.title, name.first, name.middle)))
    last = " ".join(filter(None, (name.last, name.suffix)))
    if not first and not last and not email:
        raise UnreadableCell("%(value)s is not the name of a person.", {"value": quoted(written)})
    return PersonName(first or last, last if first else "", email)
