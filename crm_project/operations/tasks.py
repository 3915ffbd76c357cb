"""What the operator's commands do, as tasks of the schedule."""

from django.utils import timezone

from crm_project.background.api import task
from crm_project.operations.retention import expiries


@task(queue_name="long")
def delete_expired() -> dict[str, int]:
    """Delete what is past its retention; the result has the numbers of rows."""
    return {expiry.subject: expiry.delete() for expiry in expiries(timezone.now())}
