"""The grammar of the HTTP API."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "crm_project.api"
    label = "api"
