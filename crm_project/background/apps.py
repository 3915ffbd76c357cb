"""Background work."""

from django.apps import AppConfig
from django.core.signals import request_started


class BackgroundConfig(AppConfig):
    name = "crm_project.background"
    label = "background"
    verbose_name = "Background"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_project.background.server import start

        request_started.connect(start, dispatch_uid="crm_project.background")
