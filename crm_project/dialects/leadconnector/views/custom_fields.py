"""`/locations/{id}/customFields`: the definitions of custom fields."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.dialects.leadconnector.serializers import custom_fields as serializers
from crm_project.dialects.leadconnector.serializers.opportunities import Done
from crm_project.dialects.leadconnector.views.base import LeadConnectorLocationScopedView
from crm_project.records.custom_field_keys import free_key, taken_keys
from crm_project.records.models import CustomField
from crm_project.records.services import create_custom_field, trash_custom_field, update_custom_field


class LeadConnectorCustomFieldView(LeadConnectorLocationScopedView):
    """Custom fields of contacts and of opportunities."""

    edit_permission = Permission.EDIT_PIPELINES
    queries = {"index": serializers.LeadConnectorCustomFieldQuery}

    @extend_schema(
        operation_id="dialects_leadconnector_locations_customFields_list",
        responses=serializers.CustomFields,
        summary="The custom fields of the location",
    )
    def index(self, request: Request, location_id: str) -> Response:
        rows = self.fields.filter(kind__in=serializers.KINDS[self.query["model"]]).order_by("position", "id")
        return Response(
            {"customFields": self.serialize(serializers.LeadConnectorCustomFieldRead, list(rows), many=True)}
        )

    @extend_schema(
        request=serializers.LeadConnectorCustomFieldCreate,
        responses={201: serializers.OneCustomField},
        summary="Declare",
    )
    def create(self, request: Request, location_id: str) -> Response:
        sent = self.read(serializers.LeadConnectorCustomFieldCreate)
        key = free_key(sent["label"], taken_keys(self.actor.organization_id, sent["kind"]))
        last = {"position": self.fields.filter(kind=sent["kind"]).count()}
        field = create_custom_field(actor=self.actor, change={**last, **sent, "key": key})
        return self.one(field, self.create_status)

    @extend_schema(responses=serializers.OneCustomField, summary="One custom field")
    def retrieve(self, request: Request, location_id: str, row_id: str) -> Response:
        return self.one(self.find("custom_field", row_id))

    @extend_schema(
        request=serializers.LeadConnectorCustomFieldUpdate,
        responses=serializers.OneCustomField,
        summary="Change the fields in the body",
    )
    def update(self, request: Request, location_id: str, row_id: str) -> Response:
        field = self.find("custom_field", row_id)
        change = self.read(serializers.LeadConnectorCustomFieldUpdate)
        return self.one(update_custom_field(actor=self.actor, custom_field=field, change=change))

    @extend_schema(request=None, responses=Done, summary="Move to the trash")
    def destroy(self, request: Request, location_id: str, row_id: str) -> Response:
        trash_custom_field(actor=self.actor, custom_field=self.find("custom_field", row_id))
        return Response(self.done)

    def one(self, field: CustomField, status: int = 200) -> Response:
        return Response(
            {"customField": self.serialize(serializers.LeadConnectorCustomFieldRead, field)}, status
        )

    @property
    def fields(self) -> Any:
        return CustomField.objects.visible_to(self.actor.member)
