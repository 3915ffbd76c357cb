"""The envelope of all answers, and the parameters of all lists."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.dialects.onlyoffice.serializers.params import (
    OnlyofficeParameters,
    OptionalTextParam,
    WholeNumberField,
)

PAGE = 1000


class OnlyofficeListParameters(OnlyofficeParameters):
    """`count` is at most 1000; `fields` names the members of each item to include."""

    count = WholeNumberField(required=False)
    startIndex = WholeNumberField(required=False)
    sortBy = OptionalTextParam()
    sortOrder = OptionalTextParam()
    filterValue = OptionalTextParam()
    fields_ = OptionalTextParam()

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["fields"] = fields.pop("fields_")  # a serializer's own attribute has this name
        fields["fields"].source = "fields_"
        return fields


def of_one(response: Any, status: int = 200) -> dict[str, Any]:
    return {"count": 1, "status": 0, "statusCode": status, "response": response}


def of_nothing() -> dict[str, Any]:
    """The envelope of an action without a result."""
    return {"status": 0, "statusCode": 200, "response": {}}


class OnlyofficeEmptyRead(Serializer):
    """An empty object."""


def of_list(
    items: Sequence[Any],
    *,
    start: int = 0,
    total: int | None = None,
    fields: str | None = "",
    status: int = 200,
) -> dict[str, Any]:
    """The envelope of a list. Numbers that are 0 are left out; without a total there is no next page."""
    end = start + len(items)
    numbers = {
        "count": len(items),
        "startIndex": start,
        "nextIndex": end if total is not None and total > end else 0,
        "total": total,
    }
    present = {name: number for name, number in numbers.items() if number}
    return {
        **present,
        "status": 0,
        "statusCode": status,
        "response": [_chosen(item, fields) for item in items],
    }


def _chosen(item: Any, fields: str | None) -> Any:
    names = {name.strip().lower() for name in (fields or "").split(",") if name.strip()}
    if not names or not isinstance(item, Mapping):
        return item
    return {name: value for name, value in item.items() if name.lower() in names}


@cache
def documented(part: Any, many: bool) -> Any:
    """The envelope of a serializer or field, for the OpenAPI document."""
    fields: dict[str, Any] = {
        "count": serializers.IntegerField(required=False),
        "status": serializers.IntegerField(),
        "statusCode": serializers.IntegerField(),
        "response": _listed(part) if many else part(),
    }
    if many:
        paging = ("startIndex", "nextIndex", "total")
        fields |= {name: serializers.IntegerField(required=False) for name in paging}
    return inline_serializer(f"{part.__name__}{'List' if many else ''}Answer", fields)


def _listed(part: Any) -> Any:
    is_object = issubclass(part, serializers.BaseSerializer)
    return part(many=True) if is_object else serializers.ListField(child=part())
