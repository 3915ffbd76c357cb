"""The texts of mail about logins: invitations, and links to choose a new password."""

import datetime
from contextlib import AbstractContextManager
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.encoding import force_bytes
from django.utils.formats import date_format
from django.utils.http import urlencode, urlsafe_base64_encode
from django.utils.translation import gettext_lazy

from crm_project.accounts.invitations import may_invite, secret_of
from crm_project.accounts.models import Invitation, Member, User
from crm_project.accounts.reading import read_by
from crm_project.languages import DEFAULT, nearest
from crm_project.mail.models import Message
from crm_project.mail.templates import Text, fill, hooks, link, register

INVITATION_SUBJECT = gettext_lazy("%(sender)s invites you to %(organization)s")
INVITATION_BODY = gettext_lazy("""%(sender)s invites you to work with %(organization)s in its CRM.

Accept the invitation: %(link)s

The link works once, until %(end)s. If you do not expect the invitation, you need not do anything.
""")
RESET_SUBJECT = gettext_lazy("Choose a new password")
RESET_BODY = gettext_lazy("""Somebody, probably you, has asked for a new password of the login %(email)s.

Choose one: %(link)s

The link works once, for one hour. If you have not asked for it, you need not do anything: your password stays.
""")
# More links than these are not sent to an address within an hour: strangers can ask for them.
RESETS_PER_HOUR = 5


def connect() -> None:
    register("invitation", gettext_lazy("Invitation"), invitation)
    register("password_reset", gettext_lazy("New password"), password_reset)
    hooks.read_by_recipient = read_by_recipient


def read_by_recipient(message: Message) -> AbstractContextManager[None]:
    """A member's own language; the organization's for somebody whom it invites, and English for other strangers."""
    members = Member.objects.active().filter(user__email=message.recipient)
    if message.organization_id:
        members = members.filter(organization=message.organization_id)
    member = members.select_related("organization").order_by("id").first()
    if member is not None:
        return read_by(member)
    language = nearest(message.organization.language) if message.organization else DEFAULT
    return translation.override(language)


def invitation(message: Any) -> Text | None:
    """None if the invitation has been accepted, withdrawn or replaced."""
    ids = message.parameters
    row = Invitation.objects.usable(timezone.now()).filter(pk=ids["invitation"], digest=ids["digest"]).first()
    secret = secret_of(row) if row is not None and may_invite(row.invited_by) else None
    if row is None or secret is None:
        return None
    query = urlencode({"token": secret})
    zone = ZoneInfo(row.organization.time_zone)
    return fill(
        INVITATION_SUBJECT,
        INVITATION_BODY,
        sender=row.invited_by.full_name,
        organization=row.organization.name,
        link=link(f"{reverse('admin:accept_invitation')}?{query}"),
        end=date_format(row.expires_at.astimezone(zone), "j F Y"),
    )


def password_reset(message: Any) -> Text | None:
    """None if there is no active login of this address."""
    user = User.objects.filter(email=message.recipient, is_active=True).first()
    if user is None or _has_enough(message):
        return None
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("admin:password_reset_confirm", args=[uid, default_token_generator.make_token(user)])
    return fill(RESET_SUBJECT, RESET_BODY, email=user.email, link=link(path))


def _has_enough(message: Any) -> bool:
    since = timezone.now() - datetime.timedelta(hours=1)
    sent = Message.objects.to(message.recipient).filter(template=message.template, sent_at__gt=since)
    return sent.count() >= RESETS_PER_HOUR
