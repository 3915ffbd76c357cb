"""Querysets of accounts: `Member.objects.visible_to(member)`, `ApiToken.objects.usable(now)`."""

import datetime
from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.base_user import BaseUserManager
from django.db import models
from django.db.models import Q

from crm_project.accounts.rules import Role
from crm_project.emails import fold_email

if TYPE_CHECKING:
    from crm_project.accounts.models import Member, User


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=fold_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=fold_email(username or ""))


class MemberQuerySet(models.QuerySet["Member"]):
    def visible_to(self, member: "Member") -> Self:
        return self.filter(organization_id=member.organization_id)

    def active(self) -> Self:
        return self.filter(is_active=True, user__is_active=True)

    def named_like(self, text: str) -> Self:
        """Members with the text in their name or e-mail address. Not indexed: an organization has few members."""
        return (
            self.filter(Q(user__full_name__icontains=text) | Q(user__email__icontains=text)) if text else self
        )


class ApiTokenQuerySet(models.QuerySet[Any]):
    def visible_to(self, member: "Member") -> Self:
        """The member's own tokens; for an admin, those of the whole organization."""
        own = self.filter(organization_id=member.organization_id)
        return own if member.role == Role.ADMIN else own.filter(member=member)

    def usable(self, now: datetime.datetime) -> Self:
        unexpired = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(
            unexpired, revoked_at=None, member__is_active=True, member__user__is_active=True
        ).select_related("member__user", "member__organization")


class InvitationQuerySet(models.QuerySet[Any]):
    def visible_to(self, member: "Member") -> Self:
        own = self.filter(organization_id=member.organization_id)
        return own if member.role == Role.ADMIN else own.none()

    def usable(self, now: datetime.datetime) -> Self:
        return self.filter(expires_at__gt=now).select_related("organization", "invited_by__user")
