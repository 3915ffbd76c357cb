"""Intum's routes, in its documentation's order."""

from typing import Any

from django.urls import path

from crm_project.dialects.base import nowhere
from crm_project.dialects.intum import views

LIST: dict[str, Any] = {"get": "index", "post": "create"}
ROW: dict[str, Any] = {"get": "retrieve", "patch": "update", "put": "update", "delete": "destroy"}

urlpatterns = [
    path("crm/deals.json", views.DealView.as_view(LIST)),
    path("crm/deals/e/<str:app_code>/<path:external_id>.json", views.DealView.as_view({"get": "external"})),
    path("crm/deals/<str:row>.json", views.DealView.as_view(ROW)),
    path("crm/contacts.json", views.ContactView.as_view(LIST)),
    path("crm/contacts/search.json", views.ContactView.as_view({"get": "search"})),
    path("crm/contacts/<str:row>.json", views.ContactView.as_view(ROW)),
    path("crm/clients.json", views.ClientView.as_view(LIST)),
    path("crm/clients/search.json", views.ClientView.as_view({"get": "search"})),
    path("crm/clients/<str:row>.json", views.ClientView.as_view(ROW)),
    path("organize/statuses.json", views.StatusView.as_view(LIST)),
    path("organize/statuses/<str:row>/up.json", views.StatusView.as_view({"post": "up"})),
    path("organize/statuses/<str:row>/down.json", views.StatusView.as_view({"post": "down"})),
    path("organize/statuses/<str:row>.json", views.StatusView.as_view(ROW)),
    *nowhere(views.IntumView),
]
