"""Imports of deals, contacts and activities with a preview, and exports of lists."""

from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class ImportsConfig(AppConfig):
    name = "crm_project.imports"
    label = "imports"
    verbose_name = gettext_lazy("Import and export")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_project.background import schedule
        from crm_project.imports.export_services import forget_files
        from crm_project.imports.export_tasks import listings
        from crm_project.imports.listings import rows_of_admin, rows_of_api
        from crm_project.imports.tasks import enqueue_abandoned
        from crm_project.imports.undoing import follow_undo, refuse_large_undo
        from crm_project.journal.hooks import hooks

        hooks.before_undo = refuse_large_undo
        hooks.after_undo = follow_undo
        hooks.after_redaction.append(forget_files)
        listings.update(api=rows_of_api, admin=rows_of_admin)
        schedule.register(
            "enqueue-abandoned-imports", enqueue_abandoned, schedule.Every(timedelta(minutes=5))
        )
