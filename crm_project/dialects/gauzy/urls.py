"""Gauzy's routes, in its documentation's order."""

from typing import Any

from django.urls import path

from crm_project.dialects.base import nowhere
from crm_project.dialects.gauzy import views

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
    *_entity("api/pipelines", views.PipelineView),
    path("api/pipelines/<str:row>/deals", views.PipelineDealView.as_view({"get": "index"})),
    *_trash("api/pipelines", views.PipelineView),
    path("api/pipelines/<str:row>", views.PipelineView.as_view(ROW)),
    *_entity("api/deals", views.DealView),
    *_trash("api/deals", views.DealView),
    path("api/deals/<str:row>", views.DealView.as_view(ROW)),
    *_entity("api/organization-contact", views.ContactView),
    path(
        "api/organization-contact/<str:row>", views.ContactView.as_view({"get": "retrieve", "put": "update"})
    ),
    path("api/auth/login", views.LoginView.as_view({"post": "login"})),
    path("api/user/me", views.UserView.as_view({"get": "me"})),
    *nowhere(views.GauzyView),
]
