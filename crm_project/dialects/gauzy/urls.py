"""Gauzy's routes, in the order of its documentation."""

from typing import Any

from django.urls import path

from crm_project.dialects.gauzy.views import contacts, deals, health, logins, pipelines
from crm_project.dialects.gauzy.views.base import GauzyView
from crm_project.dialects.kit.views import catch_all

LIST: dict[str, Any] = {"get": "index", "post": "create"}
ROW: dict[str, Any] = {"get": "retrieve", "put": "update", "delete": "destroy"}


def _entity(route: str, view: Any) -> list[Any]:
    return [
        path(f"{route}/pagination", view.as_view({"get": "pagination"})),
        path(f"{route}/count", view.as_view({"get": "count"})),
        path(route, view.as_view(LIST)),
    ]


def _row(route: str, view: Any) -> list[Any]:
    return [
        path(f"{route}/<str:row>/soft", view.as_view({"delete": "soft"})),
        path(f"{route}/<str:row>/recover", view.as_view({"put": "recover"})),
        path(f"{route}/<str:row>", view.as_view(ROW)),
    ]


urlpatterns = [
    *_entity("api/pipelines", pipelines.GauzyPipelineView),
    path("api/pipelines/<str:row>/deals", deals.GauzyPipelineDealView.as_view({"get": "index"})),
    path("api/pipelines/<str:row>/stages", pipelines.GauzyStageView.as_view({"post": "create"})),
    path(
        "api/pipelines/<str:row>/stages/<str:stage>",
        pipelines.GauzyStageView.as_view({"put": "update", "delete": "destroy"}),
    ),
    *_row("api/pipelines", pipelines.GauzyPipelineView),
    *_entity("api/deals", deals.GauzyDealView),
    path("api/deals/me", deals.GauzyDealView.as_view({"get": "mine"})),
    path("api/deals/search", deals.GauzyDealView.as_view({"get": "search"})),
    *_row("api/deals", deals.GauzyDealView),
    *_entity("api/organization-contact", contacts.GauzyContactView),
    path("api/organization-contact/employee", contacts.GauzyContactView.as_view({"put": "assign"})),
    path(
        "api/organization-contact/employee/<str:row>",
        contacts.GauzyContactView.as_view({"get": "of_employee"}),
    ),
    *_row("api/organization-contact", contacts.GauzyContactView),
    path("api", health.GauzyHealthView.as_view({"get": "status"})),
    path("api/health", health.GauzyHealthView.as_view({"get": "health"})),
    path("api/auth/login", logins.GauzyLoginView.as_view({"post": "login"})),
    path("api/auth/refresh-token", logins.GauzyRefreshView.as_view({"post": "refresh"})),
    path("api/auth/logout", logins.GauzyLogoutView.as_view({"post": "logout"})),
    path("api/auth/authenticated", logins.GauzyAuthenticatedView.as_view({"get": "authenticated"})),
    path("api/auth/permissions", logins.GauzyUserView.as_view({"get": "permissions"})),
    path("api/auth/role", logins.GauzyUserView.as_view({"get": "role"})),
    path("api/user/me", logins.GauzyUserView.as_view({"get": "me"})),
    *catch_all(GauzyView),
]
