"""Keys for custom fields that are declared with a label only."""

import re
from collections.abc import Collection
from itertools import count

from crm_project.records.models import CustomField
from crm_project.records.rules import FILTER_SUFFIXES
from crm_project.records.text import fold

NOT_A_KEY = re.compile("[^a-z0-9]+")
KEY_LIMIT = 48


def free_key(label: str, taken: Collection[str]) -> str:
    """A key derived from the label, with a number at its end if another field has the key already."""
    slug = NOT_A_KEY.sub("_", fold(label))[:KEY_LIMIT].strip("_")
    base = slug if slug[:1].isalpha() else f"field_{slug}".strip("_")
    base = f"{base}_value" if base.endswith(FILTER_SUFFIXES) else base
    names = (base if number == 1 else f"{base}_{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def taken_keys(organization_id: int, kind: str) -> set[str]:
    """The keys of all fields, also of trashed ones: their values are still stored in the rows."""
    everyone = CustomField.objects.of(organization_id).filter(kind=kind)
    return set(everyone.values_list("key", flat=True))
