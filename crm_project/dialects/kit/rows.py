"""Serializer fields for references to rows, by the ids of the dialect."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import SkipField

from crm_project.dialects.kit.ids import Ids, as_text


@extend_schema_field(OpenApiTypes.STR)
class RowField(serializers.Field[Any, Any, Any, Any]):
    """A row by its id in the dialect; its validated value is our primary key."""

    default_error_messages = {"does_not_exist": "There is no such {kind}."}

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(**kwargs)

    @property
    def ids(self) -> Ids:
        ids: Ids = self.context["view"].ids
        return ids

    def to_internal_value(self, data: Any) -> int:
        row = self.ids.resolve(self.kind, data)
        if row is None:
            self.fail("does_not_exist", kind=self.kind.replace("_", " "))
        return int(row.pk)

    def to_representation(self, value: Any) -> Any:
        return self.ids.id_of(value)


@extend_schema_field({"type": ["integer", "string"]})
class NumberedRowField(RowField):
    """A row of a kind whose default id in the dialect is our integer primary key; a reference may be a text."""


@extend_schema_field(OpenApiTypes.STR)
class FilterRowField(RowField):
    """A row to filter by. An unknown id is not an error: it becomes a key that no row has."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(kind, **{"required": False, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        return self.ids.filter_key(self.kind, data)


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class RowListField(RowField):
    """Several rows, looked up with one query; a single id is read as a list of one.

    `through` is the path from an instance to the rows where they are prefetched with their links:
    `follower_links.member`.
    """

    default_error_messages = {"invalid": "Must be a list of ids."}

    def __init__(self, kind: str, *, through: str = "", **kwargs: Any) -> None:
        self.links, _, self.target = through.partition(".")
        super().__init__(kind, **kwargs)

    def get_attribute(self, instance: Any) -> Any:
        if not self.links:
            return super().get_attribute(instance)
        return [getattr(link, self.target) for link in getattr(instance, self.links).all()]

    def to_internal_value(self, data: Any) -> Any:
        values = data if isinstance(data, list) else [data]
        if any(as_text(value) is None for value in values):
            self.fail("invalid")
        rows = self.ids.resolve_all(self.kind, values)
        if any(as_text(value) not in rows for value in values):
            self.fail("does_not_exist", kind=self.kind.replace("_", " "))
        return [rows[as_text(value)].pk for value in values]

    def to_representation(self, value: Any) -> Any:
        rows = value.all() if hasattr(value, "all") else value
        return [self.ids.id_of(row) for row in rows]


def referenced_rows(serializer: Any, instance: Any) -> Iterator[Any]:
    """The rows whose ids the serializer will write for an instance, so that all can be looked up at once."""
    for field in serializer._readable_fields:
        if not isinstance(field, RowField | serializers.BaseSerializer):
            continue
        try:
            value = field.get_attribute(instance)
        except SkipField:
            continue
        rows = _as_list(value)
        if isinstance(field, RowField):
            yield from rows
            continue
        child = getattr(field, "child", field)
        for row in rows:
            yield from referenced_rows(child, row)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    if hasattr(value, "all"):
        return list(value.all())
    return list(value) if isinstance(value, list | tuple) else [value]
