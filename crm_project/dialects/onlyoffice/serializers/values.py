"""The vendor's formats: instants with seven digits after the second, and 0001-01-01 for null."""

import datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.dialects.kit.instants import InstantField, format_instant

DIGITS = 7
UNSET = "0001-01-01T00:00:00.0000000Z"


def format_or_unset(value: datetime.date | None, zone: datetime.tzinfo) -> str:
    """An instant, a day as its midnight, or `0001-01-01` for None, with seven digits after the second."""
    if value is None:
        return UNSET
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time(), zone)
    return format_instant(value, digits=DIGITS, zone=zone)


class InstantOrUnsetField(InstantField):
    """An instant or a day in the organization's time zone; null is written as `0001-01-01`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(digits=DIGITS, local=True, **kwargs)

    def get_attribute(self, instance: Any) -> Any:
        # A serializer does not call to_representation for None; hence the value is in a tuple.
        return (super().get_attribute(instance),)

    def to_representation(self, value: Any) -> str:
        return format_or_unset(value[0], self.context["view"].zone)


class OnlyofficeRead(Serializer):
    """A read serializer that leaves out null values."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        data = super().to_representation(instance)
        return {name: value for name, value in data.items() if value is not None}


@extend_schema_field(OpenApiTypes.BOOL)
class MayEditField(serializers.Field[Any, Any, Any, Any]):
    """Whether the actor may edit."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "source": "*", **kwargs})

    def to_representation(self, value: Any) -> bool:
        return bool(self.context["view"].may_edit)
