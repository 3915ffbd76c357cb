"""Services of accounts: organizations, logins, members and tokens."""

import datetime
import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.text import slugify

from crm_project.accounts import hooks
from crm_project.accounts.actors import Actor
from crm_project.accounts.countries import countries, country_of_zone, is_language, time_zones
from crm_project.accounts.models import ApiToken, Member, Organization, User
from crm_project.accounts.rules import ALL_SCOPES, Permission, Role
from crm_project.changes import (
    ChangeSet,
    before_storing,
    change_set,
    columns,
    difference,
    note_catalogue_write,
)
from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.database import was_read_only
from crm_project.emails import fold_email, has_domain, has_invisible
from crm_project.errors import Conflict, FieldError, Forbidden, Invalid, refuse_fields
from crm_project.languages import LANGUAGES
from crm_project.prepared import Prepared
from crm_project.versions import Versions, require
from crm_project.write_queue import write_transaction

TOKEN_PREFIX = "crm_"
LAST_USED_EVERY = datetime.timedelta(minutes=1)


def create_organization(*, name: str, slug: str = "", **fields: Any) -> Organization:
    """Create an organization, by default with a slug derived from its name and the country of its time zone."""
    slug = slug or _free_slug(name)
    fields.setdefault("country", country_of_zone(fields.get("time_zone", "UTC")))
    refuse_fields(_organization_errors(fields))
    if Organization.objects.filter(slug=slug).exists():
        raise Conflict("There is already an organization %(slug)r.", {"slug": slug}, code="slug_taken")
    with change_set(None) as changes:
        organization = Organization.objects.create(name=name, slug=slug, **fields)
        changes.record(organization, "created", difference({}, columns(organization)))
        for created in hooks.organization_created:
            created(organization)
    return organization


def _free_slug(name: str) -> str:
    base = slugify(name)[:55] or "organization"
    taken = set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(
        slug for n in range(1, len(taken) + 2) if (slug := base if n == 1 else f"{base}-{n}") not in taken
    )


def update_organization(
    *, actor: Actor | None, organization: Organization, if_match: Versions | None = None, **fields: Any
) -> Organization:
    """Change name, currency, time zone, language or country. `actor` is None for an operator, who is not a member."""
    _require_admin(actor, organization.pk)
    refuse_fields(_organization_errors(fields, organization.currency))
    with change_set(actor) as changes:
        before_storing()
        row = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        require(row, if_match)
        before = columns(row)
        for name, value in fields.items():
            setattr(row, name, "" if value is None else value)
        _store(row, before, changes)
        bump_catalogue(row.pk)
        if row.country != before["country"]:
            for hook in hooks.country_changed:
                hook(row.pk)
        if row.currency != before["currency"]:
            for hook in hooks.currency_changed:
                hook(row.pk)
        if row.time_zone != before["time_zone"]:
            for hook in hooks.time_zone_changed:
                hook(row.pk)
    return row


def note_first_step(*, actor: Actor, name: str) -> None:
    """Note that a first step of the organization is done. It has no version and no event."""
    actor.require(Permission.ADMINISTER)
    with write_transaction():
        before_storing()
        row = Organization.objects.select_for_update(no_key=True).get(pk=actor.organization_id)
        done = row.first_steps or []
        if name not in done:
            Organization.objects.filter(pk=row.pk).update(first_steps=[*done, name])


def _organization_errors(fields: dict[str, Any], stored_currency: str = "") -> list[FieldError]:
    """An organization may keep a currency that no longer exists."""
    errors = []
    if not fields.get("name", "-").strip():
        errors.append(FieldError("name", "blank", "This may not be blank."))
    if fields.get("currency", "EUR") not in {*CURRENCY_DECIMALS, stored_currency}:
        errors.append(FieldError("currency", "invalid_choice", "This is not an ISO 4217 currency code."))
    if fields.get("time_zone", "UTC") not in time_zones():
        errors.append(FieldError("time_zone", "invalid_choice", "There is no such time zone."))
    if fields.get("country") and fields["country"] not in countries():
        errors.append(
            FieldError("country", "invalid_choice", "A country is an ISO 3166 code of two capital letters.")
        )
    if not is_language(fields.get("language", "en")):
        errors.append(FieldError("language", "invalid_choice", "A language is a tag such as fr or pt-BR."))
    return errors


def bump_catalogue(organization_id: int) -> None:
    """Invalidate all caches of the organization's reference data."""
    note_catalogue_write()
    Organization.objects.filter(pk=organization_id).update(catalogue_version=F("catalogue_version") + 1)


