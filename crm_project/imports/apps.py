"""Files in and out: imports of deals and contacts with a preview, and exports of what a list shows."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "crm_project.imports"
    label = "imports"
    verbose_name = "Import and export"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_project.imports.undoing import follow_undo, refuse_great_undo
        from crm_project.journal.hooks import hooks

        hooks.before_undo = refuse_great_undo
        hooks.after_undo = follow_undo
