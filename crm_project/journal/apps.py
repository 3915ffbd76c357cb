"""The journal: append-only events of every write, the feed and undo."""

from django.apps import AppConfig


class JournalConfig(AppConfig):
    name = "crm_project.journal"
    label = "journal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from crm_project.changes import write_events_with
        from crm_project.journal import append_only, kinds
        from crm_project.journal.services import write_events

        write_events_with(write_events)
        post_migrate.connect(append_only.install, sender=self)
        kinds.connect()
