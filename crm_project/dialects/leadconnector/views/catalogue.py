"""Locations, lost reasons, users and tags, which are read-only."""

from typing import Any
from zoneinfo import available_timezones

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.dialects.kit.tags import KEY, tags_in_use
from crm_project.dialects.leadconnector.serializers import catalogue as serializers
from crm_project.dialects.leadconnector.views.base import LeadConnectorLocationScopedView, LeadConnectorView
from deals.models import LostReason


class LeadConnectorCatalogueView(LeadConnectorView):
    """Lost reasons, users and locations."""

    # The search by a body is a read.
    edit_permission = Permission.VIEW
    queries = {
        "lost_reasons": serializers.LeadConnectorLostReasonQuery,
        "users": serializers.LeadConnectorLocationQuery,
        "search_users": serializers.LeadConnectorUserQuery,
        "locations": serializers.LeadConnectorLocationListQuery,
    }

    @extend_schema(responses=serializers.LostReasons, summary="Why opportunities are lost")
    def lost_reasons(self, request: Request) -> Response:
        query, rows = self.query, LostReason.objects.seen_by(self.actor.member)
        rows = rows.exclude(deleted_at=None) if query["deleted"] else rows.live()
        if "name" in query:
            rows = rows.filter(name=query["name"])
        if "query" in query:
            rows = rows.filter(name__icontains=query["query"])
        page = list(rows.order_by("id")[query["skip"] : query["skip"] + query["limit"]])
        total = {"total": rows.count()} if query["getCount"] else {}
        return Response(
            {"lostReasons": self.serialize(serializers.LeadConnectorLostReasonRead, page, many=True), **total}
        )

    @extend_schema(
        operation_id="dialects_leadconnector_users_list",
        responses=serializers.Users,
        summary="The users of the location",
    )
    def users(self, request: Request) -> Response:
        return Response(
            {"users": self.serialize(serializers.LeadConnectorUserRead, list(self.members), many=True)}
        )

    @extend_schema(responses=serializers.FoundUsers, summary="Users by name or e-mail address")
    def search_users(self, request: Request) -> Response:
        query, rows = self.query, self.members
        if text := query.get("query"):
            rows = rows.filter(Q(user__full_name__icontains=text) | Q(user__email__icontains=text))
        return self._found_users(rows, query)

    @extend_schema(
        request=serializers.LeadConnectorUserEmailSearch,
        responses={200: serializers.FoundUsers},
        summary="Users by their e-mail addresses",
    )
    def users_by_email(self, request: Request) -> Response:
        query = self.read(serializers.LeadConnectorUserEmailSearch)
        return self._found_users(self.members.filter(user__email__in=query["emails"]), query)

    def _found_users(self, rows: Any, query: dict[str, Any]) -> Response:
        page = list(rows[query["skip"] : query["skip"] + query["limit"]])
        return Response(
            {
                "users": self.serialize(serializers.LeadConnectorUserRead, page, many=True),
                "count": rows.count(),
            }
        )

    @extend_schema(
        operation_id="dialects_leadconnector_locations_search",
        responses=serializers.Locations,
        summary="The location of the token",
    )
    def locations(self, request: Request) -> Response:
        query, rows = self.query, [self.actor.organization]
        page = rows[query["skip"] : query["skip"] + query["limit"]]
        return Response({"locations": self.serialize(serializers.LeadConnectorLocationRead, page, many=True)})

    @extend_schema(responses=serializers.LeadConnectorUserRead, summary="One user")
    def user(self, request: Request, row_id: str) -> Response:
        return Response(self.serialize(serializers.LeadConnectorUserRead, self.find("user", row_id)))

    @property
    def members(self) -> Any:
        members = Member.objects.visible_to(self.actor.member).active()
        return members.select_related("user").order_by("id")


class LeadConnectorLocationView(LeadConnectorLocationScopedView):
    """The organization."""

    @extend_schema(responses=serializers.OneLocation, summary="The location")
    def retrieve(self, request: Request, location_id: str) -> Response:
        return Response(
            {"location": self.serialize(serializers.LeadConnectorLocationRead, self.actor.organization)}
        )

    @extend_schema(
        responses=serializers.LocationTags,
        summary="The declared tags, else those in use",
    )
    def tags(self, request: Request, location_id: str) -> Response:
        declared = self.definitions("contact").get(KEY)
        location = self.ids.id_of(self.actor.organization)
        tags = declared.options if declared else tags_in_use(Contact.objects.visible_to(self.actor.member))
        return Response({"tags": [{"id": tag, "name": tag, "locationId": location} for tag in tags]})

    @extend_schema(responses=serializers.TimeZones, summary="The time zones")
    def time_zones(self, request: Request, location_id: str) -> Response:
        return Response({"timeZones": sorted(available_timezones())})
