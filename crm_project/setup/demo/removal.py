"""Removal of whole organizations, as `demo --replace` needs it."""

from collections.abc import Collection, Iterator
from typing import Any

from django.apps import apps
from django.db import models

from crm_project.accounts.models import Organization
from crm_project.journal.append_only import rewriting


def remove_organizations(slugs: Collection[str]) -> None:
    """Delete every row of these organizations from all tables. Their logins stay."""
    ids = list(Organization.objects.filter(slug__in=slugs).values_list("pk", flat=True))
    if not ids:
        return
    with rewriting():
        # Foreign keys are checked when the transaction ends: the order is free, the outermost tables come first.
        for model in reversed(list(tenant_models())):
            rows = model._base_manager.filter(organization__in=ids)
            rows._raw_delete(rows.db)
        organizations = Organization.objects.filter(pk__in=ids)
        organizations._raw_delete(organizations.db)


def tenant_models() -> Iterator[Any]:
    """Every model whose rows belong to one organization."""
    for model in apps.get_models():
        fields = {field.name: field for field in model._meta.concrete_fields}
        organization = fields.get("organization")
        if isinstance(organization, models.ForeignKey) and organization.related_model is Organization:
            yield model
