"""Intum's routes, in its documentation's order."""

from typing import Any

from django.urls import path

from crm_project.dialects.base import catch_all
from crm_project.dialects.intum.views.base import IntumView
from crm_project.dialects.intum.views.contacts import ClientView, ContactView
from crm_project.dialects.intum.views.deals import DealView
from crm_project.dialects.intum.views.statuses import StatusView

LIST: dict[str, Any] = {"get": "index", "post": "create"}
ROW: dict[str, Any] = {"get": "retrieve", "patch": "update", "put": "update", "delete": "destroy"}


def statuses(base: str) -> list[Any]:
    """The vendor has them in two places, and the moves with and without an ending."""
    return [
        path(f"{base}.json", StatusView.as_view(LIST)),
        path(f"{base}/<str:row>/up", StatusView.as_view({"post": "up"})),
        path(f"{base}/<str:row>/up.json", StatusView.as_view({"post": "up"})),
        path(f"{base}/<str:row>/down", StatusView.as_view({"post": "down"})),
        path(f"{base}/<str:row>/down.json", StatusView.as_view({"post": "down"})),
        path(f"{base}/<str:row>.json", StatusView.as_view(ROW)),
    ]


urlpatterns = [
    path("crm/deals.json", DealView.as_view(LIST)),
    path("crm/deals/e/<str:app_code>/<path:external_id>.json", DealView.as_view({"get": "external"})),
    path("crm/deals/<str:row>.json", DealView.as_view(ROW)),
    path("crm/contacts.json", ContactView.as_view(LIST)),
    path("crm/contacts/search.json", ContactView.as_view({"get": "search"})),
    path("crm/contacts/<str:row>.json", ContactView.as_view(ROW)),
    path("crm/clients.json", ClientView.as_view(LIST)),
    path("crm/clients/search.json", ClientView.as_view({"get": "search"})),
    path("crm/clients/upsert.json", ClientView.as_view({"post": "upsert"})),
    path("crm/clients/e/<str:app_code>/<path:external_id>.json", ClientView.as_view({"get": "external"})),
    path("crm/clients/e/<str:external_id>.json", ClientView.as_view({"get": "own_external"})),
    path("crm/clients/<str:row>.json", ClientView.as_view(ROW)),
    *statuses("crm/statuses"),
    *statuses("organize/statuses"),
    *catch_all(IntumView),
]
