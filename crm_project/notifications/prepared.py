"""The query of the bell, which every page of the admin executes, compiled once in a process."""

from functools import cache
from typing import Any

from crm_project.accounts.models import Member
from crm_project.notifications.models import Notification
from crm_project.notifications.querysets import MODELS
from crm_project.prepared import Prepared
from crm_project.records.kinds import is_by_role, kind_of


def unread_ids(member: Member, most: int) -> list[int]:
    """The ids of unread notifications, at most `most` of them."""
    if all(is_by_role(model) for model in MODELS.values() if kind_of(model) is not None):
        return _unread(member.role, most).rows(member.pk, member.organization_id)
    return list(_rows(member, most))


@cache
def _unread(role: str, most: int) -> Prepared:
    def rows(member_id: int, organization_id: int) -> Any:
        return _rows(Member(pk=member_id, organization_id=organization_id, role=role), most)

    return Prepared(rows, lambda compiler: lambda values: values[0])


def _rows(member: Member, most: int) -> Any:
    return Notification.objects.visible_to(member).unread().order_by().values_list("pk", flat=True)[:most]
