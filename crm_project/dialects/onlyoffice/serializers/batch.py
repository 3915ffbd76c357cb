"""Several reads in one request, as the vendor's own pages send them."""

import json
from typing import Any

from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.dialects.onlyoffice.serializers.params import (
    OnlyofficeParameters,
    OptionalTextParam,
    RequiredTextParam,
    WholeNumberField,
)

LIMIT = 100


class OnlyofficeBatchItem(OnlyofficeParameters):
    """The URL of a read, and the name of its answer."""

    relativeUrl: Any = RequiredTextParam(source="url")
    name = OptionalTextParam(default="")
    method = OptionalTextParam(default="GET")
    order = WholeNumberField(default=0)
    relativeMethod = OptionalTextParam()
    body = OptionalTextParam(default="")
    bodyContentType = OptionalTextParam()

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(self.renamed(data))

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if (sent["method"] or "GET").upper() != "GET" or sent["body"]:
            raise serializers.ValidationError("A batch can contain reads only.")
        return sent


class OnlyofficeBatchList(serializers.ListSerializer[Any]):
    """A list, or a list as JSON text."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            items = json.loads(data) if isinstance(data, str) else data
        except (ValueError, RecursionError):
            raise serializers.ValidationError("Must be a list of requests.", code="invalid") from None
        return super().to_internal_value(items)


class OnlyofficeBatchWrite(OnlyofficeParameters):
    batch: Any = OnlyofficeBatchList(child=OnlyofficeBatchItem(), max_length=LIMIT)


class OnlyofficeBatchAnswerRead(Serializer):
    name = serializers.CharField()
    status = serializers.IntegerField()
    headers = serializers.DictField(child=serializers.CharField())
    data: Any = serializers.CharField()
