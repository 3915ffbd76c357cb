"""What notifications set in the hooks of inner rooms."""

from functools import cache
from typing import Any

from crm_project.accounts import hooks as account_hooks
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.activities.models import Activity
from crm_project.imports.hooks import hooks as import_hooks
from crm_project.imports.models import Import
from crm_project.notifications.models import Notification
from crm_project.notifications.reading import begin
from crm_project.notifications.tasks import notify_of_import
from crm_project.records.member_queries import MemberQuery
from crm_project.staff.bell import hooks as bell_hooks
from deals.models import Deal


def connect() -> None:
    account_hooks.organization_created.append(begin)
    import_hooks.after_run.append(after_import)
    bell_hooks.count = count_unread


def after_import(source: Import) -> None:
    """A file may be imported again after a refusal: the time of the request makes that another happening."""
    at = source.queued_at.isoformat() if source.queued_at else ""
    notify_of_import.enqueue(source_id=source.pk, queued_at=at)


def count_unread(actor: Actor, most: int) -> int:
    """By the index of unread notifications; it reads at most `most` of them."""
    return len(_unread_ids(most).rows(actor.member))


@cache
def _unread_ids(most: int) -> MemberQuery:
    def ids(member: Member) -> Any:
        return Notification.objects.visible_to(member).unread().order_by().values_list("pk", flat=True)[:most]

    # Who sees an import depends on the role, too, but is declared by its queryset.
    return MemberQuery(ids, kinds=(Deal, Activity), builder=lambda compiler: lambda values: values[0])
