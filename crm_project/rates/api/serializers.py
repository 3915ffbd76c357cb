"""The shape of an exchange rate, and of a file of rates."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.fields import (
    AmountField,
    StrictChoice,
    StrictDate,
    StrictDateTime,
    StrictInteger,
    StrictUUID,
    TextField,
)
from crm_project.api.serializers import StrictSerializer
from crm_project.rates.reading import LONGEST_FILE

FORMATS = ("csv", "ecb")


@extend_schema_field({"type": ["string", "number"], "examples": ["0.9234"]})
class RateValueField(AmountField):
    """A positive decimal number with at most ten decimals."""

    def get_attribute(self, instance: Any) -> Any:
        return f"{instance.rate.normalize():f}"


class ExchangeRateSerializer(StrictSerializer):
    """`rate` units of `base`, the organization's currency, for one unit of `currency`, from `date` on."""

    id = StrictInteger(read_only=True)
    uuid = StrictUUID(read_only=True)
    currency = TextField(max_length=3)
    base = serializers.CharField(read_only=True)
    date = StrictDate()
    rate = RateValueField()
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)


class RateFileSerializer(StrictSerializer):
    """`csv` has the columns currency, date and rate; `ecb` is the XML of the European Central Bank."""

    format = StrictChoice([(name, name) for name in FORMATS])
    content = TextField(max_length=LONGEST_FILE)


class RateReceiptSerializer(Serializer):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
