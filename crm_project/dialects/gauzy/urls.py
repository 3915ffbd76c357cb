"""Gauzy's routes, in its documentation's order."""

from typing import Any

from django.urls import path

from crm_project.dialects.base import nowhere
from crm_project.dialects.gauzy.views import deals, people, pipelines
from crm_project.dialects.gauzy.views.base import GauzyView

LIST: dict[str, Any] = {"get": "index", "post": "create"}
ROW: dict[str, Any] = {"get": "retrieve", "put": "update", "delete": "destroy"}


def _entity(route: str, view: Any) -> list[Any]:
    return [
        path(f"{route}/pagination", view.as_view({"get": "pagination"})),
        path(f"{route}/count", view.as_view({"get": "count"})),
        path(route, view.as_view(LIST)),
    ]


def _trash(route: str, view: Any) -> list[Any]:
    return [
        path(f"{route}/<str:row>/soft", view.as_view({"delete": "soft"})),
        path(f"{route}/<str:row>/recover", view.as_view({"put": "recover"})),
    ]


urlpatterns = [
    *_entity("api/pipelines", pipelines.PipelineView),
    path("api/pipelines/<str:row>/deals", deals.PipelineDealView.as_view({"get": "index"})),
    *_trash("api/pipelines", pipelines.PipelineView),
    path("api/pipelines/<str:row>", pipelines.PipelineView.as_view(ROW)),
    *_entity("api/deals", deals.DealView),
    *_trash("api/deals", deals.DealView),
    path("api/deals/<str:row>", deals.DealView.as_view(ROW)),
    *_entity("api/organization-contact", people.ContactView),
    path(
        "api/organization-contact/<str:row>", people.ContactView.as_view({"get": "retrieve", "put": "update"})
    ),
    path("api/auth/login", people.LoginView.as_view({"post": "login"})),
    path("api/user/me", people.UserView.as_view({"get": "me"})),
    *nowhere(GauzyView),
]
