"""Routes of notifications. Fixed paths come before `<uuid>`."""

from django.urls import path

from crm_project.notifications.api.views import NotificationViewSet, SettingsView

urlpatterns = [
    path("notifications", NotificationViewSet.as_view({"get": "list"}), name="notification-list"),
    path(
        "notifications/read",
        NotificationViewSet.as_view({"post": "read_all"}),
        name="notification-read-all",
    ),
    path(
        "notifications/settings",
        SettingsView.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="notification-settings",
    ),
    path(
        "notifications/<any_uuid:uuid>",
        NotificationViewSet.as_view({"get": "retrieve"}),
        name="notification-detail",
    ),
    path(
        "notifications/<any_uuid:uuid>/read",
        NotificationViewSet.as_view({"post": "read"}),
        name="notification-read",
    ),
]
