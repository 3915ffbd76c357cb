"""Which member a signed-in user works as: chosen once per session, else the first place the user has."""

from typing import Any

from crm_project.accounts.models import Member

SESSION_KEY = "member_id"


def session_member(user: Any, session: Any) -> Member | None:
    """The member of this session, in one query; None for a login without an organization."""
    places = Member.objects.active().filter(user=user).select_related("user", "organization").order_by("id")
    found = list(places)
    chosen = session.get(SESSION_KEY)
    return next((member for member in found if member.pk == chosen), found[0] if found else None)
