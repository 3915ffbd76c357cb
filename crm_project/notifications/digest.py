"""The morning digest: one mail a day with what is due, what has slipped, and what was won yesterday."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext_lazy

from crm_project.accounts.models import Member, Organization
from crm_project.activities.models import Activity
from crm_project.mail.services import queue_messages
from crm_project.mail.templates import Text, fill, link, one_line, register
from crm_project.notifications.mails import with_foot
from crm_project.notifications.models import NotificationSettings
from crm_project.notifications.rules import DIGEST_HOUR, digest_hours
from crm_project.records.days import end_of
from crm_project.write_queue import write_transaction
from deals.models import Deal, DealFollower
from deals.money import formatted
from deals.querysets import is_paused

TEMPLATE = "digest"
SUBJECT = gettext_noop("%(day)s in %(organization)s: %(counts)s")
DAY = datetime.timedelta(days=1)
# A digest that the mail server does not take for so long is no morning's any more.
EXPIRES_AFTER = datetime.timedelta(hours=8)
# Rows that a section names.
NAMED = 20


def connect() -> None:
    register(TEMPLATE, gettext_lazy("Morning digest"), digest)


def queue_digests(organization: Organization, now: datetime.datetime) -> int:
    """Queue the digests of the members whose morning it is and who have not had today's; returns their number."""
    members = Member.objects.active().filter(organization=organization).select_related("user")
    zones = members.order_by().values_list("time_zone", flat=True).distinct()
    return sum(
        _queue(members.filter(time_zone=name), ZoneInfo(name or organization.time_zone), organization, now)
        for name in zones
    )


def _queue(members: Any, zone: ZoneInfo, organization: Organization, now: datetime.datetime) -> int:
    """Those of members of one time zone."""
    day, hours = now.astimezone(zone).date(), digest_hours(now, zone)
    stored = NotificationSettings.objects.filter(organization=organization)
    if DIGEST_HOUR in hours:
        unstored = members.exclude(pk__in=stored.values("member"))
        NotificationSettings.objects.bulk_create(
            [NotificationSettings(member=member, organization=organization) for member in unstored],
            ignore_conflicts=True,
        )
    due = stored.filter(
        Q(digest_on=None) | Q(digest_on__lt=day), digest=True, digest_hour__in=list(hours), member__in=members
    )
    if not due.exists():
        return 0
    with write_transaction():
        # Another process that has been here meanwhile has changed the rows that this one waits for.
        ids = list(due.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
        stored.filter(pk__in=ids).update(digest_on=day)
        queue_messages(
            template=TEMPLATE,
            recipients=[
                (member.email, {"member": member.pk, "day": day.isoformat()})
                for member in members.filter(pk__in=ids).order_by("pk")
            ],
            organization_id=organization.pk,
            expires_at=now + EXPIRES_AFTER,
        )
    return len(ids)


def digest(message: Any) -> Text | None:
    """None if there is nothing to say, or the recipient has lost access."""
    members = Member.objects.active().select_related("user", "organization")
    member = members.filter(pk=message.parameters["member"]).first()
    if member is None:
        return None
    day = datetime.date.fromisoformat(message.parameters["day"])
    # Days begin and end for everybody where the organization is; its members read times in zones of their own.
    zone = ZoneInfo(member.organization.time_zone)
    sections = [
        _section(
            _("Activities"),
            ngettext_lazy("%(count)s activity due", "%(count)s activities due", "count"),
            _("more than %(count)s activities due"),
            _activities(member, day, zone),
            lambda row: _of_activity(row, day, member.zone),
        ),
        _section(
            _("Slipped deals"),
            ngettext_lazy("%(count)s deal slipped", "%(count)s deals slipped", "count"),
            _("more than %(count)s deals slipped"),
            _slipped(member, day),
            _of_slipped,
        ),
        _section(
            _("Won yesterday"),
            ngettext_lazy("%(count)s deal won", "%(count)s deals won", "count"),
            _("more than %(count)s deals won"),
            _won(member, day - DAY, zone),
            _of_won,
        ),
    ]
    found = [section for section in sections if section is not None]
    if not found:
        return None
    subject = fill(
        _(SUBJECT),
        "",
        day=formats.date_format(day, "l"),
        organization=member.organization.name,
        counts=", ".join(count for count, _text in found),
    ).subject
    home = _("Your day: %(link)s") % {"link": link(reverse("admin:index"))} + "\n"
    return with_foot(Text(subject, "\n".join([*(text for _count, text in found), home])), member)


def _activities(member: Member, day: datetime.date, zone: ZoneInfo) -> Any:
    own = Activity.objects.visible_to(member).open().owned_by(member)
    return own.filter(deadline__lte=end_of(day, zone)).for_lines().order_by("deadline", "id")


def _slipped(member: Member, day: datetime.date) -> Any:
    own = Deal.objects.visible_to(member).filter(owner=member)
    return (
        own.slipped(day).exclude(is_paused(day)).select_related("stage").order_by("expected_close_date", "id")
    )


def _won(member: Member, day: datetime.date, zone: ZoneInfo) -> Any:
    """One's own, and those that one follows."""
    followed = DealFollower.objects.filter(member=member).values("deal")
    won = Deal.objects.visible_to(member).filter(Q(owner=member) | Q(pk__in=followed), status="won")
    between = {"closed_at__gt": end_of(day - DAY, zone), "closed_at__lte": end_of(day, zone)}
    return won.filter(**between).order_by("closed_at", "id")


def _section(
    title: str, counted: Any, counted_more: str, rows: Any, line: Callable[[Any], str]
) -> tuple[str, str] | None:
    """The count for the subject and the text; None without rows. `counted` is a plural with `count`."""
    found: Sequence[Any] = list(rows[: NAMED + 1])
    if not found:
        return None
    more = len(found) > NAMED
    count = counted_more % {"count": NAMED} if more else counted % {"count": len(found)}
    return count, "".join(_lines(title, found[:NAMED], line, more=more))


def _lines(title: str, rows: Sequence[Any], line: Callable[[Any], str], *, more: bool) -> Iterator[str]:
    yield f"{title}\n"
    for row in rows:
        page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        yield f"- {one_line(line(row))}\n  {link(page)}\n"
    if more:
        yield f"- {_('and more')}\n"


def _of_activity(row: Activity, day: datetime.date, zone: ZoneInfo) -> str:
    about = row.deal or row.contact
    local = row.due_at.astimezone(zone) if row.due_at else None
    due = local.date() if local else row.due_on
    text = f"{row} ({about})" if about else str(row)
    if due is not None and due < day:
        day_text = formats.date_format(due, "DATE_FORMAT")
        return _("Overdue since %(day)s: %(activity)s") % {"day": day_text, "activity": text}
    return f"{formats.time_format(local, 'H:i')} {text}" if local else text


def _of_slipped(row: Deal) -> str:
    day: Any = row.expected_close_date
    return _("%(deal)s, expected on %(day)s") % {
        "deal": _named(row),
        "day": formats.date_format(day, "DATE_FORMAT"),
    }


def _of_won(row: Deal) -> str:
    return _named(row)


def _named(row: Deal) -> str:
    amount = formatted(row.amount, row.currency)
    name = row.name or f"#{row.pk}"
    return f"{name}, {amount} {row.currency}" if amount else name
