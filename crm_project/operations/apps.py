"""The operator's commands: doctor, backup, restore."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from crm_project.database import store_limits


class OperationsConfig(AppConfig):
    name = "crm_project.operations"

    def ready(self) -> None:
        post_migrate.connect(store_limits, sender=self)
