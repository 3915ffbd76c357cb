"""Several reads in one request, as the vendor's own pages send them."""

import json
from typing import Any

from rest_framework import serializers

from crm_project.dialects.onlyoffice.wire.params import LongText, Parameters, Title, WholeNumber

LIMIT = 100


class BatchItem(Parameters):
    """What is read, and the name under which it is answered."""

    relativeUrl: Any = Title(source="url")
    name = LongText(default="")
    method = LongText(default="GET")
    order = WholeNumber(default=0)
    relativeMethod = LongText()
    body = LongText(default="")
    bodyContentType = LongText()

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(self.named(data))

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if (sent["method"] or "GET").upper() != "GET" or sent["body"]:
            raise serializers.ValidationError(
                "This server carries out reads together, and writes one by one."
            )
        return sent


class BatchParam(serializers.ListSerializer[Any]):
    """A list, or the text of one."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            items = json.loads(data) if isinstance(data, str) else data
        except (ValueError, RecursionError):
            raise serializers.ValidationError("This is no list of requests.", code="invalid") from None
        return super().to_internal_value(items)


class Batch(Parameters):
    batch: Any = BatchParam(child=BatchItem(), max_length=LIMIT)


class BatchAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    status = serializers.IntegerField()
    headers = serializers.DictField(child=serializers.CharField())
    data: Any = serializers.CharField()
