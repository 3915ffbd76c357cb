"""Application configuration; the names of models and fields become translatable when the models are loaded."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class LanguagesConfig(AppConfig):
    name = "crm_project.languages"
    label = "languages"

    def ready(self) -> None:
        """Migrations are made of what the models declare, which stays as it is."""
        from crm_project.languages.names import named_fields, own_models

        for model in own_models():
            options = model._meta
            options.verbose_name = gettext_lazy(str(options.verbose_name))
            options.verbose_name_plural = gettext_lazy(str(options.verbose_name_plural))
            for field in named_fields(model):
                field.verbose_name = gettext_lazy(str(field.verbose_name))
