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
from crm_project.imports.services import questions_of, values_of

MAPPING = {
    "type": "object",
    "additionalProperties": {"type": ["string", "null"]},
    "description": "The field of each column, by the label of the column; null leaves a column out. `new_field`"
    " creates a custom field for it with the run, of the `type` of the column, or of another one: `new_field:number`.",
}
VALUE_CHOICES = {
    "type": "object",
    "additionalProperties": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
    "description": "What unknown values mean, by field and value: a `value` of the choices, `create` to create"
    " a row of this name, an empty string to leave the field empty, null to take a choice back.",
}
ANSWERS = {
    "type": "object",
    "additionalProperties": {"type": ["string", "null"]},
    "description": "The answers to `questions`, by the label of the column.",
}
OPTIONS = {
    "type": "object",
    "properties": {
        **{
            name: {"type": "string", "enum": list(choices)}
            for name, choices in CHOICES.items()
            if name != "currency"
        },
        "currency": {
            "type": "string",
            "description": "The currency of amounts whose row names none; empty for the organization's.",
        },
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
    """A file of deals, contacts or activities."""

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


@extend_schema_field(ANSWERS)
class AnswersField(JsonValue):
    pass


class ColumnSerializer(Serializer):
    """A column of the file: its label, its first values, and the type of a custom field that suits them."""

    label = serializers.CharField()  # type: ignore[assignment]
    samples = serializers.ListField(child=serializers.CharField())
    type = serializers.CharField(default="text")


@extend_schema_field(VALUE_CHOICES)
class ValueChoicesField(JsonValue):
    pass


class UnknownValueSerializer(Serializer):
    value = serializers.CharField()
    count = serializers.IntegerField(help_text="The number of rows with this value.")
    choice = serializers.CharField(allow_null=True, allow_blank=True)


class OfferSerializer(Serializer):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class UnknownValuesSerializer(Serializer):
    """A field whose cells name one of a few things, and the values of the file that are none of them.

    A row with such a value is refused until `value_choices` says what it means.
    """

    field = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    columns = serializers.ListField(child=serializers.CharField())
    choices = OfferSerializer(many=True)
    can_create = serializers.BooleanField()
    create_label = serializers.CharField()
    values = UnknownValueSerializer(many=True)


class AnswerChoiceSerializer(Serializer):
    value = serializers.CharField()
    meaning = serializers.CharField(help_text="A cell of the column as this answer reads it.")


class QuestionSerializer(Serializer):
    """A column whose cells can be read in two ways. The run is refused until `answers` has an answer for it."""

    column = serializers.CharField()
    asks = serializers.ChoiceField(
        ["decimal", "date_order", "currency"],
        help_text="What the column leaves open. A currency is answered by the option `currency`.",
    )
    samples = serializers.ListField(child=serializers.CharField())
    choices = AnswerChoiceSerializer(many=True)
    suggested = serializers.CharField(help_text="The more probable answer; it is not taken by itself.")
    answer = serializers.CharField(allow_null=True)


class UndoSerializer(StrictSerializer):
    """What an undo does if rows have been changed since: refuse as a whole, or keep them and undo the others."""

    changed_rows = StrictChoice([("refuse", "refuse"), ("keep", "keep")], required=False)


class CountsSerializer(Serializer):
    """Empty until a preview or a run has ended. In the state previewed the counts are those expected; in the
    state refused nothing was written, and only `rows` and `refused` are above zero.

    `change_set` is the change set of the run in the feed, and `undone_by` that of its undo. `stayed` is the number of
    rows that the undo left as they were, since they had been changed or belong to such a row.
    """

    rows = serializers.IntegerField(required=False)
    created = serializers.IntegerField(required=False)
    updated = serializers.IntegerField(required=False)
    unchanged = serializers.IntegerField(required=False)
    refused = serializers.IntegerField(required=False)
    change_set = serializers.UUIDField(required=False)
    undone_by = serializers.UUIDField(required=False)
    stayed = serializers.IntegerField(required=False)


class ExampleSerializer(Serializer):
    """The outcome, or the expected outcome, of one of the first rows."""

    line = serializers.IntegerField()
    outcome = serializers.ChoiceField(["created", "updated", "unchanged"])
    name = serializers.CharField()
    changed = serializers.ListField(child=serializers.CharField())
    row = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(allow_blank=True)),
        required=False,
        help_text="Pairs of a label and the value as it is stored: amounts with their currency, days spelled out.",
    )


