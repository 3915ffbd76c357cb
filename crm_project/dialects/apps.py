"""Registers with the core the systems of the dialects, the kinds of row that they number, and their webhooks."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from crm_project.dialects.registry import DIALECTS, Dialect


class DialectsConfig(AppConfig):
    name = "crm_project.dialects"

    def ready(self) -> None:
        from crm_project.records import references

        if unknown := set(settings.DIALECT_HOSTS.values()) - DIALECTS.keys():
            known = ", ".join(DIALECTS)
            raise ImproperlyConfigured(
                f"DIALECT_HOSTS names {', '.join(unknown)}. The dialects are: {known}."
            )

        references.numbered_kinds.update({dialect.system: dialect.numbered for dialect in DIALECTS.values()})

        for dialect in DIALECTS.values():
            if dialect.webhooks:
                _register_webhooks(dialect)


def _register_webhooks(dialect: Dialect) -> None:
    """Offer the dialect's bodies to webhooks; its module is imported when the first one is sent."""
    from crm_project.webhooks.formats import Format, formats

    formats[dialect.system] = Format(
        dialect.webhooks,
        messages=lambda events, member: import_module(dialect.webhooks_module).messages(events, member),
        encode=lambda body: import_module(dialect.webhooks_module).encode(body),
    )
