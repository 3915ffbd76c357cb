"""Organization (the tenant), User (a login), Member (a user's membership in an organization) and ApiToken."""

import uuid
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Trim
from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm_project.accounts.querysets import (
    ApiTokenQuerySet,
    InvitationQuerySet,
    MemberQuerySet,
    UserManager,
)
from crm_project.accounts.rules import ALL_SCOPES, Role
from crm_project.languages import nearest


def every_scope() -> list[str]:
    return list(ALL_SCOPES)


class Organization(models.Model):
    """The tenant. `catalogue_version` is the key of its caches: every write to reference data increments it."""

    row_kind: ClassVar[str] = "organization"
    # How far its first admins have come is no fact about it: it has no version and no event.
    derived: ClassVar[frozenset[str]] = frozenset(
        {"catalogue_version", "first_steps", "updated_at", "version"}
    )

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=255)
    currency = models.CharField(max_length=3, default="EUR")
    time_zone = models.CharField(max_length=63, default="UTC")
    language = models.CharField(max_length=16, default="en")
    # ISO 3166 alpha-2, empty if unknown: phone numbers without a prefix are read as this country's.
    country = models.CharField(max_length=2, blank=True, default="", db_default="")
    # The names of the first steps that are done; NULL before the first of them.
    first_steps = models.JSONField(null=True, default=None, editable=False)
    catalogue_version = models.BigIntegerField(default=1, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class User(AbstractBaseUser, PermissionsMixin):
    """A login. Its permissions in an organization come from Member."""

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    email = models.EmailField(max_length=254, unique=True)
    full_name = models.CharField(max_length=255, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()

    class Meta:
        verbose_name = "login"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(email=Lower(Trim(F("email")))), name="accounts_user_email_folded"
            )
        ]

    def __str__(self) -> str:
        return self.get_full_name()

    def get_full_name(self) -> str:
        return self.full_name or self.email


class Member(models.Model):
    """The membership of a user in an organization. Deactivated when the person leaves, never deleted."""

    class Roles(models.TextChoices):
        VIEWER = Role.VIEWER, gettext_lazy("Viewer")
        REP = Role.REP, gettext_lazy("Rep")
        MANAGER = Role.MANAGER, gettext_lazy("Manager")
        ADMIN = Role.ADMIN, gettext_lazy("Admin")

    row_kind: ClassVar[str] = "user"
    # How a person reads the pages is not the organization's: it has no version and no event.
    derived: ClassVar[frozenset[str]] = frozenset({"language", "time_zone", "updated_at", "version"})

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="members")
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=16, choices=Roles, default=Roles.REP)
    job_title = models.CharField(max_length=255, blank=True)
    is_active = models.BooleanField(default=True)
    # Empty: the organization's.
    language = models.CharField(max_length=16, blank=True, default="", db_default="")
    time_zone = models.CharField(max_length=63, blank=True, default="", db_default="")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="accounts_member_one_per_user"),
            models.UniqueConstraint(fields=["organization", "id"], name="accounts_member_organization_id"),
            models.CheckConstraint(condition=Q(role__in=list(Role)), name="accounts_member_role"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return self.user.get_full_name()

    @property
    def email(self) -> str:
        return self.user.email

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the member reads and writes times."""
        return ZoneInfo(self.time_zone or self.organization.time_zone)

    @property
    def reading_language(self) -> str:
        """The code of the language of the member's pages and mails."""
        return nearest(self.language or self.organization.language)

    @property
    def has_access(self) -> bool:
        """Whether the member may sign in; the same rule as in `MemberQuerySet.active`."""
        return self.is_active and self.user.is_active


class ApiToken(models.Model):
    """A bearer token of a member. Only the SHA-256 of its secret is stored; `hint` is the start of the secret."""

    row_kind: ClassVar[str] = "token"
    derived: ClassVar[frozenset[str]] = frozenset({"digest", "password_digest", "last_used_at", "version"})

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=255)
    hint = models.CharField(max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=every_scope)
    # The application whose ids a dialect uses, in dialects with ids of each application.
    app_code = models.CharField(max_length=255, blank=True)
    # That of the login's password, as in a session, for a token that ends with it: one that a password was given for.
    password_digest = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="accounts_token_newest")
        ]

    def __str__(self) -> str:
        return self.name


class Invitation(models.Model):
    """An offer of a membership to an e-mail address. It names no login: an organization does not learn of others'.

    Only the SHA-256 of the link's secret is stored. Accepted and withdrawn invitations are deleted.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    invited_by = models.ForeignKey(Member, models.PROTECT, related_name="+", editable=False)
    email = models.EmailField(max_length=254)
    full_name = models.CharField(max_length=255, blank=True)
    role = models.CharField(max_length=16, choices=Member.Roles, default=Member.Roles.REP)
    job_title = models.CharField(max_length=255, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "email"], name="accounts_invitation_one_per_email"
            ),
            models.CheckConstraint(condition=Q(role__in=list(Role)), name="accounts_invitation_role"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email


class SignInAttempt(models.Model):
    """A failed attempt to sign in; `key` is a hash of the e-mail address, of the IP address, or of both."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["key", "at"], name="accounts_signin_key"),
            models.Index(fields=["at"], name="accounts_signin_at"),
        ]


class SignInAddress(models.Model):
    """The last sign-in to an account from an IP address; `key` is a hash of both."""

    key = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["at"], name="accounts_signinaddress_at")]
