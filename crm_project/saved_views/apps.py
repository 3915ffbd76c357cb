"""Saved views of lists, in the admin and in the API."""

from django.apps import AppConfig


class SavedViewsConfig(AppConfig):
    name = "crm_project.saved_views"
    label = "saved_views"
    verbose_name = "Saved views"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_project.saved_views import kinds, subscriptions

        kinds.connect()
        subscriptions.connect()
