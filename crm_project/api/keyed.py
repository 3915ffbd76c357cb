"""The actions of rows that integrations identify by keys: upsert, lists of writes, look-up by external reference."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.bulk import Bulk, bulk_schemas
from crm_project.api.fields import UUID as UUID_PATTERN
from crm_project.api.fields import StrictChoice, StrictUUID
from crm_project.api.serializers import changed_names
from crm_project.api.views import RowViewSet
from crm_project.errors import NotFound
from crm_project.records.bulk import Operation
from crm_project.records.writing.receipts import Receipt
from crm_project.records.writing.rows import MATCH_KEYS


def keyed_actions(row_name: str, serializer: Any, example: Mapping[str, str]) -> tuple[Any, Any, Any]:
    """The actions `upsert`, `bulk` and `external` of the rows of a `RowWriter`; `example` is the body of a new row."""
    upsert_serializer = _upsert_serializer(serializer, example)
    return (
        upsert_action(upsert_serializer, _receipt_serializer(serializer)),
        bulk_action(row_name, serializer, upsert_serializer, example),
        external_action(serializer),
    )


def _upsert_serializer(serializer: Any, example: Mapping[str, str]) -> Any:
    name = serializer.__name__.removesuffix("Serializer")
    fields = {
        "__doc__": "The row with the key that finds it.",
        "uuid": StrictUUID(required=False),
        "match_on": StrictChoice(MATCH_KEYS, write_only=True, required=False),
    }
    body = {**example, "external_id": "ERP-42"}
    examples = [OpenApiExample("Create or update by one key", body, request_only=True)]
    made = type(serializer)(f"Upsert{name}Serializer", (serializer,), fields)
    return extend_schema_serializer(examples=examples)(made)


def _receipt_serializer(serializer: Any) -> Any:
    name = serializer.__name__.removesuffix("Serializer")
    fields = {
        "__doc__": "The row, and the outcome of the upsert.",
        "outcome": serializers.ChoiceField(["created", "updated", "unchanged"], read_only=True),
        "new": serializers.BooleanField(read_only=True),
        "matched_on": serializers.ChoiceField(MATCH_KEYS, read_only=True, allow_null=True),
        "changed": serializers.ListField(child=serializers.CharField(), read_only=True),
    }
    return type(serializer)(f"{name}ReceiptSerializer", (serializer,), fields)


def upsert_action(serializer: Any, receipt_serializer: Any) -> Any:
    """The action `upsert`, with its OpenAPI entry."""

    @extend_schema(
        request=serializer,
        responses={200: receipt_serializer, 201: receipt_serializer},
        summary="Create or update by one key",
    )
    @action(detail=False, methods=["post"])
    def upsert(self: RowViewSet, request: Request) -> Response:
        """`match_on` names the key, else the first one in the body."""
        reader = serializer(
            _named_row(self, request.data), data=request.data, context=self.get_serializer_context()
        )
        reader.is_valid(raise_exception=True)
        change = self.conditional(reader.validated_data)
        receipt = self.carry_out([Operation("upsert", change=change)])[0]
        created = receipt.outcome == "created"
        headers = {"Location": self.location(receipt.row)} if created else {}
        return Response(_receipt(self, receipt), status=201 if created else 200, headers=headers)

    return upsert


def bulk_action(row_name: str, serializer: Any, upsert_serializer: Any, example: Mapping[str, str]) -> Any:
    """The action `bulk`, with its OpenAPI entry.

    `row_name` is the field of a result that holds the row; `example` is the body of a new row.
    """
    request_schema, answer_schema = bulk_schemas(row_name, serializer, upsert_serializer)

    @extend_schema(
        request=request_schema,
        responses={200: answer_schema, 207: answer_schema},
        examples=[_bulk_example(example)],
        summary="Many writes in one request",
    )
    @action(detail=False, methods=["post"])
    def bulk(self: RowViewSet, request: Request) -> Response:
        """Up to 1,000 single writes: all or none, unless `atomic` is false; then 207 if one was refused."""
        answer = Bulk(self, upsert_serializer, row_name).answer(request.data)
        some_refused = any(result["outcome"] == "refused" for result in answer["results"])
        return Response(answer, status=207 if some_refused else 200)

    return bulk


def external_action(serializer: Any) -> Any:
    """The action `external`, with its OpenAPI entry."""

    @extend_schema(responses=serializer, summary="Find by an external reference")
    @action(detail=False, url_path="external/<str:system>/<path:external_id>")
    def external(self: RowViewSet, request: Request, system: str, external_id: str) -> Response:
        row = self.get_queryset().holding_reference(system=system, external_id=external_id).first()
        if row is None:
            raise NotFound
        return Response(self.represent(row))

    return external


def _bulk_example(new_row: Mapping[str, str]) -> OpenApiExample:
    operations = [
        {"op": "create", "data": new_row},
        {"op": "upsert", "data": {"external_id": "ERP-42", **new_row}},
    ]
    body = {"atomic": False, "operations": operations}
    return OpenApiExample("Create and upsert", body, request_only=True)


def _named_row(view: RowViewSet, data: Any) -> Any:
    """The row whose uuid is in the body: its read-only fields may be sent back unchanged."""
    uuid = data.get("uuid") if isinstance(data, dict) else None
    if not isinstance(uuid, str) or not UUID_PATTERN.fullmatch(uuid):
        return None
    row = view.get_queryset().filter(uuid=uuid).first()
    return view.reread(row) if row else None


def _receipt(view: RowViewSet, receipt: Receipt[Any]) -> dict[str, Any]:
    """The row as GET answers it, with GET's ETag, and the outcome of the upsert."""
    row = view.represent(receipt.row)
    view.etag_body = JSONRenderer().render(row)
    return {
        **row,
        "outcome": receipt.outcome,
        "new": receipt.outcome == "created",
        "matched_on": receipt.matched_on,
        "changed": changed_names(receipt.changed, view.wire_names),
    }
