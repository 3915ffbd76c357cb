"""Exchange rates of organizations."""

from django.apps import AppConfig


class RatesConfig(AppConfig):
    name = "crm_project.rates"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_project.rates import kinds

        kinds.connect()
