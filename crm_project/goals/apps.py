"""Sales goals of members and of organizations, by month."""

from django.apps import AppConfig


class GoalsConfig(AppConfig):
    name = "crm_project.goals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_project.goals import kinds, subscriptions

        kinds.connect()
        subscriptions.connect()
