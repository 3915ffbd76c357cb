"""Readers of notifications: what a member has been notified of, in words that a test can compare."""

from typing import Any

from django.core import mail

from crm_project.notifications.models import Notification
from crm_project.notifications.presenting import present
from crm_project.notifications.reading import read_feeds
from crm_project.notifications.services import change_settings
from tests.base import BaseTestCase
from tests.tasks import run_tasks

EVERYTHING = {kind: {"bell": True, "mail": True} for kind in Notification.Kinds.values}


def read_all() -> None:
    """What the loop of a worker does, until nothing is left."""
    while read_feeds():
        pass


class NotificationTestCase(BaseTestCase):
    """What happened before the test is read; Bob has every switch on."""

    def setUp(self) -> None:
        super().setUp()
        change_settings(actor=self.bob, change=EVERYTHING)
        self.read()
        Notification.objects.all().delete()
        mail.outbox.clear()

    def read(self) -> None:
        read_all()
        run_tasks()

    def of(self, actor: Any) -> list[tuple[str, str]]:
        """(kind, name of the row) of the visible notifications, the oldest first."""
        rows = Notification.objects.visible_to(actor.member).order_by("pk")
        return [(one.notification.kind, one.name) for one in present(rows, actor.member)]

    def mails_to(self, actor: Any) -> list[Any]:
        return [message for message in mail.outbox if message.to == [actor.member.email]]
