"""Management commands, the creation of organizations, and the demo."""

from django.apps import AppConfig


class SetupConfig(AppConfig):
    name = "crm_project.setup"
    label = "setup"

    def ready(self) -> None:
        from crm_project.accounts.admin.operators import OrganizationAdmin
        from crm_project.setup.organizations import opened

        OrganizationAdmin.open_organization = opened
