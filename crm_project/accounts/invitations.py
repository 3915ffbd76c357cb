"""Invitations: an admin offers a membership; the person accepts it with the link and a password.

Until then nothing of the login changes, and the organization does not learn whether there is one.
"""

import datetime
import secrets

from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Invitation, Member, User
from crm_project.accounts.rules import Permission, Role
from crm_project.accounts.services import add_member, email_errors, token_digest
from crm_project.changes import change_set
from crm_project.emails import fold_email
from crm_project.errors import Conflict, Forbidden, NotFound, refuse_fields
from crm_project.write_queue import write_transaction

LIFE = datetime.timedelta(days=7)


def invite_member(
    *, actor: Actor, email: str, full_name: str = "", role: str = Role.REP, job_title: str = ""
) -> tuple[Invitation, str]:
    """Invite an e-mail address. Returns the invitation and the secret of its link.

    An open invitation to the same address is replaced, and its link ends.
    """
    actor.require(Permission.ADMINISTER)
    email, secret = fold_email(email), secrets.token_urlsafe(32)
    refuse_fields(email_errors(email))
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
                "expires_at": timezone.now() + LIFE,
                "created_at": timezone.now(),
            },
        )
    return invitation, secret


def withdraw_invitation(*, actor: Actor, invitation: Invitation) -> None:
    actor.require(Permission.ADMINISTER)
    Invitation.objects.visible_to(actor.member).filter(pk=invitation.pk).delete()


def find_invitation(secret: str) -> Invitation:
    """The open invitation of a link; NotFound if there is none, or if its sender may no longer invite."""
    found: Invitation | None = (
        Invitation.objects.usable(timezone.now()).filter(digest=token_digest(secret)).first()
    )
    if found is None or not _may_invite(found.invited_by):
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


def _may_invite(sender: Member) -> bool:
    return sender.has_access and Actor(sender).may(Permission.ADMINISTER)
