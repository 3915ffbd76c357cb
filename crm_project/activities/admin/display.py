"""Activities as cells: the icon of the type, the due date."""

from typing import Any

from django.utils import timezone

from crm_project.activities.models import Activity
from crm_project.staff import display

ICONS = {
    "call": "call",
    "meeting": "groups",
    "email": "mail",
    "task": "task_alt",
    "note": "sticky_note_2",
}


def due_text(row: Activity) -> Any:
    """The day, and the time if there is one; marked if it is overdue."""
    late = row.is_overdue(timezone.now())
    if row.due_at is not None:
        return display.instant(row.due_at, late=late)
    return display.day(row.due_on, late=late)
