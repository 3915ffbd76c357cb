"""Organizations, logins, members and API tokens."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "crm_project.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_project.accounts import mails

        mails.connect()
