"""What happened: append-only events."""

from django.apps import AppConfig


class JournalConfig(AppConfig):
    name = "crm_project.journal"
    label = "journal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from crm_project.changes import on_change_set_end
        from crm_project.journal import append_only, kinds
        from crm_project.journal.services import write_events

        on_change_set_end(write_events)
        post_migrate.connect(append_only.install, sender=self)
        kinds.connect()