def find_or_create_user(
    *, email: str, full_name: str = "", password: str | None = None, **flags: bool
) -> User:
    """The login of an e-mail address; created if there is none, else unchanged."""
    email = fold_email(email)
    refuse_fields(email_errors(email))
    user = User.objects.filter(email=email).first()
    return user or User.objects.create_user(email, password, full_name=full_name, **flags)


def create_login(*, email: str, password: str = "", full_name: str = "", **flags: bool) -> User:
    """Create a login without a membership; for operators."""
    email = fold_email(email)
    refuse_fields(email_errors(email))
    if User.objects.filter(email=email).exists():
        wrong = FieldError("email", "email_taken", "There is a login of this e-mail address already.")
        raise Conflict(wrong.template, wrong.params, code="email_taken", fields=[wrong])
    return User.objects.create_user(email, password or None, full_name=full_name, **flags)


def update_login(*, user: User, password: str = "", **fields: Any) -> User:
    """Change a login. At least one active operator must remain."""
    with transaction.atomic():
        operators = list(
            User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("id")
        )
        row = User.objects.select_for_update().get(pk=user.pk)
        if "email" in fields:
            fields["email"] = fold_email(fields["email"])
            refuse_fields(email_errors(fields["email"]))
            if User.objects.filter(email=fields["email"]).exclude(pk=row.pk).exists():
                wrong = FieldError("email", "email_taken", "There is a login of this e-mail address already.")
                raise Conflict(wrong.template, wrong.params, code="email_taken", fields=[wrong])
        for name, value in fields.items():
            setattr(row, name, value)
        if [operator.pk for operator in operators] == [row.pk] and not (row.is_superuser and row.is_active):
            raise Conflict("There must be at least one active operator.", code="last_operator")
        if password:
            row.set_password(password)
        row.save(update_fields=[*fields, *(["password"] if password else [])])
    return row


def email_errors(email: str) -> list[FieldError]:
    """What no login's address has; forms and commands check the rest of it."""
    wrong = has_invisible(email) or not has_domain(email)
    return [FieldError("email", "invalid", "This is not an e-mail address.")] if wrong else []


def add_member(
    *, actor: Actor | None, organization: Organization, user: User, role: str = Role.REP, job_title: str = ""
) -> Member:
    """Make a login a member of an organization. `actor` is None only when the organization is created."""
    _require_admin(actor, organization.id)
    with change_set(actor) as changes:
        member, created = Member.objects.get_or_create(
            organization=organization, user=user, defaults={"role": role, "job_title": job_title}
        )
        if not created:
            raise Conflict("%(email)s is already a member.", {"email": user.email}, code="member_exists")
        bump_catalogue(organization.id)
        changes.record(member, "created", difference({}, columns(member)))
        hooks.member_added(member)
    return member


def create_former_member(*, actor: Actor, name: str) -> Member:
    """Create a deactivated member for somebody who has left, by full name or e-mail address, who can never sign in.

    A login of the address, which another organization may have, is not used.
    """
    _require_admin(actor, actor.organization_id)
    email = fold_email(name) if "@" in name and has_domain(name) and not has_invisible(name) else ""
    if not email or User.objects.filter(email=email).exists():
        email = f"former-{secrets.token_hex(8)}@{actor.organization.slug}.invalid"
    user = User.objects.create_user(email, None, full_name=name.strip()[:255], is_active=False)
    with change_set(actor) as changes:
        member = Member.objects.create(organization_id=actor.organization_id, user=user, is_active=False)
        bump_catalogue(actor.organization_id)
        changes.record(member, "created", difference({}, columns(member)))
        hooks.member_added(member)
    return member


def update_member(*, actor: Actor, member: Member, **fields: Any) -> Member:
    """Change role, job title or `is_active`. At least one active admin must remain."""
    _require_admin(actor, member.organization_id)
    with change_set(actor) as changes:
        # All admins are locked, so that two admins who demote each other at once do not both succeed.
        admins = list(
            Member.objects.select_for_update(no_key=True)
            .filter(organization_id=member.organization_id, role=Role.ADMIN, is_active=True)
            .order_by("id")
        )
        row = (
            Member.objects.select_for_update(of=("self",), no_key=True)
            .select_related("user", "organization")
            .get(pk=member.pk)
        )
        before = columns(row)
        for name, value in fields.items():
            setattr(row, name, value)
        stays_admin = row.role == Role.ADMIN and row.is_active
        if not stays_admin and [admin.pk for admin in admins] == [row.pk]:
            raise Conflict("There must be at least one active admin.", code="last_admin")
        _store(row, before, changes)
        bump_catalogue(row.organization_id)
    return row


