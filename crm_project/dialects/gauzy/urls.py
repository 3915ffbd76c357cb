"""Gauzy's routes, in its documentation's order."""

from typing import Any

from django.urls import path

from crm_project.dialects.base import catch_all
from crm_project.dialects.gauzy.views import contacts, deals, health, logins, pipelines
from crm_project.dialects.gauzy.views.base import GauzyView

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
    *_entity("api/pipelines", pipelines.PipelineView),
    path("api/pipelines/<str:row>/deals", deals.PipelineDealView.as_view({"get": "index"})),
    path("api/pipelines/<str:row>/stages", pipelines.StageView.as_view({"post": "create"})),
    path(
        "api/pipelines/<str:row>/stages/<str:stage>",
        pipelines.StageView.as_view({"put": "update", "delete": "destroy"}),
    ),
    *_row("api/pipelines", pipelines.PipelineView),
    *_entity("api/deals", deals.DealView),
    path("api/deals/me", deals.DealView.as_view({"get": "mine"})),
    path("api/deals/search", deals.DealView.as_view({"get": "search"})),
    *_row("api/deals", deals.DealView),
    *_entity("api/organization-contact", contacts.ContactView),
    path("api/organization-contact/employee", contacts.ContactView.as_view({"put": "assign"})),
    path("api/organization-contact/employee/<str:row>", contacts.ContactView.as_view({"get": "of_employee"})),
    *_row("api/organization-contact", contacts.ContactView),
    path("api", health.HealthView.as_view({"get": "status"})),
    path("api/health", health.HealthView.as_view({"get": "health"})),
    path("api/auth/login", logins.LoginView.as_view({"post": "login"})),
    path("api/auth/refresh-token", logins.RefreshView.as_view({"post": "refresh"})),
    path("api/auth/logout", logins.LogoutView.as_view({"post": "logout"})),
    path("api/auth/authenticated", logins.AuthenticatedView.as_view({"get": "authenticated"})),
    path("api/auth/permissions", logins.UserView.as_view({"get": "permissions"})),
    path("api/auth/role", logins.UserView.as_view({"get": "role"})),
    path("api/user/me", logins.UserView.as_view({"get": "me"})),
    *catch_all(GauzyView),
]
