"""Management commands, the creation of organizations, the demo."""

from django.apps import AppConfig


class SetupConfig(AppConfig):
    name = "crm_project.setup"
    label = "setup"

    def ready(self) -> None:
        from crm_project.setup.organizations import opened
        from crm_project.staff import hooks

        hooks.open_organization.append(opened)
