"""The server of production as a process: its own refusals, its logs, and restarts without a gap."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from django.db import connection

from crm_project.accounts.services import create_token
from tests.base import World
from tests.pgbouncer import url_of
from tests.server import gunicorn, until

pytestmark = [pytest.mark.django_db(transaction=True)]
PROBLEM = "application/problem+json"


@pytest.fixture
def world():
    world = World()
    _, world.secret = create_token(actor=world.bob, name="server")
    return world


def own_url():
    if connection.vendor == "postgresql":
        return url_of(connection.settings_dict)
    return f"sqlite:///{connection.settings_dict['NAME']}"


def refusal(answer, status, code):
    """A raw answer as a problem."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    problem = json.loads(body)
    assert first.split()[1] == str(status)
    assert headers["Content-Type"] == PROBLEM
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == headers["X-Request-ID"]
    return problem


@pytest.mark.slow
def test_what_gunicorn_refuses_is_a_problem_with_an_id_that_the_log_holds(world):
    with gunicorn(own_url(), LOG_FORMAT="json") as server:
        long = refusal(
            server.raw(b"GET /api/" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"), 414, "uri_too_long"
        )
        many = b"".join(b"H%d: x\r\n" % n for n in range(200))
        refusal(server.raw(b"GET /api/me HTTP/1.1\r\n" + many + b"\r\n"), 431, "headers_too_large")
        refusal(server.raw(b"nonsense secret-canary\r\n\r\n"), 400, "invalid")
        lengths = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"
        refusal(
            server.raw(b"POST /api/deals HTTP/1.1\r\nHost: a\r\n" + lengths + b"\r\n0\r\n\r\n"),
            400,
            "invalid",
        )
        until(lambda: any(long["request_id"] in line for line in server.lines()), 5)

        text = server.log.read_text()

    assert "secret-canary" not in text
    written = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert {"LimitRequestLine", "LimitRequestHeaders"} <= {line.get("refused") for line in written}


@pytest.mark.slow
def test_each_answer_has_its_line_and_a_path_forges_none(world):
    with gunicorn(own_url(), secret=world.secret) as server:
        answers = [
            server.ask("GET", "/api/deals"),
            server.ask("GET", "/api/zz%0aFORGED"),
            server.ask("GET", "/admin/"),
            server.ask("GET", "/api/me", Authorization="Bearer wrong"),
            server.ask("GET", "/api/me", Host="foreign.example"),
        ]
        ids = [answer.headers["X-Request-ID"] for answer in answers]
        until(lambda: all(any(f"={each}" in line for line in server.lines()) for each in ids), 5)
        assert not [line for line in server.lines() if line.startswith("FORGED")]
        assert world.secret not in server.log.read_text()
    assert [answer.status for answer in answers] == [200, 404, 302, 401, 400]


@pytest.mark.slow
def test_a_probe_is_answered_whatever_the_host(world):
    with gunicorn(own_url(), BEHIND_TLS="on") as server:
        for path in ("/livez", "/readyz", "/healthz"):
            assert server.ask("GET", path, Host="10.1.2.3:8000").status == 200


@pytest.mark.slow
@pytest.mark.race
def test_a_graceful_restart_leaves_no_gap(world):
    """SIGHUP: new workers answer before the old ones are gone, and no request is broken off."""
    with gunicorn(own_url(), secret=world.secret, WEB_CONCURRENCY="2") as server:
        over, answers, longest = threading.Event(), [], 0.0

        def keep_asking():
            while not over.is_set():
                answers.append(server.ask("GET", "/api/me"))

        threads = [threading.Thread(target=keep_asking) for _ in range(3)]
        for thread in threads:
            thread.start()
        before = children(server.pid)
        os.kill(server.pid, signal.SIGHUP)
        until(lambda: not before & children(server.pid), 30)
        time.sleep(0.5)
        over.set()
        for thread in threads:
            thread.join(30)
        longest = max(answer.seconds for answer in answers)
    assert {answer.status for answer in answers} == {200}
    # Of a second when idle; the bound is that of every answer, on a machine that does other work.
    assert longest < 15, longest


def children(pid):
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


@pytest.mark.postgres
@pytest.mark.race
@pytest.mark.parametrize(("pool", "most"), [("4", 4), pytest.param("0", 8, marks=pytest.mark.long)])
def test_the_connections_of_a_process_are_bounded(world, pool, most):
    if connection.vendor != "postgresql":
        pytest.skip("connections of PostgreSQL")
    seen = []
    with gunicorn(own_url(), secret=world.secret, DATABASE_POOL=pool, WEB_THREADS="8") as server:

        def ask():
            seen.extend(server.ask("GET", "/api/deals").status for _ in range(5))

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            [count] = cursor.fetchone()
    assert seen == [200] * 60
    assert 1 <= count <= most
