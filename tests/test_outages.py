"""Real outages of a PostgreSQL behind a real server: frozen, cut, stopped, read-only. 503 in time, never 500."""

import os
import signal
import socket
import threading
import time
from contextlib import contextmanager
from http import HTTPStatus
from unittest import mock

import psycopg
import pytest
from django.db import DataError, InternalError, OperationalError, ProgrammingError, connection
from django.db.backends.postgresql.base import DatabaseWrapper

from crm_project import database
from crm_project.accounts.models import ApiToken
from crm_project.accounts.services import create_token
from crm_project.database import AWAY, BUSY, FULL, READ_ONLY, SLOW, STARTING, state_of
from deals.models import Deal
from deals.services import create_deals
from tests.base import World
from tests.pgbouncer import administer, url_of
from tests.server import gunicorn, link_to, target_of, until

PROBLEM = "application/problem+json"
# The limits of these tests' servers: a request waits for the database at most STATEMENT + 2 seconds.
STATEMENT = 2
WAIT = STATEMENT + database.GRACE
# What a loaded machine takes for the rest of a request.
SLACK = 4


def caused(kind, cause):
    error = kind()
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("sqlstate", "state"),
    [
        ("08006", AWAY),
        ("08P01", AWAY),
        ("57P01", AWAY),
        ("57P02", AWAY),
        ("57P03", STARTING),
        ("57P04", AWAY),
        ("57P05", AWAY),
        ("57014", SLOW),
        ("25P03", SLOW),
        ("55P03", BUSY),
        ("40P01", BUSY),
        ("40001", BUSY),
        ("53100", FULL),
        ("53300", FULL),
        ("58030", FULL),
        ("25006", READ_ONLY),
        ("42P01", None),
        ("22003", None),
    ],
)
def test_every_sqlstate_has_one_state(sqlstate, state):
    cause = psycopg.errors.lookup(sqlstate)() if sqlstate != "08P01" else psycopg.errors.ProtocolViolation()
    families = {psycopg.OperationalError: OperationalError, psycopg.InternalError: InternalError}
    families |= {psycopg.ProgrammingError: ProgrammingError, psycopg.DataError: DataError}
    kind = next(ours for theirs, ours in families.items() if isinstance(cause, theirs))

    assert state_of(caused(kind, cause)) is state


def test_an_error_without_a_sqlstate_is_a_link_that_is_gone():
    assert state_of(OperationalError("the connection is lost")) is AWAY
    assert state_of(ProgrammingError("a bug")) is None


