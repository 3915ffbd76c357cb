"""Services of mail: queueing, sending again, and forgetting an address."""

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone

from crm_project.errors import Conflict
from crm_project.mail.delivery import revive
from crm_project.mail.models import Message
from crm_project.mail.tasks import send_messages
from crm_project.write_queue import write_transaction

# Messages of one task, which are sent over one connection.
BATCH = 50
KEEP = datetime.timedelta(days=14)
# Their mails do not leave the machine.
WITHOUT_SERVER = (
    "django.core.mail.backends.console.EmailBackend",
    "django.core.mail.backends.dummy.EmailBackend",
)


def has_mail_server() -> bool:
    """Whether EMAIL_URL names one. Without it mails are written to the log, where no secret may stand."""
    return settings.EMAIL_BACKEND not in WITHOUT_SERVER


def queue_messages(
    *,
    template: str,
    recipients: Iterable[tuple[str, dict[str, Any]]],
    organization_id: int | None = None,
    expires_at: datetime.datetime | None = None,
) -> None:
    """Store a message for each (address, parameters), and the tasks that send them, in the caller's transaction."""
    with write_transaction():
        messages = Message.objects.bulk_create(
            Message(
                organization_id=organization_id,
                recipient=address,
                template=template,
                parameters=parameters,
                expires_at=expires_at,
            )
            for address, parameters in recipients
        )
        _enqueue([message.pk for message in messages])


def send_again(*, messages: Sequence[Message]) -> None:
    """Queue messages that were given up, or whose task is lost, once more."""
    ids = [message.pk for message in messages]
    with write_transaction():
        rows = Message.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids).order_by("pk")
        for row in rows:
            if row.sent_at:
                raise Conflict("This message has been sent.", code="already_sent")
            if row.expires_at and row.expires_at < timezone.now():
                raise Conflict("The link of this message has ended.", code="link_ended")
        revive(ids)
        _enqueue(ids)


def forget_address(*, organization_id: int, address: str) -> None:
    """Delete the organization's messages to an address whose owner is erased, sent or not."""
    if address:
        Message.objects.filter(organization_id=organization_id).to(address).delete()


def old_messages(now: datetime.datetime) -> Any:
    return Message.objects.older_than(now - KEEP)


def _enqueue(ids: Sequence[int]) -> None:
    for start in range(0, len(ids), BATCH):
        send_messages.enqueue(list(ids[start : start + BATCH]))
