"""The grammar of the HTTP API."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "crm_project.api"
    label = "api"

    def ready(self) -> None:
        from crm_project.api.redaction import forget_answers
        from crm_project.journal import hooks

        hooks.after_redaction.append(forget_answers)