@pytest.fixture
def world(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("an outage of PostgreSQL")
    world = World()
    _, world.secret = create_token(actor=world.bob, name="outage")
    return world


@contextmanager
def serving(secret, url=None, **variables):
    url = url or url_of(connection.settings_dict)
    with gunicorn(url, secret=secret, STATEMENT_TIMEOUT=str(STATEMENT), **variables) as server:
        yield server


def at_once(count, ask):
    answers = []
    threads = [threading.Thread(target=lambda n=n: answers.append(ask(n))) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == count
    return answers


def refused(answer):
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE, answer.body
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json()["code"] == "unavailable"
    return answer


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pool", ["0", pytest.param("6", marks=pytest.mark.long)])
def test_a_frozen_link_is_given_up_in_time_and_served_again_at_once(world, pool):
    with link_to(target_of(connection.settings_dict)) as link:
        url = url_of(connection.settings_dict, port=link.port)
        with serving(world.secret, url, DATABASE_POOL=pool) as server:
            assert server.ask("GET", "/api/deals").status == 200
            # Six writes wait for a lock, so that they are in the middle of a statement when the link freezes.
            deal = world.deal()
            with psycopg.connect(url_of(connection.settings_dict)) as holder:
                holder.execute("SELECT 1 FROM deals_deal WHERE id = %s FOR UPDATE", [deal.pk])
                freeze = threading.Timer(0.5, link.freeze)
                freeze.start()

                def ask(n):
                    if n < 4:
                        return server.ask("PATCH", f"/api/deals/{deal.uuid}", {"name": str(n)})
                    return server.ask("GET", "/api/deals") if n < 6 else server.ask("GET", "/healthz")

                time.sleep(0.2)
                answers = at_once(4, ask)
                answers += at_once(8, ask)
            assert not [a for a in answers if a.status not in (200, 503)], [a.body for a in answers]
            assert max(answer.seconds for answer in answers) < WAIT + SLACK
            late = server.ask("GET", "/api/deals")
            refused(late)
            assert server.ask("GET", "/livez").status == 200

            link.thaw()

            assert until(lambda: server.ask("GET", "/api/deals").status == 200, 10) < 2 + SLACK
            assert server.ask("POST", "/api/deals", {"name": "After"}).status == 201


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_download_over_a_frozen_link_ends_in_time(world):
    """Its answer has begun, so that no status can tell: the connection is closed before the end of the file."""
    text = {"description": "x" * 5000}
    create_deals(actor=world.bob, changes=[{"name": f"Deal {number}", **text} for number in range(2000)])
    with link_to(target_of(connection.settings_dict)) as link:
        url = url_of(connection.settings_dict, port=link.port)
        with serving(world.secret, url) as server, socket.socket() as client:
            # More than the buffers of both ends, so that rows are still to be read.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(60)
            client.connect(("127.0.0.1", server.port))
            head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {world.secret}\r\n"
            client.sendall(f"GET /api/deals/export HTTP/1.1\r\n{head}\r\n".encode())
            received = client.recv(4096)
            assert received.startswith(b"HTTP/1.1 200"), received
            link.freeze()
            began = time.monotonic()
            while piece := client.recv(1 << 20):
                received = (received + piece)[-5:]
            seconds = time.monotonic() - began
            assert received != b"0\r\n\r\n", "it was sent before the link froze"
            assert seconds < WAIT + SLACK

            link.thaw()

            until(lambda: server.ask("GET", "/api/deals").status == 200, 2 + SLACK)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_background_work_bounds_each_wait_on_a_frozen_link(world, monkeypatch):
    settings = connection.settings_dict
    options = {name: value for name, value in settings["OPTIONS"].items() if name not in ("host", "port")}
    monkeypatch.setattr(database, "wait_limit", lambda: 1.5)
    with link_to(target_of(settings)) as link:
        connection.close()
        try:
            with mock.patch.dict(settings, HOST="127.0.0.1", PORT=str(link.port), OPTIONS=options):
                for _ in range(3):
                    # Waits that end in time add up to nothing.
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT pg_sleep(1)")
                link.freeze()
                began = time.monotonic()
                with pytest.raises(OperationalError) as caught:
                    Deal.objects.count()
                assert time.monotonic() - began < 1.5 + SLACK
                assert state_of(caught.value) is SLOW
        finally:
            connection.close()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_link_that_is_cut_is_a_503_and_no_500(world):
    def read(n=0):
        return server.ask("GET", "/api/deals").status

    with (
        link_to(target_of(connection.settings_dict)) as link,
        serving(world.secret, url_of(connection.settings_dict, port=link.port)) as server,
    ):
        assert read() == 200
        link.cut()
        assert set(at_once(4, read)) <= {200, 503}
        until(lambda: read() == 200, 2 + SLACK)


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_stopped_backends_are_given_up_in_time(world):
    """The kernel still takes what is sent to a stopped process: no time-out of TCP notices it."""
    with serving(world.secret) as server:
        assert server.ask("GET", "/api/deals").status == 200
        pids = backends()
        stopped = [pid for pid in pids if stop(pid)]
        if not stopped:
            pytest.skip("the processes of the database belong to somebody else")
        try:
            answers = at_once(4, lambda n: server.ask("GET", "/api/deals"))
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

        assert {answer.status for answer in answers} <= {200, 503}
        assert max(answer.seconds for answer in answers) < WAIT + SLACK
        until(lambda: server.ask("GET", "/api/deals").status == 200, 2 + SLACK)


def backends():
    """The server processes that answer the product's server: those of this test's database alone, without our own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def stop(pid):
    try:
        os.kill(pid, signal.SIGSTOP)
    except OSError:
        return False
    return True


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_read_only_database_serves_reads_and_asks_writers_to_come_again(world):
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    deal = world.deal()
    with serving(world.secret) as server:
        assert server.ask("PATCH", f"/api/deals/{deal.uuid}", {"name": "Before"}).status == 200
        ApiToken.objects.update(last_used_at=None)
        administer(connection.settings_dict, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            administer(
                connection.settings_dict, *(f"SELECT pg_terminate_backend({pid})" for pid in backends())
            )
            until(lambda: server.ask("GET", "/healthz").status == 200, 5)
            # The use of the token cannot be noted, and the token is accepted all the same.
            of_dialects = ("/dialects/xalantis/api/v1/deals", "/dialects/gauzy/api/deals/pagination")
            for path in (
                "/api/me",
                "/api/deals",
                f"/api/deals/{deal.uuid}",
                "/api/deals/export",
                *of_dialects,
            ):
                assert server.ask("GET", path).status == 200, path
            written = refused(server.ask("PATCH", f"/api/deals/{deal.uuid}", {"name": "Now"}))
            assert written.json()["detail"] == READ_ONLY.detail
            refused(server.ask("POST", "/api/deals", {"name": "x"}))
            refused(server.ask("DELETE", f"/api/deals/{deal.uuid}"))
            ready = server.ask("GET", "/readyz")
            assert (ready.status, ready.json()["database"]) == (200, "read_only")
        finally:
            administer(connection.settings_dict, f"ALTER DATABASE {name} RESET default_transaction_read_only")

        # As after a failover: connections of the time before are not used again.
        assert until(lambda: patched(server, deal), 10) < 4 + SLACK


def patched(server, deal):
    return server.ask("PATCH", f"/api/deals/{deal.uuid}", {"name": "After"}).status == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_uses_of_a_token_are_noted_again_later(world, monkeypatch):
    database.mark_read_only()

    assert database.was_read_only(within=60)
    assert not database.was_read_only(within=0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_request_whose_time_is_over_does_not_connect_again(world):
    """The driver would wait two seconds more for a link that is frozen."""
    connection.close()
    with database.wait_budget(0.5), pytest.raises(OperationalError) as caught:
        connection.ensure_connection()

    assert state_of(caught.value) is SLOW


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_connection_of_a_moment_ago_is_usable_until_the_server_ends_it(world):
    connection.ensure_connection()
    connection.used_at = time.monotonic()
    with mock.patch.object(DatabaseWrapper, "is_usable", side_effect=AssertionError("a statement")):
        assert connection.is_usable()

    with psycopg.connect(url_of(connection.settings_dict)) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])

    until(lambda: not connection.is_usable(), 4 + SLACK)
    connection.close()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_answer_that_does_not_fit_its_command_is_a_link_that_is_gone(world):
    """As when the server ends the connection while it answers: the answer and the error arrive together."""
    connection.ensure_connection()
    link = connection.connection
    with pytest.raises(psycopg.OperationalError):
        link.wait(link._exec_command("SELECT 1; SELECT 2"))

    assert link.closed
    connection.close()
