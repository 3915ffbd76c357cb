"""`/api/custom-fields`."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from crm_project.accounts.rules import Permission
from crm_project.api.filters import ChoicesFilter, StrictFilterSet
from crm_project.api.views import RowViewSet
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
class CustomFieldViewSet(RowViewSet):
    """The definitions of custom fields of deals and contacts."""

    queryset = CustomField.objects.none()
    serializer_class = CustomFieldSerializer
    filterset_class = CustomFieldFilter
    edit_permission = Permission.EDIT_PIPELINES
    lookup_field = "id"
    lookup_value_converter = "id_or_uuid"
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "position": Key("position"),
    }
    default_ordering = "created_at"
