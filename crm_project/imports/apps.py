"""Files in and out: imports of deals and contacts with a preview, and exports of what a list shows."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "crm_project.imports"
    label = "imports"
    verbose_name = "Import and export"
    default_auto_field = "django.db.models.BigAutoField"
