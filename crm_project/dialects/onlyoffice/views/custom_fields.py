"""User fields: their definitions, and their values in rows."""

from collections.abc import Sequence
from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.dialects.onlyoffice.serializers import custom_fields as serializers
from crm_project.dialects.onlyoffice.serializers.custom_fields import CustomFieldValue
from crm_project.dialects.onlyoffice.serializers.params import OnlyofficeNoParameters
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described
from crm_project.records.custom_field_keys import taken_keys
from crm_project.records.kinds import kinds
from crm_project.records.models import CustomField
from crm_project.records.services import create_custom_field, trash_custom_field, update_custom_field
from crm_project.records.writing.columns import Change


def update_rows(kind: str, actor: Actor, changes: Sequence[tuple[Any, Change]]) -> Sequence[Any]:
    """Update rows by the service of their kind; returns a Receipt for each."""
    update = kinds[kind].services.update
    assert update is not None, "kinds with custom fields have it"
    return update(actor=actor, changes=changes)


class OnlyofficeCustomFieldView(OnlyofficeView):
    """The values of a row. `kind` is the core's kind of row; people and companies have the same fields."""

    kind = "deal"

    @described("User fields of a row", serializers.OnlyofficeCustomFieldNested, many=True)
    def values_list(self, request: Request, pk: str) -> Response:
        row: Any = self.find(self.kind, pk)
        values = serializers.values_of(row, self.definitions(self.kind).values())
        return self.many(self.serialize(serializers.OnlyofficeCustomFieldNested, values, many=True))

    @described(
        "Set a user field of a row",
        serializers.OnlyofficeCustomFieldNested,
        request=serializers.OnlyofficeCustomValueWrite,
        status=201,
    )
    def set_value(self, request: Request, pk: str, field: str) -> Response:
        row, definition = self.find(self.kind, pk), self.find_definition(field)
        text = self.read(serializers.OnlyofficeCustomValueWrite)["fieldValue"] or ""
        value = (
            serializers.change_of(row, {definition.key: (definition, text)})
            if text
            else {definition.key: None}
        )
        change = {"custom_fields": value}
        receipt = update_rows(self.kind, self.actor, [(row, change)])[0]
        return self.one(
            self.serialize(
                serializers.OnlyofficeCustomFieldNested, CustomFieldValue(receipt.row, definition)
            ),
            201,
        )

    def find_definition(self, pk: str) -> CustomField:
        definition: CustomField = self.find("custom_field", pk)
        if definition.kind != self.kind:
            raise NotFound
        return definition


class OnlyofficeDefinitionView(OnlyofficeCustomFieldView):
    edit_permission = Permission.EDIT_PIPELINES

    @described("The definitions of user fields", serializers.OnlyofficeDefinitionRead, many=True)
    def list(self, request: Request) -> Response:
        return self.many(self._representations())

    @described(
        "Declare a user field",
        serializers.OnlyofficeDefinitionRead,
        request=serializers.OnlyofficeDefinitionWrite,
        status=201,
    )
    def create(self, request: Request) -> Response:
        sent, known = self.read(serializers.OnlyofficeDefinitionWrite), self.definitions(self.kind)
        taken = taken_keys(self.actor.organization_id, self.kind)
        last = max((row.position for row in known.values()), default=-1)
        change = serializers.declaration(sent, self.kind, taken, last + 1)
        return self._one(create_custom_field(actor=self.actor, change=change), 201)

    @described(
        "Change a user field",
        serializers.OnlyofficeDefinitionRead,
        request=serializers.OnlyofficeDefinitionWrite,
    )
    def replace(self, request: Request, pk: str) -> Response:
        definition, sent = self.find_definition(pk), self.read(serializers.OnlyofficeDefinitionWrite)
        change = serializers.redeclaration(definition, sent)
        return self._one(update_custom_field(actor=self.actor, custom_field=definition, change=change))

    @described("Delete a user field", serializers.OnlyofficeDefinitionRead)
    def destroy(self, request: Request, pk: str) -> Response:
        definition = self.find_definition(pk)
        self.read(OnlyofficeNoParameters)
        trash_custom_field(actor=self.actor, custom_field=definition)
        return self._one(definition)

    @described(
        "Reorder user fields",
        serializers.OnlyofficeDefinitionRead,
        request=serializers.OnlyofficeDefinitionOrder,
        many=True,
    )
    def reorder(self, request: Request) -> Response:
        """The sent ids come first; the others keep their order."""
        places = {
            pk: place for place, pk in enumerate(self.read(serializers.OnlyofficeDefinitionOrder)["fields"])
        }
        known = sorted(self.definitions(self.kind).values(), key=lambda row: places.get(row.pk, len(places)))
        if places.keys() - {row.pk for row in known}:
            raise NotFound
        for position, row in enumerate(known):
            update_custom_field(actor=self.actor, custom_field=row, change={"position": position})
        self._definitions.clear()
        return self.many(self._representations())

    def _one(self, definition: CustomField, status: int = 200) -> Response:
        return self.one(
            self.serialize(serializers.OnlyofficeDefinitionRead, CustomFieldValue(None, definition)), status
        )

    def _representations(self) -> Any:
        values = [CustomFieldValue(None, definition) for definition in self.definitions(self.kind).values()]
        return self.serialize(serializers.OnlyofficeDefinitionRead, values, many=True)
