"""`/opportunities/search`: by a query, or by a body."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.activities.models import Activity
from crm_project.dialects.kit.activities import are_logged
from crm_project.dialects.leadconnector.serializers import activities as activity_serializers
from crm_project.dialects.leadconnector.serializers import opportunities as opportunity_serializers
from crm_project.dialects.leadconnector.serializers import pages
from crm_project.dialects.leadconnector.serializers import search as serializers
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from crm_project.dialects.leadconnector.views.opportunities import opportunities

# The serializer of a detail, and its activities.
DETAILS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "notes": (activity_serializers.LeadConnectorNoteRead, lambda rows: rows.filter(are_logged())),
    "tasks": (activity_serializers.LeadConnectorTaskRead, lambda rows: rows.exclude(are_logged())),
}


class LeadConnectorOpportunitySearchView(LeadConnectorView):
    """Searches for opportunities."""

    # The search by a body is a read.
    edit_permission = Permission.VIEW
    queries = {"by_query": serializers.LeadConnectorOpportunityQuery}

    @extend_schema(responses=serializers.Found, summary="Search by query parameters")
    def by_query(self, request: Request) -> Response:
        query = self.query
        page = self._page(serializers.ORDERS[query["order"]], query)
        details = [name for asked, name in serializers.DETAILS.items() if query[asked]]
        rows = self._represent(page, details)
        return Response({"opportunities": rows, "meta": pages.meta(self, page, query), "aggregations": {}})

    @extend_schema(
        request=serializers.LeadConnectorOpportunitySearchBody,
        responses=serializers.FoundByBody,
        summary="Search by a body of filters",
    )
    def by_body(self, request: Request) -> Response:
        query = self.read(serializers.LeadConnectorOpportunitySearchBody)
        page = self._page(query["sort"], query)
        asked = query.get("additionalDetails", {})
        rows = self._represent(page, [name for name in serializers.DETAILS.values() if asked.get(name)])
        for row, deal in zip(rows, page.rows, strict=True):
            row["sort"] = [pages.milliseconds(deal.created_at), row["id"]]
        return Response({"opportunities": rows, "total": page.total, "aggregations": {}})

    def _page(self, order: pages.PageOrder, query: dict[str, Any]) -> pages.Page:
        rows = serializers.filtered(opportunities(self.actor.member), query)
        if "filters" in query:
            rows = rows.filter(query["filters"])
        return pages.page_of(self, "deal", rows, order, query)

    def _represent(self, page: pages.Page, details: list[str]) -> list[Any]:
        """The opportunities, each with a list for each detail."""
        data = self.serialize(opportunity_serializers.LeadConnectorOpportunityRead, page.rows, many=True)
        lists = {name: self._details(name, page.rows) for name in details}
        return [
            {**row, **{name: found.get(deal.pk, []) for name, found in lists.items()}}
            for row, deal in zip(data, page.rows, strict=True)
        ]

    def _details(self, name: str, deals: list[Any]) -> dict[int, list[Any]]:
        """The notes or tasks of these deals by deal, the newest first; there are no events of a calendar."""
        if name not in DETAILS:
            return {}
        part, narrow = DETAILS[name]
        rows = Activity.objects.visible_to(self.actor.member).select_related("contact", "owner")
        rows = narrow(rows.filter(deal__in=[deal.pk for deal in deals])).order_by("-created_at", "-id")
        # One more than the answer may have is refused, without reading all.
        found = list(rows[: self.budget.rows + 1])
        by_deal: dict[int, list[Any]] = {}
        for activity, shown in zip(found, self.serialize(part, found, many=True), strict=True):
            by_deal.setdefault(activity.deal_id, []).append(shown)
        return by_deal
