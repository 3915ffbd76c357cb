"""`/api/custom-fields`."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from crm_project.accounts.rules import Permission
from crm_project.api.filters import ChoicesFilter, StrictFilterSet
from crm_project.api.views import RestoreMixin, RowViewSet
from crm_project.records import services
from crm_project.records.api.serializers import CustomFieldSerializer
from crm_project.records.models import CustomField
from crm_project.records.paging import Key

EXAMPLE = {
    "kind": "deal",
    "key": "region",
    "label": "Region",
    "type": "select",
    "options": ["North", "South"],
}


class CustomFieldFilter(StrictFilterSet):
    kind = ChoicesFilter(choices=CustomField.Kinds.values)


@extend_schema_view(create=extend_schema(examples=[OpenApiExample("A choice", EXAMPLE, request_only=True)]))
class CustomFieldViewSet(RestoreMixin, RowViewSet):
    """The definitions of custom fields of deals and contacts."""

    model = CustomField
    queryset = CustomField.objects.none()
    serializer_class = CustomFieldSerializer
    filterset_class = CustomFieldFilter
    edit_permission = Permission.EDIT_PIPELINES
    lookup_field = "id"
    lookup_value_converter = "int"
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "position": Key("position"),
    }
    default_ordering = "created_at"

    def perform_create(self, change: dict[str, Any]) -> CustomField:
        return services.create_custom_field(actor=self.actor, change=change)

    def perform_update(self, row: CustomField, change: dict[str, Any]) -> CustomField:
        return services.update_custom_field(actor=self.actor, custom_field=row, change=change)

    def perform_destroy(self, row: CustomField) -> None:
        services.trash_custom_field(actor=self.actor, custom_field=row, if_match=self.if_match)

    def perform_restore(self, row: CustomField) -> CustomField:
        return services.restore_custom_field(actor=self.actor, custom_field=row, if_match=self.if_match)
