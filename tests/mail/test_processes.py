"""Mail by worker processes: what one that was killed had begun is sent by another, each message once."""

import pytest

from crm_project.mail.models import Message
from tests.base import World
from tests.mail.server import mail_server
from tests.server import until
from tests.tasks import SECONDS, worker, workers

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_a_worker_that_is_killed_between_two_messages():
    world = World()
    members = [actor.member.pk for actor in (world.alice, world.manager, world.viewer)]
    world.deal(name="Shared", is_private=True, access_list=members, notify_access_list=True)
    with mail_server() as server:
        mail_url = f"smtp://127.0.0.1:{server.port}"
        server.answers = {"mary@example.com": "wait"}
        killed = worker(EMAIL_URL=mail_url)
        until(lambda: server.waiting, SECONDS)

        killed.kill()
        killed.wait(SECONDS)
        assert server.recipients == ["alice@example.com"]
        assert Message.objects.exclude(sent_at=None).get().recipient == "alice@example.com"
        server.answers = {}
        with workers(2, EMAIL_URL=mail_url):
            until(lambda: not Message.objects.waiting().exists(), SECONDS)

    assert sorted(server.recipients) == ["alice@example.com", "mary@example.com", "victor@example.com"]
    assert not Message.objects.filter(sent_at=None).exists()
