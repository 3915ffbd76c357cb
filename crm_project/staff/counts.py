"""How many rows of a kind there are, in words: a sentence for each kind, since languages count differently."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from django.db.models import Model
from django.utils.translation import ngettext

from crm_project.staff.display import number

# The count, which has its own form of the noun, by the model.
COUNTS: Mapping[str, Callable[[int], str]] = {
    "accounts.apitoken": lambda n: ngettext("%(count)s API token", "%(count)s API tokens", n),
    "accounts.invitation": lambda n: ngettext("%(count)s invitation", "%(count)s invitations", n),
    "accounts.member": lambda n: ngettext("%(count)s member", "%(count)s members", n),
    "accounts.organization": lambda n: ngettext("%(count)s organization", "%(count)s organizations", n),
    "accounts.user": lambda n: ngettext("%(count)s login", "%(count)s logins", n),
    "activities.activity": lambda n: ngettext("%(count)s activity", "%(count)s activities", n),
    "background.schedule": lambda n: ngettext("%(count)s scheduled task", "%(count)s scheduled tasks", n),
    "background.storedtask": lambda n: ngettext("%(count)s task", "%(count)s tasks", n),
    "contacts.contact": lambda n: ngettext("%(count)s contact", "%(count)s contacts", n),
    "deals.deal": lambda n: ngettext("%(count)s deal", "%(count)s deals", n),
    "deals.lostreason": lambda n: ngettext("%(count)s lost reason", "%(count)s lost reasons", n),
    "goals.goal": lambda n: ngettext("%(count)s goal", "%(count)s goals", n),
    "imports.export": lambda n: ngettext("%(count)s export", "%(count)s exports", n),
    "imports.import": lambda n: ngettext("%(count)s import", "%(count)s imports", n),
    "mail.message": lambda n: ngettext("%(count)s message", "%(count)s messages", n),
    "notifications.notification": lambda n: ngettext("%(count)s notification", "%(count)s notifications", n),
    "pipelines.pipeline": lambda n: ngettext("%(count)s pipeline", "%(count)s pipelines", n),
    "pipelines.stage": lambda n: ngettext("%(count)s stage", "%(count)s stages", n),
    "rates.exchangerate": lambda n: ngettext("%(count)s exchange rate", "%(count)s exchange rates", n),
    "records.customfield": lambda n: ngettext("%(count)s custom field", "%(count)s custom fields", n),
    "saved_views.savedview": lambda n: ngettext("%(count)s saved view", "%(count)s saved views", n),
    "webhooks.webhook": lambda n: ngettext("%(count)s webhook", "%(count)s webhooks", n),
    "webhooks.webhookdelivery": lambda n: ngettext(
        "%(count)s webhook delivery", "%(count)s webhook deliveries", n
    ),
}


def counted_rows(model: type[Model], count: int) -> str:
    """`1 deal`, `1,200 deals`; rows of a model that has no text of its own are rows."""
    text = COUNTS.get(model._meta.label_lower, _rows)(count)
    return text % {"count": number(Decimal(count))}


def counted_of_all_kinds(count: int) -> str:
    """`1 row`, `1,200 rows`."""
    return _rows(count) % {"count": number(Decimal(count))}


def _rows(count: int) -> str:
    return ngettext("%(count)s row", "%(count)s rows", count)
