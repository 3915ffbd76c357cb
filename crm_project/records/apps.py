"""What every row has."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "crm_project.records"
    label = "records"
    default_auto_field = "django.db.models.BigAutoField"
