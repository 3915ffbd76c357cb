"""Sending: one connection for many messages; each is marked as soon as the server has accepted it."""

import datetime
import logging
import smtplib
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import InterfaceError, OperationalError
from django.db import connection as database
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm_project.emails import ascii_email
from crm_project.mail.models import Message
from crm_project.mail.smtp import CONNECTION_SECONDS
from crm_project.mail.templates import TEMPLATES, Text, hooks, one_line
from crm_project.write_queue import write_transaction

log = logging.getLogger(__name__)

# The claim of a task that was lost ends by itself; it outlives the connection.
CLAIM = datetime.timedelta(seconds=CONNECTION_SECONDS + 15)
# How often, and at which interval in seconds, the mark of a sent message is stored.
MARK_ATTEMPTS, MARK_PAUSE = 30, 1.0
ERROR_LENGTH = 500
# Stored; the admin translates it.
EXPIRED = gettext_noop("It could not be sent in time.")
# The server closes the connection.
CLOSING = 421

Ready = tuple[Message, Text]


class StillWaiting(Exception):
    """Some messages have to wait for another attempt. Its text, which is stored with the task, holds no address."""


class Refused(Exception):
    """The server does not accept this message; `for_good` if it will not later either."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.for_good = for_good


def deliver(ids: Sequence[int], *, claimant: str, is_last: bool = False) -> None:
    """Send those of the messages that wait; raises StillWaiting if some must wait longer.

    `claimant` is the id of the task: its next attempt may send what one that has died had begun. At the last attempt
    messages are given up. What has failed before comes last, so that a message at which the server hangs up does not
    keep the others waiting.
    """
    waiting = Message.objects.waiting().filter(pk__in=ids).order_by("attempts", "pk")
    ready = [(message, text) for message in waiting if (text := _text(message)) is not None]
    if ready:
        _send_all(ready, claimant)
    left = list(Message.objects.waiting().filter(pk__in=ids))
    for message in left if is_last else ():
        _give_up(message, error=message.error)
    if left:
        raise StillWaiting(f"{len(left)} of {len(ids)} messages were not sent.")


def revive(ids: Sequence[int]) -> None:
    """Let messages that were given up wait again."""
    given_up = Message.objects.filter(pk__in=ids, sent_at=None).exclude(failed_at=None)
    if given_up.exists():
        with write_transaction():
            given_up.update(failed_at=None, attempts=0)


def _text(message: Message) -> Text | None:
    """The text to send; a message that is too late is given up, one that has lost its reason is deleted."""
    if message.expires_at and message.expires_at < timezone.now():
        _give_up(message, error=EXPIRED)
        return None
    with hooks.read_by_recipient(message):
        text = TEMPLATES[message.template].render(message)
    if text is None:
        Message.objects.filter(pk=message.pk).delete()
    return text


def _send_all(ready: Sequence[Ready], claimant: str) -> None:
    """The connection ends at the first failure that is not of one message, and at its deadline."""
    ends = time.monotonic() + CONNECTION_SECONDS
    connection = get_connection()
    try:
        try:
            connection.open()
        except OSError as error:
            for message, _ in ready:
                if _claim(message, claimant):
                    _mark(message, error=_reason(error))
            return
        for message, text in ready:
            if time.monotonic() > ends:
                return
            if _claim(message, claimant) and not _send(connection, message, text):
                return
    finally:
        with suppress(OSError):
            connection.close()


def _send(connection: Any, message: Message, text: Text) -> bool:
    """Send one message; returns whether the connection can be used for another one."""
    try:
        _hand_over(connection, message, text)
    except Refused as refusal:
        end = _give_up if refusal.for_good else _mark
        end(message, error=str(refusal))
        return True
    except OSError as error:
        _mark(message, error=_reason(error))
        return False
    _mark_as_sent(message)
    return True


def _hand_over(connection: Any, message: Message, text: Text) -> None:
    """Raises Refused, or an OSError where the server accepts no message at all (SMTPException is one)."""
    host = urlsplit(settings.PUBLIC_URL).hostname
    headers = {"Message-ID": f"<{message.uuid}@{host}>", "Auto-Submitted": "auto-generated"}
    mail = EmailMessage(text.subject, text.body, to=[ascii_email(message.recipient)], headers=headers)
    try:
        connection.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        _refuse(*next(iter(error.recipients.values())))
    except smtplib.SMTPDataError as error:
        _refuse(error.smtp_code, error.smtp_error)
    except ValueError as error:
        # An address that cannot be written in a header.
        raise Refused(str(error), for_good=True) from None


def _refuse(code: int, answer: bytes | str) -> None:
    if code == CLOSING:
        raise smtplib.SMTPServerDisconnected(_answer(code, answer))
    raise Refused(_answer(code, answer), for_good=500 <= code < 600)


def _reason(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    return f"{type(error).__name__}: {error}"


def _answer(code: int, answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return f"{code} {text}"


def _claim(message: Message, claimant: str) -> bool:
    """Count an attempt, unless another task is sending the message, or another process has begun since it was read.

    A claim that ends far ahead was made by a clock that was wrong.
    """
    now = timezone.now()
    is_over = Q(claimed_until__lt=now) | Q(claimed_until__gt=now + 2 * CLAIM)
    rows = Message.objects.waiting().filter(Q(claimed_by__in=["", claimant]) | is_over, pk=message.pk)
    with write_transaction():
        mine = rows.filter(attempts=message.attempts)
        return bool(mine.update(claimed_by=claimant, claimed_until=now + CLAIM, attempts=F("attempts") + 1))


def _mark_as_sent(message: Message) -> None:
    """Wait for a database that is away: a message that is not marked would be sent again."""
    sent_at = timezone.now()
    for _ in range(MARK_ATTEMPTS):
        try:
            return _mark(message, sent_at=sent_at, error="")
        except (OperationalError, InterfaceError):
            log.warning("message %s is sent; the mark waits for the database", message.uuid)
            if not database.in_atomic_block:
                database.close_if_unusable_or_obsolete()
            time.sleep(MARK_PAUSE)
    return _mark(message, sent_at=sent_at, error="")


def _give_up(message: Message, *, error: str) -> None:
    log.warning("message %s is given up", message.uuid)
    _mark(message, failed_at=timezone.now(), error=error)


def _mark(message: Message, *, error: str, **fields: Any) -> None:
    with write_transaction():
        Message.objects.filter(pk=message.pk).update(
            claimed_by="", claimed_until=None, error=one_line(error)[:ERROR_LENGTH], **fields
        )
