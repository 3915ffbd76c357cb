"""Writes of webhooks: create, change, rotate the secret, trash, restore; test, resend and replay."""

import base64
import datetime
import secrets
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member, Organization
from crm_project.accounts.rules import Permission, permissions
from crm_project.changes import before_storing, change_set
from crm_project.encryption import encrypt, reencrypt
from crm_project.errors import Conflict, FieldError, NotFound, refuse_fields
from crm_project.journal.feed import end_of
from crm_project.journal.models import Event
from crm_project.outbound import url_error
from crm_project.records.locks import for_update
from crm_project.records.writing import store
from crm_project.records.writing.columns import Change, inactive, missing, set_columns
from crm_project.records.writing.reference_data import locked, trashed
from crm_project.records.writing.store import Draft
from crm_project.versions import Versions
from crm_project.webhooks.formats import OWN, TEST_TYPE, formats
from crm_project.webhooks.mails import inform_of_pause
from crm_project.webhooks.models import Webhook, WebhookDelivery, WebhookState
from crm_project.webhooks.rules import known_events, known_fields

COLUMNS = ("url", "description", "skip_own", "is_active")
LISTS = ("events", "fields")
SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32
States = WebhookDelivery.States


def create_webhook(*, actor: Actor, change: Change) -> tuple[Webhook, str]:
    """Create a webhook that gets the events from now on. Returns it and its secret."""
    actor.require(Permission.ADMINISTER)
    secret = _new_secret()
    with change_set(actor) as changes:
        row = Webhook(
            organization_id=actor.organization_id,
            member=actor.member,
            manager=actor.member,
            token_uuid=actor.token.uuid if actor.token else None,
            secret=encrypt(secret),
        )
        _apply(actor, row, change)
        draft = Draft(row)
        store.insert([draft], now=timezone.now())
        _, last = end_of(actor.organization)
        WebhookState.objects.create(webhook=row, organization_id=row.organization_id, position=last)
        store.record(changes, [draft], "created")
    return row, secret


def update_webhook(*, actor: Actor, webhook: Webhook, change: Change) -> Webhook:
    """Change a webhook. To activate a paused one makes the actor its manager; it goes on where it stopped."""
    actor.require(Permission.ADMINISTER)
    with change_set(actor) as changes:
        row: Webhook = locked(Webhook, actor, webhook.pk, change.get("if_match"))
        draft = Draft.of(row)
        was_active = row.is_active
        _apply(actor, row, change)
        if row.is_active and not was_active:
            row.manager, row.paused_reason = actor.member, ""
            _forget_failures(row)
        store.record(changes, store.update([draft], now=timezone.now()), "updated")
    return row


def rotate_secret(*, actor: Actor, webhook: Webhook, if_match: Versions | None = None) -> tuple[Webhook, str]:
    """Replace the secret. For WEBHOOK_ROTATION_HOURS both sign, so that the receiver can change at leisure."""
    actor.require(Permission.ADMINISTER)
    secret, now = _new_secret(), timezone.now()
    with change_set(actor) as changes:
        row: Webhook = locked(Webhook, actor, webhook.pk, if_match)
        draft = Draft.of(row)
        row.previous_secret, row.secret = row.secret, encrypt(secret)
        row.previous_secret_until = now + datetime.timedelta(hours=settings.WEBHOOK_ROTATION_HOURS)
        row.rotated_at = now
        store.record(changes, store.update([draft], now=now), "updated")
    return row, secret


def trash_webhook(*, actor: Actor, webhook: Webhook, if_match: Versions | None = None) -> None:
    """Move a webhook to the trash: nothing is sent any more."""
    actor.require(Permission.ADMINISTER)
    with change_set(actor) as changes:
        draft = Draft.of(locked(Webhook, actor, webhook.pk, if_match))
        draft.row.deleted_at = timezone.now()
        store.record(changes, store.update([draft], now=draft.row.deleted_at), "trashed")


def restore_webhook(*, actor: Actor, webhook: Webhook, if_match: Versions | None = None) -> Webhook:
    """Restore a webhook, which goes on where it stopped."""
    actor.require(Permission.ADMINISTER)
    with change_set(actor) as changes:
        row: Webhook = trashed(Webhook, actor, webhook.pk, if_match)
        draft = Draft.of(row)
        row.deleted_at = None
        store.record(changes, store.update([draft], now=timezone.now()), "restored")
    return row


def send_test(*, actor: Actor, webhook: Webhook) -> WebhookDelivery:
    """Have a test message sent by the dispatcher, also to a paused endpoint."""
    row = _visible(actor, webhook)
    now = timezone.now()
    delivery: WebhookDelivery = WebhookDelivery.objects.create(
        organization_id=row.organization_id,
        webhook=row,
        type=TEST_TYPE,
        by_hand=True,
        created_at=now,
        next_attempt_at=now,
    )
    return delivery


def resend(*, actor: Actor, delivery: WebhookDelivery) -> WebhookDelivery:
    """Have a delivery sent once more, with the same bytes. One that is still tried is tried at once."""
    _visible(actor, delivery.webhook)
    row: WebhookDelivery | None = for_update(WebhookDelivery.objects.filter(pk=delivery.pk)).first()
    if row is None:
        raise NotFound
    row.by_hand = row.by_hand or row.state != States.PENDING
    row.state, row.next_attempt_at = States.PENDING, timezone.now()
    row.save(update_fields=["state", "by_hand", "next_attempt_at"])
    return row


