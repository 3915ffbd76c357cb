"""What all parts of the HTTP API share."""

from django.apps import AppConfig
from django.urls import register_converter


class ApiConfig(AppConfig):
    name = "crm_project.api"
    label = "api"

    def ready(self) -> None:
        from crm_project.api.converters import AnyCaseUUIDConverter, IdOrUUIDConverter, RestConverter
        from crm_project.api.redaction import forget_answers
        from crm_project.journal.hooks import hooks

        register_converter(RestConverter, "rest")
        register_converter(AnyCaseUUIDConverter, "any_uuid")
        register_converter(IdOrUUIDConverter, "id_or_uuid")
        hooks.after_redaction.append(forget_answers)
