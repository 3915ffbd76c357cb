"""LeadConnector's definitions of custom fields."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.fields import StrictChoice, StrictInteger, TextField
from crm_project.dialects.kit.fields import IgnoredField, UnsupportedField
from crm_project.dialects.kit.instants import InstantField
from crm_project.dialects.kit.rows import RowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.dialects.leadconnector.serializers.fields import LocationField

Change = dict[str, Any]
DATA_TYPES = {
    "text": "TEXT",
    "textarea": "LARGE_TEXT",
    "number": "NUMERICAL",
    "select": "SINGLE_OPTIONS",
    "multiselect": "MULTIPLE_OPTIONS",
    "checkbox": "CHECKBOX",
    "date": "DATE",
    "heading": "HEADING",
}
# Types that a client may declare; the vendor has no headings.
TYPES = {name: type for type, name in DATA_TYPES.items() if type != "heading"}
MODELS = {"deal": "opportunity", "contact": "contact"}
KINDS = {**{model: [kind] for kind, model in MODELS.items()}, "all": list(MODELS)}


class LeadConnectorCustomFieldQuery(DialectSerializer):
    model = serializers.ChoiceField(list(KINDS), required=False, default="contact")


class DataTypeField(StrictChoice):
    """The type of a custom field."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(list(TYPES), **{"source": "type", **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        return TYPES[super().to_internal_value(data)]


class ModelField(StrictChoice):
    """The kind of row of a custom field."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(list(MODELS.values()), **{"source": "kind", "required": False, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        return KINDS[super().to_internal_value(data)][0]


@extend_schema_field({"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "object"}]}})
class OptionsField(serializers.Field[Any, Any, Any, Any]):
    """The options as strings, or as objects with a `label`."""

    default_error_messages = {"invalid": "Must be a list of strings or of objects with a label."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "write_only": True, **kwargs})

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("invalid")
        return [option.get("label") if isinstance(option, Mapping) else option for option in data]


class LeadConnectorCustomFieldUpdate(DialectSerializer):
    """A change of a custom field, without its type."""

    name = TextField(source="label", required=False)
    model = ModelField()
    position = StrictInteger(required=False, min_value=0)
    picklistOptions = OptionsField(source="options")
    options = OptionsField()
    textBoxListOptions = OptionsField(source="options")
    placeholder = IgnoredField()
    acceptedFormat = UnsupportedField()
    isMultipleFile = UnsupportedField()
    maxNumberOfFiles = UnsupportedField()


class LeadConnectorCustomFieldCreate(LeadConnectorCustomFieldUpdate):
    name = TextField(source="label")
    dataType = DataTypeField()
    model = ModelField(default="contact")


class LeadConnectorCustomFieldRead(Serializer):
    id = RowField("custom_field", source="*")
    name = serializers.CharField(source="label")
    model = serializers.SerializerMethodField()
    fieldKey = serializers.SerializerMethodField()
    dataType = serializers.SerializerMethodField()
    position = serializers.IntegerField()
    picklistOptions = serializers.ListField(child=serializers.CharField(), source="options")
    locationId = LocationField()
    dateAdded = InstantField(digits=3, source="created_at")

    def get_model(self, field: Any) -> str:
        return MODELS[field.kind]

    def get_fieldKey(self, field: Any) -> str:
        return f"{MODELS[field.kind]}.{field.key}"

    def get_dataType(self, field: Any) -> str:
        return DATA_TYPES[field.type]


OneCustomField: Any = inline_serializer("OneCustomField", {"customField": LeadConnectorCustomFieldRead()})
CustomFields: Any = inline_serializer(
    "CustomFields", {"customFields": LeadConnectorCustomFieldRead(many=True)}
)
