"""The calendar of a member's open activities, at a secret address to which a calendar program subscribes."""

import datetime
import secrets
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from icalendar import Calendar, Event

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.reading import read_by
from crm_project.accounts.rules import Permission
from crm_project.accounts.services import token_digest
from crm_project.activities.models import Activity
from crm_project.api.etags import etag
from crm_project.changes import before_storing
from crm_project.mail.templates import link
from crm_project.notifications.models import CalendarFeed
from crm_project.write_queue import write_transaction

# Activities of a calendar, the latest first: a program reads all of them again and again.
MOST = 1_000
# An activity has no end.
LENGTH = datetime.timedelta(minutes=30)
DAY = datetime.timedelta(days=1)
READ_EVERY = datetime.timedelta(hours=1)
PRODUCT = "-//CRM//Activities//EN"


def renew_address(*, actor: Actor) -> str:
    """Give the member a calendar with a new address, and end the one before. Only its hash is stored.

    A session alone may: the address would outlive a token that ends.
    """
    actor.require(Permission.VIEW)
    secret = secrets.token_urlsafe(32)
    with write_transaction():
        before_storing()
        CalendarFeed.objects.update_or_create(
            member=actor.member,
            defaults={
                "organization_id": actor.organization_id,
                "digest": token_digest(secret),
                "created_at": timezone.now(),
            },
        )
    return link(reverse("calendar", args=[secret]))


def end_address(*, actor: Actor) -> None:
    """Idempotent."""
    with write_transaction():
        CalendarFeed.objects.filter(member=actor.member.pk).delete()


def address_of(actor: Actor) -> CalendarFeed | None:
    """When the present address was made; the address itself is not stored."""
    found: CalendarFeed | None = CalendarFeed.objects.filter(member=actor.member.pk).first()
    return found


@require_safe
def calendar_view(request: HttpRequest, secret: str) -> HttpResponse:
    """404 for an address that was renewed or ended, and for a member without access."""
    member = _member_of(secret)
    if member is None:
        raise Http404
    with read_by(member):
        body = calendar_of(member)
    tag = etag(body)
    response: Any = HttpResponse(body, content_type="text/calendar; charset=utf-8", headers={"ETag": tag})
    # The program asks whether the calendar is the same, and finds out that its address has ended.
    patch_cache_control(response, private=True, no_cache=True)
    return get_conditional_response(request, etag=tag, response=response)  # type: ignore[return-value]


def calendar_of(member: Member) -> bytes:
    """The member's open activities with a date, as far as the member may see them."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add(
        "x-wr-calname", _("%(organization)s: activities") % {"organization": member.organization.name}
    )
    calendar.add("refresh-interval", READ_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    own = Activity.objects.visible_to(member).open().owned_by(member).filter(deadline__isnull=False)
    for activity in own.for_lines().order_by("-deadline", "-id")[:MOST]:
        calendar.add_component(_event(activity))
    body: bytes = calendar.to_ical()
    return body


def _member_of(secret: str) -> Member | None:
    feeds = CalendarFeed.objects.filter(
        digest=token_digest(secret), member__is_active=True, member__user__is_active=True
    )
    feed = feeds.select_related("member__user", "member__organization").first()
    return feed.member if feed is not None else None


def _event(activity: Activity) -> Event:
    """It depends on the row and the language alone, so that an unchanged calendar is the same bytes."""
    event, about = Event(), activity.deal or activity.contact
    event.add("uid", f"{activity.uuid}@{urlsplit(settings.PUBLIC_URL).hostname}")
    event.add("dtstamp", activity.updated_at)
    event.add("sequence", activity.version)
    summary = _("%(type)s: %(activity)s") % {"type": activity.get_type_display(), "activity": activity}
    event.add("summary", summary)
    page = link(reverse("admin:activities_activity_change", args=[activity.pk]))
    texts = [str(about) if about else "", activity.text, page]
    event.add("description", "\n\n".join(text for text in texts if text.strip()))
    event.add("url", page)
    if activity.due_on is not None:
        event.add("dtstart", activity.due_on)
        event.add("dtend", activity.due_on + DAY)
        event.add("transp", "TRANSPARENT")
    elif activity.due_at is not None:
        start = activity.due_at.astimezone(datetime.UTC)
        event.add("dtstart", start)
        event.add("dtend", start + LENGTH)
    return event
