"""A person's name for vendors that have one field where the core has two."""

from collections.abc import Mapping
from typing import Any

from contacts.models import Contact
from contacts.rules import folded_name

PARTS = ("first_name", "last_name")


def is_overridden(full_name: str | None, change: Mapping[str, Any], contact: Contact | None) -> bool:
    """Whether the change has parts of a name that do not make up the full name beside them: the parts count."""
    if not full_name or not any(part in change for part in PARTS):
        return False
    names = [change.get(part, getattr(contact, part, "")) or "" for part in PARTS]
    return folded_name(*names) != folded_name(full_name)


def split_name(full_name: str) -> dict[str, str]:
    """The core's change: the first name ends at the first space."""
    first, _, last = full_name.strip().partition(" ")
    return {"first_name": first, "last_name": last}
