"""Activities as cells and as lines: the icon of the type, the due date."""

from typing import Any

from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

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


def time_text(row: Activity) -> Any:
    """The time on its day; marked if it has passed."""
    if row.due_at is None:
        return _("All day")
    text = formats.date_format(timezone.localtime(row.due_at), "H:i")
    late = row.is_overdue(timezone.now())
    return format_html('<span class="crm-late" title="{}">{}</span>', _("Overdue"), text) if late else text


def entry(row: Activity, *, about: Any = None, names_owner: bool = True) -> dict[str, Any]:
    """An activity as a line. On the page of its deal or contact it does not name it."""
    parent = row.deal or row.contact
    return {
        "row": row,
        "icon": ICONS[row.type],
        "type": row.get_type_display(),
        "link": display.link(row),
        "due": due_text(row),
        "done": display.instant(row.done_at) if row.done_at else "",
        "owner": row.owner.full_name if row.owner and names_owner else "",
        "parent": "" if parent == about else display.link(parent),
        "customer": (row.deal.client or row.deal.contact) if row.deal else "",
    }


def meeting_entry(row: Activity, *, names_owner: bool = True) -> dict[str, Any]:
    """A meeting among those of its day: its time alone, and the person who is met."""
    person = (row.contact or row.deal.contact or row.deal.client) if row.deal else ""
    return {**entry(row, names_owner=names_owner), "due": time_text(row), "customer": person}
