"""The base of the vendors' write and query serializers."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class DialectSerializer(serializers.Serializer[Any]):
    """The vendor's field names; each field's `source` is the core's name, so that validated data is the core's change.

    A key without a field is ignored, and the view reports it to the client. Of two fields with the same source the
    later one wins.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            # The items of a list have no field name of their own.
            name = self.field_name or getattr(self.parent, "field_name", None)
            prefix = f"{name}." if name else ""
            self.context["view"].ignore(f"{prefix}{name}" for name in data.keys() - self.fields.keys())
        return super().to_internal_value(data)

    @classmethod
    def wire_names(cls, sent: Any = ()) -> dict[str, str]:
        """The vendor's name of each of the core's fields; of several names the one in `sent`."""
        names: dict[str, str] = {}
        sent = sent if isinstance(sent, Mapping) else {}
        for name, field in cls().fields.items():
            if not field.read_only and (name in sent or field.source not in names):
                names[field.source or name] = name
        return names


class DialectQuery(DialectSerializer):
    """Query parameters, of which an empty one counts as absent."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({name: value for name, value in data.items() if value != ""})
