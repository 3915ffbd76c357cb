"""The operator's commands: doctor, backup, restore."""

import datetime

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

from crm_project.database import store_limits


class OperationsConfig(AppConfig):
    name = "crm_project.operations"

    def ready(self) -> None:
        from crm_project.background import schedule
        from crm_project.operations.tasks import delete_expired

        schedule.register("delete-expired", delete_expired, schedule.Daily(datetime.time(3)))
        # Django sends the signal for apps with models alone, and this one has none.
        post_migrate.connect(store_limits, sender=apps.get_app_config("accounts"))
