"""`Prefer: wait`: a request that starts a job waits for its end, and keeps nobody else waiting."""

import threading
import time

import pytest
from django.test import RequestFactory, override_settings

from crm_project.accounts.services import create_token
from crm_project.api.preferences import LONGEST_WAIT, Waiters, preferred_wait, wait_for
from tests.base import World
from tests.server import gunicorn, until
from tests.test_server import own_url

ROWS = "name,amount\nOne,10\nTwo,20\n"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=10", 10),
        ("respond-async, wait=10", 10),
        ('Wait = "7" ; x=1', 7),
        ("wait=100000", LONGEST_WAIT),
        ("wait=0", 0),
        ("wait=3, wait=9", 3),
        ("wait", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=٣", None),
        ("waiting=3", None),
        ("", None),
    ],
)
def test_the_preference(header, seconds):
    assert preferred_wait(RequestFactory().get("/", headers={"Prefer": header})) == seconds


@pytest.mark.django_db
def test_it_looks_until_there_is_something_or_the_time_is_over():
    looks = iter([None, None, "found"])
    assert wait_for(lambda: next(looks), 5) == "found"

    began = time.monotonic()
    assert wait_for(lambda: None, 0.2) is None
    assert 0.2 <= time.monotonic() - began < 2


@override_settings(WAITING_REQUESTS=2)
def test_the_requests_that_wait_are_bounded():
    waiters = Waiters()
    with waiters.place() as first, waiters.place() as second, waiters.place() as third:
        assert (first, second, third) == (True, True, False)
    with waiters.place() as again:
        assert again


class Importer:
    """Uploads files to a server and starts their jobs."""

    def __init__(self, server):
        self.server = server

    def upload(self):
        answer = self.server.ask(
            "POST", "/api/imports", {"kind": "deals", "file_name": "deals.csv", "content": ROWS}
        )
        assert answer.status == 201, answer.body
        return f"/api/imports/{answer.json()['uuid']}"

    def start(self, source, task, wait="", **headers):
        preference = {"Prefer": f"wait={wait}"} if wait else {}
        return self.server.ask("POST", f"{source}/{task}", **preference, **headers)


@pytest.fixture
def secret(transactional_db):
    return create_token(actor=World().bob, name="importer")[1]


@pytest.mark.race
def test_a_job_that_ends_in_time_is_answered_with_its_end(secret):
    with gunicorn(own_url(), secret=secret) as server:
        importer = Importer(server)
        source = importer.upload()

        for task, state in (("preview", "previewed"), ("run", "done"), ("undo", "undone")):
            ended = importer.start(source, task, wait="20")
            assert (ended.status, ended.json()["state"]) == (200, state)
            assert ended.headers["Preference-Applied"] == "wait=20"
            assert ended.json() == server.ask("GET", source).json()

        key = {"Idempotency_Key": "once"}
        first = importer.start(importer.upload(), "run", wait="20", **key)
        assert first.status == 200


@pytest.mark.race
def test_a_job_that_does_not_end_is_answered_202(secret):
    with gunicorn(own_url(), secret=secret, TASK_WORKER="command", WEB_THREADS="4") as server:
        importer = Importer(server)
        at_once = importer.start(importer.upload(), "preview")
        assert at_once.status == 202
        assert at_once.headers["Location"].endswith(f"/api/imports/{at_once.json()['uuid']}")
        assert int(at_once.headers["Retry-After"]) >= 1

        one, other, answers = importer.upload(), importer.upload(), []
        waiting = threading.Thread(target=lambda: answers.append(importer.start(one, "preview", wait="3")))
        waiting.start()
        until(lambda: server.ask("GET", one).json()["state"] == "queued", 3)

        # A quarter of the threads may wait; others are not kept waiting, nor are writes and those of the same row.
        crowded = importer.start(other, "preview", wait="3")
        written = server.ask("POST", "/api/deals", {"name": "Meanwhile"})
        busy = server.ask("DELETE", one)
        still_waiting = not answers
        waiting.join()

        assert still_waiting
        assert (crowded.status, written.status, busy.status) == (202, 201, 409)
        assert busy.json()["code"] == "import_busy"
        [late] = answers
        assert late.status == 202
        assert late.seconds >= 3
        assert "Preference-Applied" not in {**late.headers, **crowded.headers}
        assert late.headers["Location"]


@pytest.mark.race
def test_a_retry_gets_the_first_answer_of_the_job(secret):
    with gunicorn(own_url(), secret=secret, TASK_WORKER="command") as server:
        importer = Importer(server)
        source, key = importer.upload(), {"Idempotency_Key": "once"}
        first = importer.start(source, "preview", **key)
        again = importer.start(source, "preview", wait="5", **key)

        assert (again.status, again.body) == (202, first.body)
        for name in ("Location", "Retry-After"):
            assert again.headers[name] == first.headers[name]
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.seconds < 5