def replay(
    *,
    actor: Actor,
    webhook: Webhook,
    since: int | None = None,
    start: datetime.datetime | None = None,
    end: datetime.datetime | None = None,
) -> WebhookState:
    """Send events again: all after the position `since` or from an instant on, or those between two instants.

    Without an end the position of the webhook is set, so that later events wait; a range is sent beside it, each
    event once.
    """
    row = _visible(actor, webhook)
    epoch, epoch_end = end_of(row.organization)
    refuse_fields(_replay_errors(since, start, end))
    if since is not None and since > epoch_end:
        beyond = FieldError("since", "position_unknown", "The feed ends at %(last)s.", {"last": epoch_end})
        raise Conflict(
            beyond.template,
            beyond.params,
            code=beyond.code,
            fields=[beyond],
            epoch=str(epoch),
            last=epoch_end,
        )
    first = since or 0 if start is None else _last_before(row.organization, start)
    state: WebhookState = WebhookState.objects.select_for_update().get(webhook=row)
    if end is not None:
        state.replay_position = first
        state.replay_until = min(_last_before(row.organization, end), state.position)
    else:
        state.position = first
        state.replay_position = state.replay_until = state.not_before = None
        later = WebhookDelivery.objects.filter(webhook=row, sequence__gt=first).blocking()
        later.update(
            state=States.FAILED,
            holds=False,
            next_attempt_at=None,
            error=gettext_noop("Replaced by a replay."),
        )
    # The dispatcher that serves it now stops and claims it again.
    state.lease, state.leased_until = uuid.uuid4(), None
    state.save()
    return state


def pause(webhook: Webhook, reason: str) -> None:
    """Deactivate an endpoint that cannot be served, and inform its manager."""
    with change_set(None) as changes:
        row = for_update(Webhook.objects.filter(pk=webhook.pk, is_active=True)).first()
        if row is None:
            return
        draft = Draft.of(row)
        row.is_active, row.paused_reason = False, reason
        store.record(changes, store.update([draft], now=timezone.now()), "updated")
        inform_of_pause(row)


def reencrypt_secrets() -> int:
    """Encrypt the secrets of all webhooks with the present SECRET_KEY; returns their number."""
    with change_set(None):
        rows = list(for_update(Webhook.objects.all()))
        for row in rows:
            row.secret = reencrypt(row.secret)
            row.previous_secret = reencrypt(row.previous_secret) if row.previous_secret else ""
            row.save(update_fields=["secret", "previous_secret"])
    return len(rows)


def may_be_served(webhook: Webhook) -> bool:
    """Whether its member has access, and its manager still is an admin."""
    manager = webhook.manager
    is_admin = manager.has_access and Permission.ADMINISTER in permissions(manager.role)
    return is_admin and webhook.member.has_access


def _visible(actor: Actor, webhook: Webhook) -> Webhook:
    actor.require(Permission.ADMINISTER)
    row: Webhook | None = Webhook.objects.visible_to(actor.member).filter(pk=webhook.pk).first()
    if row is None:
        raise NotFound
    before_storing()
    return row


def _apply(actor: Actor, row: Webhook, change: Change) -> None:
    errors = set_columns(row, change, COLUMNS)
    for name in LISTS:
        if name in change:
            setattr(row, name, list(dict.fromkeys(change[name] or [])))
    if "format" in change:
        row.format = change["format"] or OWN
    errors += _member_errors(actor, row, change)
    if "url" in change or row.pk is None:
        errors += [error for error in [url_error(row.url)] if error]
    refuse_fields([*errors, *_choice_errors(row)])


def _member_errors(actor: Actor, row: Webhook, change: Change) -> list[FieldError]:
    key = change.get("member")
    if key is None:
        return []
    column = "pk" if isinstance(key, int) else "uuid"
    member = Member.objects.visible_to(actor.member).select_related("user").filter(**{column: key}).first()
    if member is None:
        return [missing("member")]
    if not member.has_access:
        return [inactive("member")]
    row.member = member
    return []


def _choice_errors(row: Webhook) -> list[FieldError]:
    errors = []
    if not row.events:
        errors.append(FieldError("events", "required", "Name at least one type of event, or *."))
    if unknown := sorted(set(row.events) - set(known_events())):
        params = {"names": ", ".join(unknown)}
        errors.append(FieldError("events", "invalid_choice", "Unknown types of events: %(names)s.", params))
    known = known_fields(row.events)
    unknown = [name for name in row.fields if name.partition(".")[0] not in known]
    if unknown and not errors:
        params = {"names": ", ".join(sorted(unknown))}
        errors.append(
            FieldError("fields", "invalid_choice", "Rows of these events have no field: %(names)s.", params)
        )
    if row.format not in formats:
        params = {"names": ", ".join(formats)}
        errors.append(FieldError("format", "invalid_choice", "Must be one of: %(names)s.", params))
    return errors


def _replay_errors(
    since: int | None, start: datetime.datetime | None, end: datetime.datetime | None
) -> Sequence[FieldError]:
    if (since is None) == (start is None):
        return [
            FieldError("since", "required", "Name either a position in `since`, or an instant in `from`.")
        ]
    if since is not None and end is not None:
        return [FieldError("to", "conflict", "An end belongs to a beginning in `from`.")]
    if start is not None and end is not None and end <= start:
        return [FieldError("to", "invalid", "The end must be later than the beginning.")]
    return []


def _last_before(organization: Organization, instant: datetime.datetime) -> int:
    """The number of the last event before an instant, by bisection: numbers and times have nearly the same order."""
    events = Event.objects.of(organization.pk).order_by("sequence")
    low, high = 0, end_of(organization)[1]
    while low < high:
        middle = (low + high + 1) // 2
        event = events.filter(sequence__gte=middle).first()
        if event is not None and event.at < instant:
            low = max(middle, event.sequence)
        else:
            high = middle - 1
    return low


def _forget_failures(row: Webhook) -> None:
    WebhookState.objects.filter(webhook=row).update(
        failures=0, failing_since=None, not_before=None, is_slow=False
    )


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
