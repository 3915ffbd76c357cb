"""Serializers of imports."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.fields import (
    JsonValue,
    StrictChoice,
    StrictDateTime,
    StrictInteger,
    StrictUUID,
    TextField,
)
from crm_project.api.parsers import BODY_LIMIT
from crm_project.api.serializers import StrictSerializer
from crm_project.imports.files import Upload, receive
from crm_project.imports.mapping import CHOICES
from crm_project.imports.models import Export, Import

MAPPING = {
    "type": "object",
    "additionalProperties": {"type": ["string", "null"]},
    "description": "The field of each column, by the label of the column; null leaves a column out.",
}
OPTIONS = {
    "type": "object",
    "properties": {
        **{name: {"type": "string", "enum": list(choices)} for name, choices in CHOICES.items()},
        "external_system": {
            "type": "string",
            "description": "The system of the ids in the column external_id.",
        },
        "sheet": {"type": "string", "description": "The name of an XLSX file's sheet; empty for the first."},
    },
}


@extend_schema_field(OpenApiTypes.BINARY)
class UploadField(serializers.Field[Any, Any, Any, Any]):
    default_error_messages = {"required": "Send the file.", "invalid": "Must be a file, not a string."}

    def to_internal_value(self, data: Any) -> Upload:
        if not isinstance(data, Upload):
            self.fail("invalid")
        return data


class UploadSerializer(StrictSerializer):
    """A file of deals or contacts."""

    kind = StrictChoice(Import.Kinds.choices)
    file = UploadField(write_only=True)


class TextUploadSerializer(StrictSerializer):
    """A small CSV file as a JSON string, for clients that can only send JSON."""

    kind = StrictChoice(Import.Kinds.choices)
    file_name = TextField(required=False)
    content = TextField(max_length=BODY_LIMIT)

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        content = attrs["content"].encode("utf-8", "replace")
        return {"kind": attrs["kind"], "file": receive(attrs.get("file_name", "file.csv"), [content])}


@extend_schema_field(MAPPING)
class MappingField(JsonValue):
    pass


@extend_schema_field(OPTIONS)
class OptionsField(JsonValue):
    pass


class ColumnSerializer(Serializer):
    """A column of the file: its label, and its first values."""

    label = serializers.CharField()  # type: ignore[assignment]
    samples = serializers.ListField(child=serializers.CharField())


class CountsSerializer(Serializer):
    """Empty until a preview or a run has ended. In the state previewed the counts are those expected; in the
    state refused nothing was written, and only `rows` and `refused` are above zero.

    `change_set` is the change set of the run in the feed, and `undone_by` that of its undo.
    """

    rows = serializers.IntegerField(required=False)
    created = serializers.IntegerField(required=False)
    updated = serializers.IntegerField(required=False)
    unchanged = serializers.IntegerField(required=False)
    refused = serializers.IntegerField(required=False)
    change_set = serializers.UUIDField(required=False)
    undone_by = serializers.UUIDField(required=False)


class ExampleSerializer(Serializer):
    """The outcome, or the expected outcome, of one of the first rows."""

    line = serializers.IntegerField()
    outcome = serializers.ChoiceField(["created", "updated", "unchanged"])
    name = serializers.CharField()
    changed = serializers.ListField(child=serializers.CharField())


class RowErrorSerializer(Serializer):
    column = serializers.CharField()
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class RefusedRowSerializer(Serializer):
    """A row that cannot be imported, by its line in the file."""

    line = serializers.IntegerField()
    cells = serializers.ListField(child=serializers.CharField())
    errors = RowErrorSerializer(many=True)  # type: ignore[assignment]


class ImportSerializer(StrictSerializer):
    """An uploaded file, the mapping of its columns, and the outcome of its rows."""

    uuid = StrictUUID(read_only=True)
    kind = StrictChoice(Import.Kinds.choices, read_only=True)
    file_name = serializers.CharField(read_only=True)
    format = serializers.ChoiceField(Import.Formats.choices, read_only=True)
    size = StrictInteger(read_only=True)
    columns = ColumnSerializer(many=True, read_only=True)
    mapping = MappingField(required=False)
    options = OptionsField(required=False)
    state = serializers.ChoiceField(Import.States.choices, read_only=True)
    task = serializers.ChoiceField(Import.Tasks.choices, read_only=True, allow_blank=True)
    progress = StrictInteger(read_only=True)
    counts = CountsSerializer(read_only=True)
    examples = ExampleSerializer(many=True, read_only=True)
    problem = serializers.CharField(read_only=True)
    created_at = StrictDateTime(read_only=True)
    started_at = StrictDateTime(read_only=True, allow_null=True)
    finished_at = StrictDateTime(read_only=True, allow_null=True)
    file_deleted_at = StrictDateTime(read_only=True, allow_null=True)

    def validate_mapping(self, mapping: Any) -> Any:
        return _object_of(mapping, (str, type(None)))

    def validate_options(self, options: Any) -> Any:
        return _object_of(options, (str,))


class ExportSerializer(StrictSerializer):
    """An export in the background, and how far it is."""

    uuid = StrictUUID(read_only=True)
    kind = serializers.ChoiceField(Import.Kinds.choices, read_only=True)
    format = serializers.ChoiceField(Import.Formats.choices, read_only=True)
    raw = serializers.BooleanField(read_only=True)
    state = serializers.ChoiceField(Export.States.choices, read_only=True)
    rows = StrictInteger(read_only=True, help_text="The rows that have been written so far.")
    size = StrictInteger(read_only=True, help_text="The bytes that have been written so far.")
    problem = serializers.CharField(read_only=True)
    created_at = StrictDateTime(read_only=True)
    finished_at = StrictDateTime(read_only=True, allow_null=True)


def _object_of(value: Any, types: tuple[type, ...]) -> Any:
    if not isinstance(value, Mapping) or not all(isinstance(item, types) for item in value.values()):
        raise serializers.ValidationError("Must be an object of strings.", "invalid")
    return value


class FieldSerializer(Serializer):
    """A field that a column can be mapped to."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    names = serializers.ListField(
        child=serializers.CharField(), help_text="Other headers that mean this field."
    )


class FieldListSerializer(Serializer):
    deals = FieldSerializer(many=True)
    contacts = FieldSerializer(many=True)
