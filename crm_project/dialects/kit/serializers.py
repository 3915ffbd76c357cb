"""What the vendors' words have in common: serializers that note what they ignore, ids, numbers, refusals."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import SkipField

from crm_project.api.fields import DECIMAL
from crm_project.dialects.kit.ids import Ids, as_text

# A text may be written as programs print great numbers.
NUMBER = re.compile(rf"{DECIMAL.pattern}([eE][+-]?[0-9]{{1,2}})?")
# As servers said before RFC 9110, which newer Pythons follow.
OLDER_PHRASES = {413: "Payload Too Large", 422: "Unprocessable Entity"}


def phrase(status: int) -> str:
    """What a status is called where an error's body says it in words."""
    return OLDER_PHRASES.get(status) or HTTPStatus(status).phrase


class DialectSerializer(serializers.Serializer[Any]):
    """The vendor's words; each field's `source` is the core's name, so that validated data is the core's change.

    A key that it does not declare is ignored, and the view names it to the client. Of two fields with one source the
    later one wins.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            # The rows of a list have no name of their own.
            name = self.field_name or getattr(self.parent, "field_name", None)
            prefix = f"{name}." if name else ""
            self.context["view"].ignore(f"{prefix}{name}" for name in data.keys() - self.fields.keys())
        return super().to_internal_value(data)

    @classmethod
    def wire_names(cls, sent: Any = ()) -> dict[str, str]:
        """What the vendor calls each of the core's fields; of several names the one that was sent."""
        names: dict[str, str] = {}
        sent = sent if isinstance(sent, Mapping) else {}
        for name, field in cls().fields.items():
            if not field.read_only and (name in sent or field.source not in names):
                names[field.source or name] = name
        return names


@extend_schema_field(OpenApiTypes.STR)
class RowField(serializers.Field[Any, Any, Any, Any]):
    """A row by its id in the dialect's words. On the way in it becomes our id; a list shows its rows' ids set-wise."""

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
        return self.ids.shown(value)


@extend_schema_field(OpenApiTypes.INT)
class NumberedRowField(RowField):
    """A row of a kind that the dialect names by our integer id."""


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class RowListField(RowField):
    """Several rows, looked up with one query; a bare id stands for a list of one.

    `through` says where the rows are when they are shown, if they were fetched with the links that lead to them:
    `follower_links.member`.
    """

    default_error_messages = {"invalid": "A list of ids."}

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
        return [self.ids.shown(row) for row in rows]


@extend_schema_field(OpenApiTypes.NUMBER)
class NumberField(serializers.Field[Any, Any, Any, Any]):
    """A decimal as a JSON number; a numeric text is taken as well."""

    default_error_messages = {"invalid": "This is not a number."}

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, str) and NUMBER.fullmatch(data.strip()):
            return Decimal(data.strip())
        if isinstance(data, bool) or not isinstance(data, int | Decimal):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Decimal) -> Decimal:
        return value


class TextOrNullField(serializers.CharField):
    """Text as it is shown: what is empty is null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True, **kwargs})

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) or None


@extend_schema_field(OpenApiTypes.ANY)
class UnsupportedField(serializers.Field[Any, Any, Any, Any]):
    """A field that the vendor documents and the core cannot hold: refused, unless it says nothing."""

    default_error_messages = {"not_supported": "This server cannot store this."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, "write_only": True, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        if data not in ("", [], {}, False):
            self.fail("not_supported")
        raise SkipField

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if data is None:
            raise SkipField
        return super().validate_empty_values(data)


class FixedBooleanField(serializers.BooleanField):
    """What holds for every row and cannot be said otherwise."""

    default_error_messages = {"not_supported": "This server cannot store this."}

    def __init__(self, *, value: bool = True, **kwargs: Any) -> None:
        self.value = value
        super().__init__(**{"required": False, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        if super().to_internal_value(data) is not self.value:
            self.fail("not_supported")
        raise SkipField


def named_rows(serializer: Any, instance: Any) -> Iterator[Any]:
    """The rows whose ids the serializer shows of an instance, so that all of them can be looked up at once."""
    for field in serializer._readable_fields:
        if not isinstance(field, RowField | serializers.BaseSerializer):
            continue
        try:
            value = field.get_attribute(instance)
        except SkipField:
            continue
        rows = _listed(value)
        if isinstance(field, RowField):
            yield from rows
            continue
        child = getattr(field, "child", field)
        for row in rows:
            yield from named_rows(child, row)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    if hasattr(value, "all"):
        return list(value.all())
    return list(value) if isinstance(value, list | tuple) else [value]
