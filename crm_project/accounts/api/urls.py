"""Routes of members, tokens and /api/me."""

from django.urls import path

from crm_project.accounts.api.views import (
    MeView,
    OrganizationView,
    PreferencesView,
    TokenViewSet,
    UserViewSet,
)
from crm_project.api.routers import routes

urlpatterns = [
    path("me", MeView.as_view({"get": "retrieve"}), name="me"),
    path(
        "organization",
        OrganizationView.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="organization",
    ),
    path(
        "me/preferences",
        PreferencesView.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="preferences",
    ),
    *routes("users", UserViewSet, "user"),
    *routes("tokens", TokenViewSet, "token"),
]