class ProblemSerializer(Serializer):
    column = serializers.CharField()
    detail = serializers.CharField()
    rows = serializers.IntegerField()


class LeftOutSerializer(Serializer):
    """Values that are not imported: those of a column without a field, what a cell or a row has beside the first,
    dates that contradict others of their row, such as the entry into a stage after the closing, and ids of contacts
    that are unknown here, of rows that name the contact in other columns, too.
    """

    column = serializers.CharField()
    rows = serializers.IntegerField()
    samples = serializers.ListField(child=serializers.CharField())
    reason = serializers.ChoiceField(["unmapped", "further", "contradicting", "unknown_id"])


class ImportSummarySerializer(Serializer):
    """Empty until a preview or a run has ended."""

    problems = ProblemSerializer(many=True, required=False)
    left_out = LeftOutSerializer(many=True, required=False)
    rows_left_out = serializers.IntegerField(
        required=False,
        help_text="Rows that the source writes and that are no data, such as the foot of a report.",
    )
    created_beside = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="Created rows of other kinds, by kind."
    )


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
    sheets = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Of a workbook. The first one that has rows is read, unless `options.sheet` names another one.",
    )
    columns = ColumnSerializer(many=True, read_only=True)
    mapping = MappingField(required=False)
    options = OptionsField(required=False)
    answers = AnswersField(required=False)
    value_choices = ValueChoicesField(required=False)
    recognized_as = serializers.CharField(read_only=True)
    state = serializers.ChoiceField(Import.States.choices, read_only=True)
    task = serializers.ChoiceField(Import.Tasks.choices, read_only=True, allow_blank=True)
    progress = StrictInteger(read_only=True)
    counts = CountsSerializer(read_only=True)
    examples = ExampleSerializer(many=True, read_only=True)
    summary = ImportSummarySerializer(read_only=True)
    problem = serializers.CharField(read_only=True)
    created_at = StrictDateTime(read_only=True)
    started_at = StrictDateTime(read_only=True, allow_null=True)
    finished_at = StrictDateTime(read_only=True, allow_null=True)
    file_deleted_at = StrictDateTime(read_only=True, allow_null=True)

    def validate_value_choices(self, choices: Any) -> Any:
        if not isinstance(choices, Mapping):
            raise serializers.ValidationError("Must be an object of objects.", "invalid")
        return {key: _object_of(chosen, (str, type(None))) for key, chosen in choices.items()}

    def validate_answers(self, answers: Any) -> Any:
        return _object_of(answers, (str, type(None)))

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


class ImportDetailSerializer(ImportSerializer):
    """An import with what it asks."""

    questions = serializers.SerializerMethodField()
    values = serializers.SerializerMethodField()

    @extend_schema_field(QuestionSerializer(many=True))
    def get_questions(self, row: Import) -> list[dict[str, Any]]:
        return questions_of(self.context["view"].actor, row) if row.file_deleted_at is None else []

    @extend_schema_field(UnknownValuesSerializer(many=True))
    def get_values(self, row: Import) -> list[dict[str, Any]]:
        return values_of(self.context["view"].actor, row) if row.file_deleted_at is None else []


def _object_of(value: Any, types: tuple[type, ...]) -> Any:
    if not isinstance(value, Mapping) or not all(isinstance(item, types) for item in value.values()):
        raise serializers.ValidationError("Must be an object of strings.", "invalid")
    return value


class FieldSerializer(Serializer):
    """A field that a column can be mapped to."""

    key = serializers.CharField(
        help_text="`entered:<stage>` takes the day on which a deal entered a stage: one of those here, or another name"
        " that the file has, perhaps with its pipeline behind it in brackets."
    )
    label = serializers.CharField(source="shown")  # type: ignore[assignment]
    names = serializers.ListField(
        child=serializers.CharField(), help_text="Other headers that mean this field."
    )


class FieldListSerializer(Serializer):
    deals = FieldSerializer(many=True)
    contacts = FieldSerializer(many=True)
