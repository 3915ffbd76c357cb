"""Activities for vendors that keep apart what happened, such as notes, and what is to be done, such as tasks."""

import datetime
from typing import Any

from django.db.models import Q

from crm_project.activities.models import Activity

NOTE = Activity.Types.NOTE
TASK = Activity.Types.TASK
# A vendor has instants with fewer digits than ours.
MILLISECOND = datetime.timedelta(milliseconds=1)


def are_logged() -> Q:
    """Notes, and the calls, meetings and e-mails that were written down afterwards."""
    return Q(type=NOTE) | (~Q(type=TASK) & Q(done_at__isnull=False, due_at=None, due_on=None))


def is_logged(activity: Activity) -> bool:
    """The condition `are_logged` for one activity."""
    planned = activity.is_open or activity.deadline is not None
    return activity.type == NOTE or (activity.type != TASK and not planned)


def due_change(due: datetime.datetime | datetime.date | None, activity: Activity | None) -> dict[str, Any]:
    """The core's change for a due date of a vendor that has instants only, or days as well.

    The end of the day on which the activity is due already, as the vendor's client has read it, changes nothing.
    """
    if due is None:
        return {"due_at": None, "due_on": None}
    if not isinstance(due, datetime.datetime):
        return {"due_on": due}
    deadline = activity.deadline if activity else None
    if deadline is not None and abs(deadline - due) < MILLISECOND:
        return {}
    return {"due_at": due}


def completion(is_done: bool, activity: Activity | None) -> dict[str, Any]:
    """The core's change for a flag: an activity that is done already keeps its time."""
    if is_done:
        return {"done": True}
    return {"done_at": None} if activity is not None and not activity.is_open else {}
