"""Taking organizations away whole, and nothing else."""

from collections.abc import Collection, Iterator
from typing import Any

from django.apps import apps
from django.db import models

from crm_project.accounts.models import Organization
from crm_project.journal.append_only import rewriting
from crm_project.setup.demo.tables import GREAT, stripped
from deals.models import Deal


def remove_organizations(slugs: Collection[str]) -> None:
    """Delete every row of these organizations, whichever table it is in. Their logins stay."""
    ids = list(Organization.objects.filter(slug__in=slugs).values_list("pk", flat=True))
    if not ids:
        return
    models_of_tenants = list(tenant_models())
    great = Deal.objects.count() >= GREAT
    with rewriting(), stripped(models_of_tenants if great else (), indexes=False):
        # References are checked when the transaction ends, so the order is a matter of speed: the outermost first.
        for model in reversed(models_of_tenants):
            rows = model._base_manager.filter(organization__in=ids)
            rows._raw_delete(rows.db)
        Organization.objects.filter(pk__in=ids)._raw_delete(rows.db)


def tenant_models() -> Iterator[Any]:
    """Every table whose rows belong to one organization."""
    for model in apps.get_models():
        fields = {field.name: field for field in model._meta.concrete_fields}
        organization = fields.get("organization")
        if isinstance(organization, models.ForeignKey) and organization.related_model is Organization:
            yield model
