"""`/opportunities/search`: by a query, or by a body."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from crm_project.dialects.leadconnector.views.opportunities import opportunities
from crm_project.dialects.leadconnector.wire import opportunities as words
from crm_project.dialects.leadconnector.wire import pages
from crm_project.dialects.leadconnector.wire import search as wire


class SearchView(LeadConnectorView):
    """Opportunities, many at a time."""

    # The search by a body writes nothing.
    edit_permission = Permission.VIEW
    queries = {"by_query": wire.SearchQuery}

    @extend_schema(responses=wire.Found, summary="Search by query parameters")
    def by_query(self, request: Request) -> Response:
        query = self.query
        page = self._page(wire.ORDERS[query["order"]], query)
        details = [name for asked, name in wire.DETAILS.items() if query[asked]]
        rows = self._shown(page, details)
        return Response({"opportunities": rows, "meta": pages.meta(self, page, query), "aggregations": {}})

    @extend_schema(request=wire.SearchBody, responses=wire.FoundByBody, summary="Search by a body of filters")
    def by_body(self, request: Request) -> Response:
        query = self.read(wire.SearchBody)
        page = self._page(query["sort"], query)
        asked = query.get("additionalDetails", {})
        rows = self._shown(page, [name for name in wire.DETAILS.values() if asked.get(name)])
        for row, deal in zip(rows, page.rows, strict=True):
            row["sort"] = [pages.milliseconds(deal.created_at), row["id"]]
        return Response({"opportunities": rows, "total": page.total, "aggregations": {}})

    def _page(self, order: pages.Order, query: dict[str, Any]) -> pages.Page:
        rows = wire.narrowed(opportunities(self.actor.member), query)
        if "filters" in query:
            rows = rows.filter(query["filters"])
        return pages.turned(self, "deal", rows, order, query)

    def _shown(self, page: pages.Page, details: list[str]) -> list[Any]:
        """Details that are stored nowhere are empty."""
        shown = self.show(words.ShownOpportunity, page.rows, many=True)
        return [{**row, **{name: [] for name in details}} for row in shown]
