"""Tags: a list of strings in a row's custom field `tags`, whether or not the field is declared.

The options of a declared field are the tags to choose from.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from crm_project.records.expressions import HoldsOption

KEY = "tags"


def are_tags(value: Any) -> bool:
    """Whether a custom field's value can be represented as tags."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def tags_of(row: Any) -> list[str]:
    """The row's tags; none where the custom field has a value of another type."""
    value = row.custom_fields.get(KEY)
    return value if are_tags(value) else []


def tags_change(tags: Iterable[str]) -> Mapping[str, Any]:
    """The core's change that replaces a row's tags."""
    return {"custom_fields": {KEY: list(tags) or None}, "free_custom_fields": [KEY]}


def has_tag(tag: str) -> Q:
    return Q(HoldsOption(KEY, tag))


def tags_in_use(rows: Any) -> list[str]:
    """The distinct tags of a queryset's rows, in alphabetical order."""
    values = rows.filter(custom_fields__has_key=KEY).values_list(f"custom_fields__{KEY}", flat=True)
    distinct = values.order_by().distinct().iterator()
    return sorted({tag for tags in distinct if are_tags(tags) for tag in tags}, key=str.lower)