def change_preferences(*, actor: Actor, change: Mapping[str, Any]) -> Member:
    """Change the language or the time zone in which the member reads; empty stands for the organization's.

    They are the member's own: without a version, an event or an undo.
    """
    actor.require(Permission.VIEW)
    wanted = {name: value or "" for name, value in change.items()}
    refuse_fields(_preference_errors(wanted))
    with write_transaction():
        before_storing()
        row = Member.objects.select_for_update(of=("self",), no_key=True).get(pk=actor.member.pk)
        row.language = wanted.get("language", row.language)
        row.time_zone = wanted.get("time_zone", row.time_zone)
        row.save(update_fields=["language", "time_zone"])
    return row


def _preference_errors(change: Mapping[str, Any]) -> Iterator[FieldError]:
    if change.get("language", "") not in {"", *LANGUAGES}:
        template = "The languages of the pages are %(codes)s."
        yield FieldError("language", "invalid_choice", template, {"codes": ", ".join(LANGUAGES)})
    if change.get("time_zone", "") not in {"", *time_zones()}:
        yield FieldError("time_zone", "invalid_choice", "There is no such time zone.")


def deactivate_member(
    *, actor: Actor, member: Member, hand_over_to: Member | None = None, hand_over_closed: bool = False
) -> int:
    """Deactivate a member and hand over their rows to another one; returns the number of these rows.

    Closed deals keep their owner, so that past results do, unless `hand_over_closed`.
    """
    _require_admin(actor, member.organization_id)
    if hand_over_to is not None:
        refuse_fields(_heir_errors(member, hand_over_to))
    with change_set(actor):
        update_member(actor=actor, member=member, is_active=False)
        if hand_over_to is None:
            return 0
        return sum(give(actor, member, hand_over_to, hand_over_closed) for give in hooks.hand_over)


def _heir_errors(member: Member, heir: Member) -> list[FieldError]:
    if heir.organization_id != member.organization_id or heir.pk == member.pk or not heir.has_access:
        return [FieldError("hand_over_to", "invalid", "Name another active member.")]
    return []


def set_password(*, actor: Actor, member: Member, password: str) -> None:
    """Set the password of a member's login, which ends its sessions.

    Refused if the login belongs to another organization too, which the password would give access to.
    """
    update_login(user=_own_login(actor, member), password=password)


def rename_member(*, actor: Actor, member: Member, full_name: str) -> None:
    """Change the name of a member's login. Refused if it belongs to another organization too, which would see it."""
    update_login(user=_own_login(actor, member), full_name=full_name.strip())


def _own_login(actor: Actor, member: Member) -> User:
    _require_admin(actor, member.organization_id)
    user = User.objects.get(pk=member.user_id)
    elsewhere = Member.objects.filter(user=user).exclude(organization_id=member.organization_id)
    if user.pk != actor.member.user_id and (user.is_superuser or elsewhere.exists()):
        raise Forbidden(
            "This login belongs to other organizations too. Only the person or an operator can change it."
        )
    return user


def create_token(
    *,
    actor: Actor,
    name: str,
    member: Member | None = None,
    scopes: Sequence[str] = ALL_SCOPES,
    expires_at: datetime.datetime | None = None,
    app_code: str = "",
    secret: str = "",
    ends_with_password: bool = False,
) -> tuple[ApiToken, str]:
    """Create a token for the actor or, as an admin, for another member. Returns the token and its secret.

    With `ends_with_password` another password of the login ends it, however it is set.
    """
    member = member or actor.member
    if member.pk != actor.member.pk:
        _require_admin(actor, member.organization_id)
    refuse_fields([*_name_errors(name), *_token_errors(actor, member, scopes, expires_at)])
    secret = secret or TOKEN_PREFIX + secrets.token_urlsafe(32)
    with change_set(actor) as changes:
        token = ApiToken.objects.create(
            organization_id=member.organization_id,
            member=member,
            name=name,
            hint=secret[:8],
            digest=token_digest(secret),
            scopes=sorted(set(scopes), key=ALL_SCOPES.index),
            expires_at=expires_at,
            app_code=app_code,
            password_digest=member.user.get_session_auth_hash() if ends_with_password else "",
        )
        changes.record(token, "created", difference({}, columns(token)))
    return token, secret


def rename_token(*, actor: Actor, token: ApiToken, name: str, if_match: Versions | None = None) -> ApiToken:
    refuse_fields(_name_errors(name))
    before_storing()
    return _update_token(actor, token, if_match, name=name)


