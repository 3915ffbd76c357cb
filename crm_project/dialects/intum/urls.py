"""Intum's routes, in the order of its documentation."""

from typing import Any

from django.urls import path

from crm_project.dialects.intum.views.base import IntumView
from crm_project.dialects.intum.views.contacts import IntumClientView, IntumContactView
from crm_project.dialects.intum.views.deals import IntumDealView
from crm_project.dialects.intum.views.notes import IntumNoteView
from crm_project.dialects.intum.views.statuses import IntumStatusView
from crm_project.dialects.kit.views import catch_all

LIST: dict[str, Any] = {"get": "index", "post": "create"}
ROW: dict[str, Any] = {"get": "retrieve", "patch": "update", "put": "update", "delete": "destroy"}


def statuses(base: str) -> list[Any]:
    """Statuses are at two paths, and their moves have paths with and without `.json`."""
    return [
        path(f"{base}.json", IntumStatusView.as_view(LIST)),
        path(f"{base}/<str:row>/up", IntumStatusView.as_view({"post": "up"})),
        path(f"{base}/<str:row>/up.json", IntumStatusView.as_view({"post": "up"})),
        path(f"{base}/<str:row>/down", IntumStatusView.as_view({"post": "down"})),
        path(f"{base}/<str:row>/down.json", IntumStatusView.as_view({"post": "down"})),
        path(f"{base}/<str:row>.json", IntumStatusView.as_view(ROW)),
    ]


urlpatterns = [
    path("crm/deals.json", IntumDealView.as_view(LIST)),
    path("crm/deals/e/<str:app_code>/<path:external_id>.json", IntumDealView.as_view({"get": "external"})),
    path("crm/deals/<str:row>.json", IntumDealView.as_view(ROW)),
    path("crm/contacts.json", IntumContactView.as_view(LIST)),
    path("crm/contacts/search.json", IntumContactView.as_view({"get": "search"})),
    path("crm/contacts/<str:row>.json", IntumContactView.as_view(ROW)),
    path("crm/clients.json", IntumClientView.as_view(LIST)),
    path("crm/clients/search.json", IntumClientView.as_view({"get": "search"})),
    path("crm/clients/upsert.json", IntumClientView.as_view({"post": "upsert"})),
    path(
        "crm/clients/e/<str:app_code>/<path:external_id>.json", IntumClientView.as_view({"get": "external"})
    ),
    path("crm/clients/e/<str:external_id>.json", IntumClientView.as_view({"get": "own_external"})),
    path("crm/clients/<str:row>.json", IntumClientView.as_view(ROW)),
    path("crm/notes.json", IntumNoteView.as_view(LIST)),
    path("crm/notes/<str:row>.json", IntumNoteView.as_view(ROW)),
    *statuses("crm/statuses"),
    *statuses("organize/statuses"),
    *catch_all(IntumView),
]
