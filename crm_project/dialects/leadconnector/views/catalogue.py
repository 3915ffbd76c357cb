"""Lost reasons, users and custom fields: what clients fill their choices with."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.models import Member
from crm_project.dialects.leadconnector import errors
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from crm_project.dialects.leadconnector.wire import catalogue as wire
from crm_project.records.models import CustomField
from deals.models import LostReason


class CatalogueView(LeadConnectorView):
    """Lists of an organization's own words."""

    queries = {
        "lost_reasons": wire.LostReasonQuery,
        "users": wire.LocationQuery,
        "custom_fields": wire.CustomFieldQuery,
    }

    @extend_schema(responses=wire.LostReasons, summary="Why opportunities are lost")
    def lost_reasons(self, request: Request) -> Response:
        query, rows = self.query, LostReason.objects.seen_by(self.actor.member)
        rows = rows.exclude(deleted_at=None) if query["deleted"] else rows.live()
        if "name" in query:
            rows = rows.filter(name=query["name"])
        if "query" in query:
            rows = rows.filter(name__icontains=query["query"])
        page = list(rows.order_by("id")[query["skip"] : query["skip"] + query["limit"]])
        total = {"total": rows.count()} if query["getCount"] else {}
        return Response({"lostReasons": self.show(wire.ShownLostReason, page, many=True), **total})

    @extend_schema(responses=wire.Users, summary="The users of the location")
    def users(self, request: Request) -> Response:
        rows = Member.objects.visible_to(self.actor.member).active().select_related("user").order_by("id")
        return Response({"users": self.show(wire.ShownUser, list(rows), many=True)})

    @extend_schema(responses=wire.CustomFields, summary="The custom fields of the location")
    def custom_fields(self, request: Request, location_id: str) -> Response:
        if self.ids.resolve("organization", location_id) is None:
            errors.refuse_location()
        kinds = wire.KINDS[self.query["model"]]
        rows = (
            CustomField.objects.visible_to(self.actor.member)
            .filter(kind__in=kinds)
            .order_by("position", "id")
        )
        return Response({"customFields": self.show(wire.ShownCustomField, list(rows), many=True)})
