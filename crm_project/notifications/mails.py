"""The mail of notifications."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from crm_project.accounts.models import Member
from crm_project.mail.templates import Text, fill, link, one_line, register
from crm_project.notifications.models import Notification
from crm_project.notifications.presenting import PresentedNotification, present

TEMPLATE = "notification"
SUBJECT = "%(text)s"
OPEN = gettext_noop("Open it: %(link)s")
FOOT = gettext_noop(
    "You get this mail as a member of %(organization)s. Choose what you are notified of: %(link)s"
)
# Notifications that one mail names.
NAMED = 50


def connect() -> None:
    register(TEMPLATE, gettext_lazy("Notification"), notification)


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
        text = fill(SUBJECT, f"%(text)s\n\n{_(OPEN)}\n", text=found[0].text, link=link(found[0].url))
    else:
        subject = ngettext(
            "%(count)s notification of %(organization)s",
            "%(count)s notifications of %(organization)s",
            len(found),
        )
        text = fill(subject, "", count=len(found), organization=member.organization.name)
        text = Text(text.subject, _list(found))
    return with_foot(text, member)


def with_foot(text: Text, member: Member) -> Text:
    """The text with the address of the page where the mail is switched off."""
    settings_page = link(reverse("admin:notifications_notification_settings"))
    foot = fill("", f"\n{_(FOOT)}\n", organization=member.organization.name, link=settings_page)
    return Text(text.subject, text.body + foot.body)


def _list(found: list[PresentedNotification]) -> str:
    lines = [f"- {one_line(one.text)}\n  {link(one.url)}\n" for one in found[:NAMED]]
    if (more := len(found) - NAMED) > 0:
        text = ngettext("And %(count)s more.", "And %(count)s more.", more) % {"count": more}
        lines.append(f"\n{text}\n")
    return "".join(lines)
