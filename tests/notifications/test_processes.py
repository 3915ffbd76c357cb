"""Worker processes that race and are killed: each happening is notified of and mailed once."""

import threading

import pytest
from django.core import mail
from django.db import connection
from django.test import override_settings

from crm_project.mail.models import Message
from crm_project.notifications import storing
from crm_project.notifications.models import Notification, NotificationPosition
from crm_project.notifications.reading import read_clock, read_on
from crm_project.notifications.services import change_settings
from tests.api.client import ApiClient
from tests.base import World
from tests.mail.server import mail_server, no_server, silent_server
from tests.notifications.base import EVERYTHING, read_all
from tests.notifications.test_due import MINUTE, NOON
from tests.server import until
from tests.tasks import SECONDS, run_tasks, worker, workers

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
DEALS = 40


class Killed(BaseException):
    """Stands for the end of a process in the middle of a transaction."""


@pytest.fixture
def world():
    made = World()
    change_settings(actor=made.bob, change=EVERYTHING)
    read_all()
    run_tasks()
    Notification.objects.all().delete()
    mail.outbox.clear()
    return made


def handed(world, number=DEALS):
    for index in range(number):
        world.deal(world.alice, name=f"Deal {index}", owner=world.bob.member.pk)


def at_once(*calls):
    """Each in a thread with a connection of its own, which begin together."""
    barrier, failures = threading.Barrier(len(calls)), []

    def run(call):
        try:
            barrier.wait()
            call()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert failures == []


def test_two_readers_of_the_same_events(world):
    handed(world)

    at_once(*[lambda: read_on(world.organization)] * 4)

    rows = Notification.objects.filter(member=world.bob.member)
    assert rows.count() == DEALS == rows.values("row_id").distinct().count()
    [message] = Message.objects.filter(template="notification")
    assert len(message.parameters["notifications"]) == DEALS


def test_two_readers_of_the_clock(world):
    deal = world.deal(world.bob, name="Roof")
    for number in range(DEALS):
        world.activity(
            world.bob,
            type="task",
            subject=f"Call {number}",
            deal=deal.pk,
            owner=world.bob.member.pk,
            due_at=NOON + MINUTE,
        )
    NotificationPosition.objects.update(due_until=NOON, due_day=NOON.date())

    at_once(*[lambda: read_clock(world.organization, NOON + MINUTE)] * 4)

    rows = Notification.objects.filter(kind="activity_due")
    assert rows.count() == DEALS == rows.values("key").distinct().count()


def test_a_reader_that_dies_before_its_commit(world, monkeypatch):
    """The rows are rolled back with the position, and the next reader begins where this one did."""
    handed(world, 3)
    queue = storing.queue_messages

    def die(**arguments):
        queue(**arguments)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(storing, "queue_messages", die)
        with pytest.raises(Killed):
            read_on(world.organization)
    assert not Notification.objects.exists()
    assert not Message.objects.filter(template="notification").exists()

    read_on(world.organization)
    run_tasks()

    assert Notification.objects.filter(member=world.bob.member).count() == 3
    assert len([message for message in mail.outbox if message.to == ["bob@example.com"]]) == 1


@pytest.mark.slow
def test_worker_processes_of_which_one_is_killed(world):
    with mail_server() as server:
        mail_url = f"smtp://127.0.0.1:{server.port}"
        killed = worker(EMAIL_URL=mail_url)
        try:
            handed(world)
        finally:
            killed.kill()
            killed.wait(SECONDS)
        with workers(2, EMAIL_URL=mail_url):
            until(lambda: Notification.objects.filter(member=world.bob.member).count() >= DEALS, SECONDS)
            until(lambda: not Message.objects.waiting().exists(), SECONDS)

    assert Notification.objects.filter(member=world.bob.member).count() == DEALS
    named = [number for row in Message.objects.all() for number in row.parameters["notifications"]]
    assert len(named) == len(set(named)) == DEALS
    assert len(server.recipients) == Message.objects.count()


@pytest.mark.parametrize("server", [no_server, silent_server])
def test_a_mail_server_that_is_down_or_silent_costs_no_request(world, server):
    """The request, the reading and the bell go on; the mail waits."""
    with server(), override_settings(EMAIL_TIMEOUT=1):
        deal = world.deal(world.alice, name="Roof")
        owner = {"owner_uuid": str(world.bob.member.uuid)}
        answer = ApiClient(world.alice).patch(f"/api/deals/{deal.uuid}", owner)
        read_all()
        listed = ApiClient(world.bob).rows("/api/notifications?unread=true")
        run_tasks(failing=True)

    assert answer.status_code == 200
    assert [row["row"]["name"] for row in listed] == ["Roof"]
    message = Message.objects.get(template="notification")
    assert (message.state, message.attempts) == ("waiting", 1)
