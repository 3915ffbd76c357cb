"""Application configuration; the names of models and fields become translatable when the models are loaded."""

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy

from crm_project.languages.names import OWN


class LanguagesConfig(AppConfig):
    name = "crm_project.languages"
    label = "languages"

    def ready(self) -> None:
        """Migrations are made of what the models declare, which stays as it is."""
        for model in apps.get_models():
            if not model.__module__.startswith(OWN):
                continue
            options = model._meta
            options.verbose_name = gettext_lazy(str(options.verbose_name))
            options.verbose_name_plural = gettext_lazy(str(options.verbose_name_plural))
            for field in options.get_fields():
                if hasattr(field, "verbose_name"):
                    field.verbose_name = gettext_lazy(str(field.verbose_name))
