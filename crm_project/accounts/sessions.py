"""The member of a session: the one that the user has chosen, else the oldest membership."""

from typing import Any

from crm_project.accounts.models import Member
from crm_project.prepared import Prepared

SESSION_KEY = "member_id"


_members = Prepared(
    lambda user_id: (
        Member.objects.active().filter(user=user_id).select_related("user", "organization").order_by("id")
    )
)


def session_member(user: Any, session: Any) -> Member | None:
    """The member of this session, in one query; None for a login without an organization."""
    members = _members.rows(user.pk)
    chosen = session.get(SESSION_KEY)
    return next((member for member in members if member.pk == chosen), members[0] if members else None)
