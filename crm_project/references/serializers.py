"""The canonical shape of an external reference."""

from typing import Any

from rest_framework import serializers

from crm_project.api.fields import JsonValue, StrictChoice, StrictDateTime, StrictUUID, TextField
from crm_project.api.serializers import StrictSerializer
from crm_project.records.kinds import referable


class ExternalReferenceSerializer(StrictSerializer):
    """The id of a row in another system. `row` is its uuid, or its id for kinds that the API identifies by id."""

    uuid = StrictUUID(read_only=True)
    system = TextField()
    kind = StrictChoice(list(referable()))
    external_id = TextField()
    row = JsonValue()
    created_at = StrictDateTime(read_only=True)

    def validate_system(self, system: str) -> str:
        return _not_blank(system)

    def validate_external_id(self, external_id: str) -> str:
        return _not_blank(external_id)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        row = instance.row_name
        return {
            "uuid": str(instance.uuid),
            "system": instance.system,
            "kind": instance.kind,
            "external_id": instance.external_id,
            "row": row if isinstance(row, int) else str(row),
            "created_at": self.fields["created_at"].to_representation(instance.created_at),
        }


def _not_blank(text: str) -> str:
    if not text.strip():
        raise serializers.ValidationError("This may not be blank.", "blank")
    return text
