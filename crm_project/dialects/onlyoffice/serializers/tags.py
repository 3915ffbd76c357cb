"""Tags, which are the custom field `tags`; the options of a declared field are the tags to choose from."""

from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.dialects.kit.tags import KEY, has_tag, tags_change
from crm_project.dialects.onlyoffice.serializers.params import (
    OnlyofficeParameters,
    RequiredTextParam,
    RowListParam,
)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class OnlyofficeTagsField(serializers.Field[Any, Any, Any, Any]):
    """The tags of a row, in alphabetical order."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "source": "*", **kwargs})

    def to_representation(self, value: Any) -> list[str]:
        return sorted(tags_of(value))


class OnlyofficeTagRead(Serializer):
    title: Any = serializers.CharField()


class OnlyofficeTagWrite(OnlyofficeParameters):
    tagName = RequiredTextParam(source="tag")


class OnlyofficeBulkTagWrite(OnlyofficeTagWrite):
    entityid = RowListParam("contact", source="rows", required=True, allow_null=False)


class OnlyofficeOpportunityBulkTagWrite(OnlyofficeTagWrite):
    entityid = RowListParam("deal", source="rows", required=True, allow_null=False)


def tags_of(row: Any) -> list[str]:
    """The strings of the list; other items are ignored, where other vendors ignore the whole list."""
    value = row.custom_fields.get(KEY)
    return [tag for tag in value if isinstance(tag, str)] if isinstance(value, list) else []


def tagged(row: Any, tag: str, *, add: bool) -> Mapping[str, Any]:
    """The core's change that adds the tag to a row, or removes it."""
    rest = [other for other in tags_of(row) if other != tag]
    tags = ([*tags_of(row), tag] if tag not in tags_of(row) else tags_of(row)) if add else rest
    return tags_change(tags)


def declaration(kind: str, tags: Iterable[str], position: int) -> Mapping[str, Any]:
    """The core's change that declares the custom field with these tags as options."""
    options = list(dict.fromkeys(tags))
    field = {"kind": kind, "key": KEY, "label": "Tags", "type": "multiselect"}
    return {**field, "options": options, "position": position}


def with_tags(rows: Any, tags: Iterable[str]) -> Any:
    """The rows that have all of these tags."""
    for tag in tags:
        rows = rows.filter(has_tag(tag))
    return rows
