"""Background tasks of deals."""

import datetime

from crm_project.accounts.models import Organization
from crm_project.background.api import task
from crm_project.background.options import options
from deals.services.base_amounts import recompute


def group_of(organization_id: int, currency: str, since: str | None) -> str:
    """One at a time for an organization: a later one has the later rates."""
    return f"base-amounts:{organization_id}"


@task(queue_name="long")
@options(group=group_of)
def recompute_base_amounts(organization_id: int, currency: str, since: str | None) -> None:
    """Set `amount_base` of the deals that a change of rates concerns; the same again changes nothing."""
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is not None:
        recompute(organization, currency, datetime.date.fromisoformat(since) if since else None)
