"""The base of the vendors' write and query serializers."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar

from crm_project.api.compiled import bound_fields
from crm_project.api.serializers import BoundedSerializer

# Sources of names and of external ids: white space alone is none.
NAMING = frozenset(
    "name first_name last_name full company_name contact_first_name contact_last_name subject label id"
    " external_references".split()
)


class Empty(Enum):
    """The meaning of null and of an empty string in the bodies of one dialect."""

    ABSENT = "the field is absent"
    NULL = "the field has no value"


class DialectSerializer(BoundedSerializer):
    """The vendor's field names; each field's `source` is the core's name, so that validated data is the core's change.

    A key without a field is ignored, and the view reports it to the client. Of two fields with the same source the
    later one wins.
    """

    # Optional fields of which an empty value is refused, since the row cannot be without one.
    never_empty: ClassVar[frozenset[str]] = frozenset()

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            # The items of a list have no field name of their own.
            name = self.field_name or getattr(self.parent, "field_name", None)
            prefix = f"{name}." if name else ""
            self.context["view"].ignore(f"{prefix}{name}" for name in data.keys() - self.fields.keys())
            data = self._without_empty_values(data)
        return super().to_internal_value(data)

    def _without_empty_values(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The body with null, empty strings, blank names and ids as the dialect reads them, one rule for all fields.

        Absent: they are left out. Null: the field gets null; a required one refuses it, and an optional one that
        cannot be null is left out.
        """
        if not self.context.get("body"):
            return data
        sent = {}
        for name, value in data.items():
            field = self.fields.get(name)
            if field is not None and _is_empty(field, value):
                if self.context["view"].empty_values is Empty.ABSENT:
                    continue
                value = None
                is_required = field.required or name in self.never_empty
                if not (field.allow_null or is_required):
                    continue
            sent[name] = value
        return sent

    @classmethod
    def wire_names(cls, sent: Any = ()) -> dict[str, str]:
        """The vendor's name of each of the core's fields; of several names the one in `sent`."""
        names: dict[str, str] = {}
        sent = sent if isinstance(sent, Mapping) else {}
        for name, field in bound_fields(cls).items():
            if not field.read_only and (name in sent or field.source not in names):
                names[field.source or name] = name
        return names


def _is_empty(field: Any, value: Any) -> bool:
    if isinstance(value, str) and field.source in NAMING:
        return not value.strip()
    return value is None or value == ""


class DialectQuery(DialectSerializer):
    """Query parameters, of which an empty one counts as absent."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({name: value for name, value in data.items() if value != ""})
