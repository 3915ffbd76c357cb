"""Opening an organization, the demo, the commands."""

from django.apps import AppConfig


class SetupConfig(AppConfig):
    name = "crm_project.setup"
    label = "setup"
