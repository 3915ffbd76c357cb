"""The actor of a request in the admin, and the rows that are visible to it."""

import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member, Organization, User
from crm_project.accounts.sessions import session_member
from crm_project.background.models import Schedule, StoredTask
from crm_project.records.days import day_at
from crm_project.records.member_queries import MemberQuery
from crm_project.records.rows import plain_rows


def actor_of(request: Any) -> Actor | None:
    """The actor of the session, looked up once per request; None for a login without an organization."""
    if not hasattr(request, "staff_actor"):
        signed_in = getattr(request, "user", None) is not None and request.user.is_authenticated
        member = session_member(request.user, request.session) if signed_in else None
        request.staff_actor = Actor(member) if member else None
    actor: Actor | None = request.staff_actor
    return actor


def is_operator(request: HttpRequest) -> bool:
    """Whether the user manages organizations and logins; that does not make an organization's rows visible."""
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


def visible(request: HttpRequest, model: type[Model]) -> "QuerySet[Any]":
    """The rows of a model that are visible to the request; none if the queryset has no `visible_to`."""
    rows: Any = model._default_manager.all()
    actor = actor_of(request)
    if model in (Organization, User, StoredTask, Schedule):
        return _operators_rows(request, rows, model, actor)
    is_scoped = hasattr(rows, "visible_to")
    visible_rows: QuerySet[Any] = rows.visible_to(actor.member) if actor and is_scoped else rows.none()
    if is_operator(request) and hasattr(rows, "visible_to_operators"):
        visible_rows |= rows.visible_to_operators()
    return visible_rows


def _operators_rows(
    request: HttpRequest, rows: "QuerySet[Any]", model: type[Model], actor: Actor | None
) -> "QuerySet[Any]":
    if is_operator(request):
        return rows
    own = actor.organization_id if actor and model is Organization else None
    return rows.filter(pk=own) if own else rows.none()


_members = MemberQuery(
    lambda member: Member.objects.visible_to(member).select_related("user").order_by("user__full_name", "id"),
    kinds=(Member,),
    builder=plain_rows,
)


def member_choices(request: HttpRequest) -> list[tuple[int, str]]:
    """All members by name. Deactivated ones are marked; their rows can still be searched for."""
    actor = actor_of(request)
    members = _members.rows(actor.member) if actor else ()
    return [
        (
            member.pk,
            member.full_name
            if member.is_active
            else _("%(name)s (deactivated)") % {"name": member.full_name},
        )
        for member in members
    ]


def today(actor: Actor) -> datetime.date:
    """Today's date in the time zone of the organization."""
    return day_at(timezone.now(), actor.organization.time_zone)
