"""The deal and its journey."""

from django.apps import AppConfig


class DealsConfig(AppConfig):
    name = "deals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from deals import kinds, mails, subscriptions

        mails.connect()
        subscriptions.connect()
        kinds.connect()
