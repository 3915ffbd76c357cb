"""Invitations: an admin offers a membership; the person accepts it with the link and a password.

Until then nothing of the login changes, and the organization does not learn whether there is one.

The secret of a link is not stored: it is computed with SECRET_KEY for the inviter and when its mail is sent.
"""

import base64
import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Invitation, Member, User
from crm_project.accounts.rules import Permission, Role
from crm_project.accounts.services import add_member, email_errors, token_digest
from crm_project.changes import change_set
from crm_project.emails import fold_email
from crm_project.errors import Conflict, Forbidden, NotFound, refuse_fields
from crm_project.mail.services import has_mail_server, queue_messages
from crm_project.write_queue import write_transaction

LIFE = datetime.timedelta(days=7)


def invite_member(
    *, actor: Actor, email: str, full_name: str = "", role: str = Role.REP, job_title: str = ""
) -> tuple[Invitation, str]:
    """Invite an e-mail address. Returns the invitation and the secret of its link, which is mailed to the address.

    An open invitation to the same address is replaced, and its link ends.
    """
    actor.require(Permission.ADMINISTER)
    email, now = fold_email(email), timezone.now()
    refuse_fields(email_errors(email))
    secret = _secret(actor.organization_id, email, now, settings.SECRET_KEY)
    with change_set(actor):
        if Member.objects.visible_to(actor.member).filter(user__email=email).exists():
            raise Conflict("%(email)s is already a member.", {"email": email}, code="member_exists")
        invitation, _ = Invitation.objects.update_or_create(
            organization=actor.organization,
            email=email,
            defaults={
                "invited_by": actor.member,
                "full_name": full_name.strip(),
                "role": role,
                "job_title": job_title,
                "digest": token_digest(secret),
                "expires_at": now + LIFE,
                "created_at": now,
            },
        )
        if has_mail_server():
            _mail(invitation)
    return invitation, secret


def _mail(invitation: Invitation) -> None:
    queue_messages(
        template="invitation",
        recipients=[(invitation.email, {"invitation": invitation.pk, "digest": invitation.digest})],
        organization_id=invitation.organization_id,
        expires_at=invitation.expires_at,
    )


def secret_of(invitation: Invitation) -> str | None:
    """The secret of the link; None if it was made with a key that is no longer in force."""
    row = (invitation.organization_id, invitation.email, invitation.created_at)
    made = (_secret(*row, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    return next((secret for secret in made if token_digest(secret) == invitation.digest), None)


def _secret(organization_id: int, email: str, created_at: datetime.datetime, key: str) -> str:
    """256 bits that nobody computes without the key; other ones at each invitation of the address."""
    text = f"{organization_id} {email} {created_at.astimezone(datetime.UTC).isoformat()}"
    digest = salted_hmac("crm.invitation", text, secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def withdraw_invitation(*, actor: Actor, invitation: Invitation) -> None:
    actor.require(Permission.ADMINISTER)
    Invitation.objects.visible_to(actor.member).filter(pk=invitation.pk).delete()


def find_invitation(secret: str) -> Invitation:
    """The open invitation of a link; NotFound if there is none, or if its sender may no longer invite."""
    found: Invitation | None = (
        Invitation.objects.usable(timezone.now()).filter(digest=token_digest(secret)).first()
    )
    if found is None or not may_invite(found.invited_by):
        raise NotFound(
            "This invitation has been used, withdrawn or replaced, or it is older than seven days."
        )
    return found


def accept_invitation(*, secret: str, user: User | None, password: str = "") -> Member:
    """Make the person a member; the actor is the sender.

    `user` is the login that has been signed in to, which must have the address of the invitation. Without one a login
    with this password and the name of the invitation is created; Forbidden if there is one already.
    """
    with write_transaction():
        invitation = find_invitation(secret)
        if not Invitation.objects.select_for_update().filter(pk=invitation.pk, digest=invitation.digest):
            raise NotFound
        if user is None:
            user = _new_login(invitation, password)
        elif user.email != invitation.email:
            raise Forbidden("This invitation is for another e-mail address.")
        # Members work in the admin.
        User.objects.filter(pk=user.pk, is_staff=False).update(is_staff=True)
        member = add_member(
            actor=Actor(invitation.invited_by),
            organization=invitation.organization,
            user=user,
            role=invitation.role,
            job_title=invitation.job_title,
        )
        invitation.delete()
        return member


def has_login(invitation: Invitation) -> bool:
    return User.objects.filter(email=invitation.email).exists()


def _new_login(invitation: Invitation, password: str) -> User:
    if has_login(invitation):
        raise Forbidden("There is a login of this e-mail address already: sign in with its password.")
    user: User = User.objects.create_user(
        invitation.email, password, full_name=invitation.full_name, is_staff=True
    )
    return user


def may_invite(sender: Member) -> bool:
    return sender.has_access and Actor(sender).may(Permission.ADMINISTER)
