"""The member of a session: the one that the user has chosen, else the oldest membership."""

from typing import Any

from crm_project.accounts.models import Member

SESSION_KEY = "member_id"


def session_member(user: Any, session: Any) -> Member | None:
    """The member of this session, in one query; None for a login without an organization."""
    memberships = (
        Member.objects.active().filter(user=user).select_related("user", "organization").order_by("id")
    )
    members = list(memberships)
    chosen = session.get(SESSION_KEY)
    return next((member for member in members if member.pk == chosen), members[0] if members else None)
