"""Querysets of mail: `Message.objects.visible_to(member)`, `Message.objects.waiting()`."""

import datetime
from typing import Any, Self

from django.db import models

from crm_project.emails import fold_email


class MessageQuerySet(models.QuerySet[Any]):
    def visible_to(self, member: Any) -> Self:
        """The messages of the organization, for an admin."""
        own = self.filter(organization_id=member.organization_id)
        return own if member.role == "admin" else own.none()

    def visible_to_operators(self) -> Self:
        """The messages of no organization, such as those to reset a password."""
        return self.filter(organization=None)

    def waiting(self) -> Self:
        """Neither sent nor given up."""
        return self.filter(sent_at=None, failed_at=None)

    def to(self, address: str) -> Self:
        return self.filter(recipient=fold_email(address))

    def older_than(self, before: datetime.datetime) -> Self:
        return self.filter(created_at__lt=before)
