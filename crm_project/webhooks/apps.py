"""Webhooks: events of the journal, sent to other systems."""

from django.apps import AppConfig
from django.utils.translation import gettext_noop


class WebhooksConfig(AppConfig):
    name = "crm_project.webhooks"
    label = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_project.background import loops
        from crm_project.journal.hooks import hooks as journal_hooks
        from crm_project.webhooks import kinds, mails
        from crm_project.webhooks.api.messages import own_messages
        from crm_project.webhooks.dispatcher import dispatch
        from crm_project.webhooks.erasure import forget_bodies
        from crm_project.webhooks.formats import OWN, Format, formats

        kinds.connect()
        mails.connect()
        formats[OWN] = Format(gettext_noop("This CRM's own, by Standard Webhooks"), own_messages)
        journal_hooks.after_redaction.append(forget_bodies)
        loops.register("webhooks", dispatch)
