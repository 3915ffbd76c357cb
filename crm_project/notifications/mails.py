"""The mail of notifications."""

from typing import Any

from django.urls import reverse

from crm_project.accounts.models import Member
from crm_project.mail.templates import Text, fill, link, one_line, register
from crm_project.notifications.models import Notification
from crm_project.notifications.presenting import PresentedNotification, present

TEMPLATE = "notification"
SUBJECT = "%(text)s"
SUBJECT_OF_MANY = "%(count)s notifications of %(organization)s"
BODY = """%(text)s

Open it: %(link)s
"""
FOOT = """
You get this mail as a member of %(organization)s. Choose what you are notified of: %(link)s
"""
# Notifications that one mail names.
NAMED = 50


def connect() -> None:
    register(TEMPLATE, "Notification", notification)


def notification(message: Any) -> Text | None:
    """Those of whose rows the recipient may see now; None without any."""
    ids = message.parameters
    members = Member.objects.active().select_related("user", "organization")
    member = members.filter(pk=ids["member"]).first()
    if member is None:
        return None
    rows = Notification.objects.filter(pk__in=ids["notifications"], member=member).order_by("pk")
    found = present(rows, member)
    if not found:
        return None
    if len(found) == 1:
        text = fill(SUBJECT, BODY, text=found[0].text, link=link(found[0].url))
    else:
        text = fill(SUBJECT_OF_MANY, "", count=len(found), organization=member.organization.name)
        text = Text(text.subject, _list(found))
    return with_foot(text, member)


def with_foot(text: Text, member: Member) -> Text:
    """The text with the address of the page where the mail is switched off."""
    settings_page = link(reverse("admin:notifications_notification_settings"))
    foot = fill("", FOOT, organization=member.organization.name, link=settings_page)
    return Text(text.subject, text.body + foot.body)


def _list(found: list[PresentedNotification]) -> str:
    lines = [f"- {one_line(one.text)}\n  {link(one.url)}\n" for one in found[:NAMED]]
    if len(found) > NAMED:
        lines.append(f"\nAnd {len(found) - NAMED} more.\n")
    return "".join(lines)
