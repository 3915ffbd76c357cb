"""LeadConnector's searches by a body: filters, order, and the row to continue after."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.dialects.leadconnector.serializers.fields import RangeBoundField
from crm_project.dialects.leadconnector.serializers.pages import NEWEST, PageOrder
from crm_project.records.paging import Key

BOUNDS = {"gte": False, "gt": False, "lte": True, "lt": True}
Condition = Callable[[Any], Q]


@dataclass(frozen=True)
class SearchVocabulary:
    """The filters and orders of one search, by the names of their fields.

    `equal`: a factory of the serializer field that validates a value, and the condition. `ranges`: a factory of the
    serializer field of either end, and the column. `contained`: the condition of a part of a text. `present`: the
    condition of a value that is not empty. `aliases`: other spellings of the names.
    """

    equal: Mapping[str, tuple[Callable[[], Any], Condition]]
    ranges: Mapping[str, tuple[Callable[[bool], Any], str]]
    sorts: Mapping[str, Key]
    contained: Mapping[str, Condition] = field(default_factory=dict)
    present: Mapping[str, Q] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def canonical(self, name: Any) -> str:
        return self.aliases.get(str(name), str(name))


@extend_schema_field({"type": "array", "items": {"type": "object"}})
class FiltersField(serializers.Field[Any, Any, Any, Any]):
    """`[{field, operator, value}]` and groups of these, as one Q object; unknown fields and operators are refused."""

    default_error_messages = {
        "invalid": "Must be a list of objects with field, operator and value.",
        "unknown": "Unknown filter: {name}.",
    }

    def __init__(self, vocabulary: SearchVocabulary, **kwargs: Any) -> None:
        self.vocabulary = vocabulary
        super().__init__(**{"required": False, **kwargs})

    def to_internal_value(self, data: Any) -> Q:
        return self._all(data, "AND")

    def _all(self, entries: Any, connector: str) -> Q:
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            self.fail("invalid")
        return Q(*(self._one(entry) for entry in entries), _connector=connector)

    def _one(self, entry: Mapping[str, Any]) -> Q:
        if "filters" in entry:
            return self._all(entry["filters"], "OR" if entry.get("group") == "OR" else "AND")
        name, value = self.vocabulary.canonical(entry.get("field")), entry.get("value")
        operator = str(entry.get("operator", "eq"))
        bare = operator.removeprefix("not_")
        known = {"eq": self._equal, "in": self._equal, "contains": self._contained, "exists": self._present}
        if operator == "range":
            return self._range(name, value)
        found = known[bare](name, value) if bare in known else None
        if found is None:
            self.fail("unknown", name=f"{name} {operator}")
        return found if bare == operator else ~found

    def _equal(self, name: str, value: Any) -> Q | None:
        if name not in self.vocabulary.equal:
            return None
        reader, condition = self.vocabulary.equal[name]
        values = value if isinstance(value, list) else [value]
        return Q(*(condition(self._read(reader(), one)) for one in values), _connector="OR")

    def _contained(self, name: str, value: Any) -> Q | None:
        condition = self.vocabulary.contained.get(name)
        return condition(self._read(serializers.CharField(), value)) if condition else None

    def _present(self, name: str, value: Any) -> Q | None:
        return self.vocabulary.present.get(name)

    def _range(self, name: str, value: Any) -> Q:
        is_range = isinstance(value, Mapping) and value and not value.keys() - BOUNDS.keys()
        if name not in self.vocabulary.ranges or not is_range:
            self.fail("unknown", name=f"{name} range")
        reader, column = self.vocabulary.ranges[name]
        return Q(
            **{f"{column}__{step}": self._read(reader(BOUNDS[step]), bound) for step, bound in value.items()}
        )

    def _read(self, reader: Any, value: Any) -> Any:
        reader.bind("value", self)
        return reader.run_validation(value)


@extend_schema_field({"type": "array", "items": {"type": "object"}})
class SortField(serializers.Field[Any, Any, Any, Any]):
    """`[{field, direction}]`, with at most one item."""

    default_error_messages = {
        "invalid": "Must be one object with a direction, asc or desc, and a field: {names}."
    }

    def __init__(self, vocabulary: SearchVocabulary, **kwargs: Any) -> None:
        self.vocabulary = vocabulary
        super().__init__(**{"required": False, **kwargs})

    def to_internal_value(self, data: Any) -> PageOrder:
        if data == []:
            return NEWEST
        entry = data[0] if isinstance(data, list) and len(data) == 1 else {}
        entry = entry if isinstance(entry, Mapping) else {}
        key = self.vocabulary.sorts.get(self.vocabulary.canonical(entry.get("field")))
        direction = entry.get("direction", "asc")
        if key is None or direction not in ("asc", "desc"):
            self.fail("invalid", names=", ".join(self.vocabulary.sorts))
        return PageOrder(key, direction == "desc")


@extend_schema_field({"type": "array", "items": {}})
class SearchAfterField(serializers.Field[Any, Any, Any, Any]):
    """`[milliseconds, id]`, the `sort` of the last row; an empty list is the first page."""

    default_error_messages = {"invalid": "Must be the `sort` of the last row."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if data == []:
            return {}
        if not isinstance(data, list) or len(data) != 2:
            self.fail("invalid")
        instant: Any = RangeBoundField()
        instant.bind("instant", self)
        return {"startAfter": instant.run_validation(data[0]), "startAfterId": str(data[1])}
