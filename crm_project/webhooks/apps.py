"""Webhooks: events of the journal, sent to other systems."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "crm_project.webhooks"
    label = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_project.webhooks import kinds

        kinds.connect()
