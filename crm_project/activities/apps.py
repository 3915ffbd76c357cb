"""What was said and done with customers, and what is to be done next."""

from django.apps import AppConfig


class ActivitiesConfig(AppConfig):
    name = "crm_project.activities"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_project.activities import kinds, subscriptions

        kinds.connect()
        subscriptions.connect()
