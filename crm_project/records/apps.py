"""The rows of all kinds: their base model, declarations, writes and external references."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "crm_project.records"
    label = "records"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.core.checks import register
        from django.db.backends.signals import connection_created

        from crm_project.accounts import hooks
        from crm_project.records.checks import check_kinds
        from crm_project.records.services import keep_member_apart
        from crm_project.sqlite_files import restrict_files

        hooks.member_added = keep_member_apart
        register(check_kinds)
        connection_created.connect(restrict_files)
