"""Outgoing mail."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "crm_project.mail"
    label = "mail"
    default_auto_field = "django.db.models.BigAutoField"
