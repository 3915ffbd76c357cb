"""Serializers that refuse unknown fields, and accept unchanged read-only ones, so that a client can send a row back."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast

from django.core.serializers.json import DjangoJSONEncoder
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import empty
from rest_framework.settings import api_settings

from crm_project.api.compiled import Serializer, bound_fields
from crm_project.api.fields import StrictUUID, TextField
from crm_project.errors import KNOWN
from crm_project.records.models import DEFAULT_SYSTEM

KEYS_LIMIT = 500


class BoundedSerializer(Serializer):
    """Refuses an object of more than KEYS_LIMIT keys before it looks at any of them. Free JSON has no serializer."""

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, Mapping) and len(data) > KEYS_LIMIT:
            detail = ErrorDetail(f"An object has at most {KEYS_LIMIT} keys.", "too_many_keys")
            raise serializers.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [detail]})
        return super().run_validation(data)


class StrictSerializer(BoundedSerializer):
    """Validated data is a change for the services: the `source` of a field is its name in the change.

    An unknown field is an error, and so is a read-only one with another value than the row's. `wire_names`
    translates the names in a service's errors back.
    """

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            errors = self._unknown(data) | self._altered(data)
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**cast(dict[str, Any], error.detail), **errors}) from None
        if errors:
            raise serializers.ValidationError(errors)
        return value

    def _unknown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        unknown = [name for name in data if name not in self.fields]
        short = [ErrorDetail("There is no such field.", "unknown_field")]
        wrong = dict.fromkeys(unknown, short)
        for name in unknown[:1]:
            known = ", ".join(sorted(self.fields))
            wrong[name] = [ErrorDetail(f"There is no such field.{KNOWN}{known}.", "unknown_field")]
        return wrong

    def _altered(self, data: Mapping[str, Any]) -> dict[str, Any]:
        sent = [name for name, field in self.fields.items() if field.read_only and name in data]
        if not sent:
            return {}
        current = plain_json(self.to_representation(self.instance)) if self.instance is not None else {}
        wrong = [name for name in sent if name not in current or data[name] != current[name]]
        return {name: [ErrorDetail("This field is read only.", "read_only")] for name in wrong}

    @classmethod
    def wire_names(cls) -> dict[str, str]:
        """The API's name of each field of a change."""
        return _wire_names(cls)


@cache
def _wire_names(serializer: type[Serializer]) -> dict[str, str]:
    fields = bound_fields(serializer)
    return {str(field.source): name for name, field in fields.items() if not field.read_only}


def changed_names(changed: Iterable[str], wire_names: Mapping[str, str]) -> list[str]:
    """The sorted API names of columns and lists that changed."""
    return sorted({wire_names.get(name.removesuffix("_id"), wire_names.get(name, name)) for name in changed})


def plain_json(value: Any) -> Any:
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


class ReferenceSerializer(StrictSerializer):
    """(system, external id)."""

    system = TextField()
    external_id = TextField()

    def to_internal_value(self, data: Any) -> tuple[str, str]:
        value = super().to_internal_value(data)
        return value["system"], value["external_id"]


class ReferenceListField(serializers.ListField):
    child = ReferenceSerializer()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "max_length": 100, **kwargs})

    def get_attribute(self, instance: Any) -> Any:
        return instance.references

    def to_representation(self, data: Any) -> Any:
        rows = data.all() if hasattr(data, "all") else data
        return [{"system": row.system, "external_id": row.external_id} for row in rows]


def take_shorthand(attrs: Mapping[str, Any], row: Any) -> dict[str, Any]:
    """Replace `external_id` and `external_system` by `external_references`; the row keeps those of other systems."""
    change = dict(attrs)
    system = change.pop("external_system", None)
    if "external_id" not in change:
        if system is not None:
            raise serializers.ValidationError(
                {"external_id": [ErrorDetail("Required together with external_system.", "required")]}
            )
        return change
    external_id, system = change.pop("external_id"), system or DEFAULT_SYSTEM
    held = change.get("external_references")
    if held is None:
        held = (
            [(reference.system, reference.external_id) for reference in row.references.all()] if row else []
        )
    others = [key for key in held if key[0] != system]
    change["external_references"] = [*others, (system, external_id)] if external_id else others
    return change


class MemberSerializer(Serializer):
    """A member in other rows."""

    uuid = StrictUUID()
    full_name = serializers.CharField()
    email = serializers.EmailField()
