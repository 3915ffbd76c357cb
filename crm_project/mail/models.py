"""A message to be sent, or that has been sent."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_project.mail.querysets import MessageQuerySet
from crm_project.mail.templates import TEMPLATES


class Message(models.Model):
    """A message to one recipient. It holds no text: its template reads the rows when it is sent.

    The text is therefore current, is not sent to a recipient who has lost access meanwhile, and leaves neither the
    secret of a link nor personal data of a contact in the table. The uuid is the Message-ID, the same at every attempt.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # None for a message to a login, such as the reset of a password.
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="+", null=True, db_index=False
    )
    recipient = models.EmailField(max_length=254)
    template = models.CharField(max_length=63)
    # Ids of rows, by the names that the template gives them.
    parameters = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    # Not sent after this time.
    expires_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # The task that sends it, and until when no other one does.
    claimed_by = models.CharField(max_length=64, blank=True)
    claimed_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    # The time at which it was given up.
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="mail_message_newest"),
            models.Index(fields=["created_at"], name="mail_message_created_at"),
            models.Index(fields=["recipient"], name="mail_message_recipient"),
        ]

    def __str__(self) -> str:
        return _("%(message)s to %(recipient)s") % {"message": self.label, "recipient": self.recipient}

    @property
    def label(self) -> str:
        """What the message is, for lists."""
        template = TEMPLATES.get(self.template)
        return str(template.label) if template else self.template

    @property
    def state(self) -> str:
        if self.sent_at:
            return "sent"
        return "given up" if self.failed_at else "waiting"
