"""Values as the vendor prints them: seven digits of a second, and 0001-01-01 for what is not set."""

import datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

UNSET = "0001-01-01T00:00:00.0000000Z"


def printed(instant: datetime.datetime | None, zone: datetime.tzinfo) -> str:
    if instant is None:
        return UNSET
    local = instant.astimezone(zone)
    text = local.isoformat(timespec="microseconds")[:26]
    offset = local.strftime("%z")
    return f"{text}0{'Z' if offset == '+0000' else f'{offset[:3]}:{offset[3:5]}'}"


def printed_day(day: datetime.date | None, zone: datetime.tzinfo) -> str:
    if day is None:
        return UNSET
    return printed(datetime.datetime.combine(day, datetime.time(), zone), zone)


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantField(serializers.Field[Any, Any, Any, Any]):
    """An instant, or a day as its midnight, in the organization's zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, **kwargs})

    def get_attribute(self, instance: Any) -> Any:
        # DRF leaves out what is None; here it is printed.
        return (super().get_attribute(instance),)

    def to_representation(self, value: Any) -> str:
        zone = self.context["view"].zone
        moment = value[0]
        return printed(moment, zone) if isinstance(moment, datetime.datetime) else printed_day(moment, zone)


class OnlyofficeRead(serializers.Serializer[Any]):
    """What is shown of a row; objects that are not there are left out, as the vendor does."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return {name: value for name, value in shown.items() if value is not None}


@extend_schema_field(OpenApiTypes.STR)
class Always(serializers.Field[Any, Any, Any, Any]):
    """The same for every row."""

    def __init__(self, constant: Any, **kwargs: Any) -> None:
        self.constant = constant
        super().__init__(**{"read_only": True, "source": "*", **kwargs})

    def to_representation(self, value: Any) -> Any:
        return self.constant


@extend_schema_field(OpenApiTypes.BOOL)
class MayEditField(serializers.Field[Any, Any, Any, Any]):
    """Rights come from the role and the token."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "source": "*", **kwargs})

    def to_representation(self, value: Any) -> bool:
        return bool(self.context["view"].may_edit)
