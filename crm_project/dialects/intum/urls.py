"""Intum's routes, in its documentation's order."""

from typing import Any

from django.urls import path

from crm_project.dialects.base import nowhere
from crm_project.dialects.intum.views.base import IntumView
from crm_project.dialects.intum.views.contacts import ClientView, ContactView
from crm_project.dialects.intum.views.deals import DealView
from crm_project.dialects.intum.views.statuses import StatusView

LIST: dict[str, Any] = {"get": "index", "post": "create"}
ROW: dict[str, Any] = {"get": "retrieve", "patch": "update", "put": "update", "delete": "destroy"}

urlpatterns = [
    path("crm/deals.json", DealView.as_view(LIST)),
    path("crm/deals/e/<str:app_code>/<path:external_id>.json", DealView.as_view({"get": "external"})),
    path("crm/deals/<str:row>.json", DealView.as_view(ROW)),
    path("crm/contacts.json", ContactView.as_view(LIST)),
    path("crm/contacts/search.json", ContactView.as_view({"get": "search"})),
    path("crm/contacts/<str:row>.json", ContactView.as_view(ROW)),
    path("crm/clients.json", ClientView.as_view(LIST)),
    path("crm/clients/search.json", ClientView.as_view({"get": "search"})),
    path("crm/clients/<str:row>.json", ClientView.as_view(ROW)),
    path("organize/statuses.json", StatusView.as_view(LIST)),
    path("organize/statuses/<str:row>/up.json", StatusView.as_view({"post": "up"})),
    path("organize/statuses/<str:row>/down.json", StatusView.as_view({"post": "down"})),
    path("organize/statuses/<str:row>.json", StatusView.as_view(ROW)),
    *nowhere(IntumView),
]
