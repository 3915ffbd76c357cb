"""The names of models and fields as messages: Django derives most of them, so that they stand in no source."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.utils.translation import override

from crm_project.languages import DEFAULT

# The packages whose models are our own.
OWN = ("crm_project.", "contacts.", "pipelines.", "deals.")


def own_models() -> Iterator[type[Model]]:
    return (model for model in apps.get_models() if model.__module__.startswith(OWN))


def names() -> Iterator[Any]:
    """The English names of what the admin displays, and the counts of its rows as pairs of singular and plural."""
    for model in own_models():
        if model not in admin.site._registry and not hasattr(model, "row_kind"):
            continue
        yield counts_of(model)
        with override(DEFAULT):
            yield str(model._meta.verbose_name)
            yield str(model._meta.verbose_name_plural)
            yield from (str(field.verbose_name) for field in named_fields(model))


def named_fields(model: type[Model]) -> Iterator[Any]:
    return (field for field in model._meta.get_fields() if hasattr(field, "verbose_name"))


@cache
def counts_of(model: type[Model]) -> tuple[str, str]:
    """The messages of a number of rows: `%(count)s deal` and `%(count)s deals`."""
    with override(DEFAULT):
        return f"%(count)s {model._meta.verbose_name}", f"%(count)s {model._meta.verbose_name_plural}"