def renew_token(
    *, actor: Actor, token: ApiToken, expires_at: datetime.datetime | None = None
) -> tuple[ApiToken, str]:
    """Replace the secret and the expiry of a token. Returns the token and the new secret."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    refuse_fields(_token_errors(actor, token.member, token.scopes, expires_at))
    with change_set(actor):
        row = _update_token(actor, token, hint=secret[:8], expires_at=expires_at)
        if row.revoked_at:
            raise Conflict("This token is revoked.", code="revoked")
        row.digest = token_digest(secret)
        row.save(update_fields=["digest"])
    return row, secret


def revoke_token(*, actor: Actor, token: ApiToken, if_match: Versions | None = None) -> ApiToken:
    """Idempotent: keeps the first revocation time."""
    if token.revoked_at:
        return token
    return _update_token(actor, token, if_match, revoked_at=timezone.now())


def token_digest(secret: str) -> str:
    """The hash that is stored of a secret. With 256 random bits, one SHA-256 is enough, and can be indexed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


_usable_token = Prepared(lambda now, digest: ApiToken.objects.usable(now).filter(digest=digest))


def authenticate_token(secret: str) -> Actor | None:
    """The actor of a bearer token, in one query; None if it is unknown, expired, revoked or of an inactive member."""
    now = timezone.now()
    token = _usable_token.first(now, token_digest(secret))
    if token is None or not _has_its_password(token):
        return None
    _note_use(token, now)
    return Actor(token.member, token)


def _has_its_password(token: ApiToken) -> bool:
    """False for a token of a login whose password has been changed since."""
    if not token.password_digest:
        return True
    user = token.member.user
    valid = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(token.password_digest, digest) for digest in valid)


def _note_use(token: ApiToken, now: datetime.datetime) -> None:
    if token.last_used_at and now - token.last_used_at < LAST_USED_EVERY:
        return
    if was_read_only(within=LAST_USED_EVERY.total_seconds()):
        return
    try:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    except DatabaseError:
        # Busy, full or read-only: the time of the last use is less important than the request.
        return
    token.last_used_at = now


def _name_errors(name: str) -> list[FieldError]:
    return [] if name.strip() else [FieldError("name", "blank", "This may not be blank.")]


def _token_errors(
    actor: Actor, member: Member, scopes: Sequence[str], expires_at: datetime.datetime | None
) -> list[FieldError]:
    """The errors of a new token. A token cannot create one with more scopes or a later expiry than its own."""
    errors = []
    if unknown := set(scopes) - set(ALL_SCOPES):
        errors.append(
            FieldError(
                "scopes",
                "invalid_choice",
                "Unknown scopes: %(scopes)s.",
                {"scopes": ", ".join(sorted(unknown))},
            )
        )
    if not scopes:
        errors.append(FieldError("scopes", "required", "Name at least one scope."))
    if not member.has_access:
        errors.append(FieldError("member", "inactive", "This member is deactivated."))
    if expires_at and expires_at <= timezone.now():
        errors.append(FieldError("expires_at", "past", "This time is in the past."))
    own = actor.token
    if own and not set(scopes) <= set(own.scopes):
        errors.append(
            FieldError("scopes", "wider", "A token cannot create a token with more scopes than its own.")
        )
    if own and own.expires_at and (expires_at is None or expires_at > own.expires_at):
        errors.append(
            FieldError("expires_at", "wider", "A token cannot create a token that expires later than itself.")
        )
    return errors


def _update_token(actor: Actor, token: ApiToken, if_match: Versions | None = None, **fields: Any) -> ApiToken:
    if token.member_id != actor.member.pk:
        _require_admin(actor, token.organization_id)
    own = actor.token
    if own and own.pk != token.pk and not set(ALL_SCOPES) <= set(own.scopes):
        scopes = " ".join(ALL_SCOPES)
        raise Forbidden(
            "A token changes itself alone, unless it has all scopes: %(scopes)s.",
            {"scopes": scopes},
            required=scopes,
        )
    with change_set(actor) as changes:
        row: ApiToken = (
            ApiToken.objects.select_for_update(of=("self",), no_key=True)
            .select_related("member__user")
            .get(pk=token.pk)
        )
        require(row, if_match)
        before = columns(row)
        for name, value in fields.items():
            setattr(row, name, value)
        _store(row, before, changes)
    return row


def _store(row: Organization | Member | ApiToken, before: dict[str, Any], changes: ChangeSet) -> None:
    changed = difference(before, columns(row))
    if not changed:
        return
    row.version += 1
    touched = [*changed, "version"]
    if not isinstance(row, ApiToken):
        row.updated_at = timezone.now()
        touched.append("updated_at")
    row.save(update_fields=touched)
    changes.record(row, "updated", changed)


def _require_admin(actor: Actor | None, organization_id: int) -> None:
    if actor is None:
        return
    actor.require(Permission.ADMINISTER)
    if actor.organization_id != organization_id:
        raise Invalid("This row belongs to another organization.")
