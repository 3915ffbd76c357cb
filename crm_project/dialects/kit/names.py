"""Names: their comparison, and that of a person for vendors that have one field where the core has two."""

from collections.abc import Mapping
from typing import Any

from contacts.models import Contact
from crm_project.records.text import fold, tidy

PARTS = ("first_name", "last_name")


def is_overridden(full_name: str | None, change: Mapping[str, Any], contact: Contact | None) -> bool:
    """Whether the change has parts of a name that do not make up the full name beside them: the parts count."""
    if not full_name or not any(part in change for part in PARTS):
        return False
    names = [change.get(part, getattr(contact, part, "")) or "" for part in PARTS]
    return not is_same(" ".join(names), full_name)


def is_same(name: str, other: str) -> bool:
    """Whether the names differ in case, accents and spaces only."""
    return fold(tidy(name)) == fold(tidy(other))


def split_name(full_name: str) -> dict[str, str]:
    """The core's change: the first name ends at the first space."""
    first, _, last = full_name.strip().partition(" ")
    return {"first_name": first, "last_name": last}
