"""The names of models and fields as messages: Django derives most of them, so that they stand in no source."""

from collections.abc import Iterator

from django.contrib import admin
from django.utils.translation import override

# The packages whose models are our own.
OWN = ("crm_project.", "contacts.", "pipelines.", "deals.")


def names() -> Iterator[str]:
    """The English names of what the admin displays."""
    with override("en"):
        for model in admin.site._registry:
            if not model.__module__.startswith(OWN):
                continue
            yield str(model._meta.verbose_name)
            yield str(model._meta.verbose_name_plural)
            for field in model._meta.get_fields():
                if hasattr(field, "verbose_name"):
                    yield str(field.verbose_name)
