"""Registers with the core the systems of the dialects and the kinds of row that they number."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class DialectsConfig(AppConfig):
    name = "crm_project.dialects"

    def ready(self) -> None:
        from crm_project.dialects.registry import DIALECTS
        from crm_project.records import references

        if unknown := set(settings.DIALECT_HOSTS.values()) - DIALECTS.keys():
            known = ", ".join(DIALECTS)
            raise ImproperlyConfigured(
                f"DIALECT_HOSTS names {', '.join(unknown)}. The dialects are: {known}."
            )

        references.numbered_kinds.update({dialect.system: dialect.numbered for dialect in DIALECTS.values()})
