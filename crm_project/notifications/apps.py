"""Notifications: what happened to a member's deals, activities and imports, by the bell of the admin and by mail."""

from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class NotificationsConfig(AppConfig):
    name = "crm_project.notifications"
    label = "notifications"
    verbose_name = gettext_lazy("Notifications")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_project.background import loops, schedule
        from crm_project.notifications import digest, mails, subscriptions, tasks
        from crm_project.notifications.reading import read_feeds

        mails.connect()
        digest.connect()
        subscriptions.connect()
        loops.register("notifications", read_feeds)
        schedule.register(
            "notify-of-due-activities", tasks.notify_of_due, schedule.Every(timedelta(minutes=1))
        )
