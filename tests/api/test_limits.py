"""Rate limits: what is announced is kept, and a client that waits as long as it is told succeeds."""

import re
import threading
import time
from unittest import mock

import pytest
from django.db import DatabaseError, connection, connections
from django.http import HttpResponse
from django.test import Client, RequestFactory, TransactionTestCase, override_settings

from crm_project.api import counters, settling
from crm_project.api.counters import Counters, Limit, Policy
from crm_project.api.models import RateWindow
from crm_project.database import DatabaseMiddleware
from crm_project.write_queue import write_transaction
from tests.api.client import PROBLEM, ApiClient, ApiTestCase, document, problem
from tests.api.routes import ROUTES, make_rows
from tests.test_who_may_what import READS

OFF = {"token": None, "user": None, "organization": None, "address": None}
STANDING = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')
TYPE = "https://iana.org/assignments/http-problem-types#quota-exceeded"
NOW = 1_800_000_000.25


def limited(**rates):
    return override_settings(RATE_LIMITS={**OFF, **rates}, RATE_LIMIT_SHARED=False)


def left(answer):
    """What the header says of each limit: name to (units, seconds)."""
    return {
        name: (int(units), int(seconds)) for name, units, seconds in STANDING.findall(answer["RateLimit"])
    }


@pytest.fixture(autouse=True)
def _counts_from_the_beginning(monkeypatch):
    monkeypatch.setattr(counters, "counters", Counters())


class HeaderTests(ApiTestCase):
    @limited(token=(100, 60), organization=(500, 3600))
    def test_every_answer_announces_the_limits_and_what_is_left(self):
        first, second = self.as_bob.get("/api/me"), self.as_bob.get("/api/deals")

        assert first["RateLimit-Policy"] == '"token";q=100;w=60, "organization";q=500;w=3600'
        assert left(first)["token"][0] == 99
        assert left(second)["token"][0] == 98
        assert left(second)["organization"][0] == 498
        assert 1 <= left(second)["token"][1] <= 60
        assert left(second)["organization"][1] <= 3600

    @limited(token=(100, 60))
    def test_refusals_and_unchanged_copies_announce_them_too(self):
        tag = self.as_bob.get("/api/me")["ETag"]
        for answer, status in (
            (self.as_bob.send("GET", "/api/me", headers={"If-None-Match": tag}), 304),
            (self.as_bob.get("/api/deals", x=1), 400),
            (self.as_bob.get("/api/deals/00000000-0000-0000-0000-000000000000"), 404),
            (self.as_viewer.post("/api/deals", {"name": "New"}), 403),
            (self.as_bob.get("/api"), 200),
        ):
            assert answer.status_code == status
            assert left(answer)["token"][0] < 100

    def test_without_limits_there_are_no_headers(self):
        answer = self.as_bob.get("/api/me")

        assert "RateLimit" not in answer
        assert "RateLimit-Policy" not in answer

    @limited(token=(10_000, 60), organization=(10_000, 60))
    def test_what_the_document_says_of_headers_is_sent_and_nothing_else(self):
        rows = make_rows(self)
        paths = {re.sub(r"\{\w+\}", "{}", path): item for path, item in document()["paths"].items()}
        for route in ROUTES:
            if route.method != "GET":
                continue
            answer = self.as_alice.send(*route.request(rows))
            place = re.sub(r"<[^>]+>", "{}", f"/{answer.wsgi_request.resolver_match.route}")
            documented = paths[place]["get"]["responses"][str(answer.status_code)].get("headers", {})
            names = ["RateLimit", "RateLimit-Policy", "Retry-After", "Location"]
            if route.path == "/api/exports/{export}":
                names.remove("Retry-After")  # until the file is written
            for name in names:
                assert (name in documented) == (name in answer), (str(route), name)

    def test_every_operation_documents_the_refusal(self):
        for path, item in document()["paths"].items():
            for operation in (value for key, value in item.items() if key != "parameters"):
                refusal = operation["responses"]["429"]
                assert refusal["headers"].keys() == {"RateLimit", "RateLimit-Policy", "Retry-After"}, path
                assert PROBLEM in refusal["content"], path

    def test_costs_are_documented(self):
        paths = document()["paths"]
        for path, text in (
            ("/api/deals/export", "counts as 50 requests"),
            ("/api/deals", "`total` adds 5, `as_of` adds 5"),
            ("/api/deals/summary", "counts as 10 requests, `as_of` adds 5"),
        ):
            assert f"In the rate limits: {text}." in paths[path]["get"]["description"]
        assert "each 10 operations add one" in paths["/api/deals/bulk"]["post"]["description"]


class RefusalTests(ApiTestCase):
    @limited(token=(2, 60))
    def test_beyond_the_quota_it_is_a_problem_with_the_registered_type(self):
        for _ in range(2):
            assert self.as_bob.get("/api/me").status_code == 200
        refused = self.as_bob.get("/api/me")

        body = problem(refused, 429, "quota_exceeded")
        assert body["type"] == TYPE
        assert body["violated-policies"] == ["token"]
        assert int(refused["Retry-After"]) == left(refused)["token"][1]
        assert left(refused)["token"][0] == 0

    @limited(token=(2, 60))
    def test_another_token_is_not_affected(self):
        for _ in range(5):
            self.as_bob.get("/api/me")

        assert self.as_alice.get("/api/me").status_code == 200

    @limited(token=(10, 60), organization=(3, 60))
    def test_all_tokens_of_an_organization_share_its_quota(self):
        for client in (self.as_bob, self.as_alice, self.as_bob):
            assert client.get("/api/me").status_code == 200

        body = problem(self.as_alice.get("/api/me"), 429, "quota_exceeded")
        assert body["violated-policies"] == ["organization"]
        assert self.as_charlie.get("/api/me").status_code == 200

    @limited(token=(3, 2))
    def test_a_client_that_waits_as_told_succeeds(self):
        answers = [self.as_bob.get("/api/me") for _ in range(4)]
        refused = answers[-1]
        assert refused.status_code == 429

        time.sleep(int(refused["Retry-After"]))

        assert self.as_bob.get("/api/me").status_code == 200

    @limited(token=(3, 60))
    def test_a_refused_request_takes_nothing(self):
        for _ in range(3):
            self.as_bob.get("/api/me")
        for _ in range(5):
            assert left(self.as_bob.get("/api/me"))["token"][0] == 0
        [window] = counters.counters._windows.values()

        assert window.used == 3

    @limited(address=(2, 60))
    def test_wrong_tokens_count_for_the_address(self):
        stranger = ApiClient(secret="crm_unknown")
        statuses = [stranger.get("/api/me").status_code for _ in range(3)]

        assert statuses == [401, 401, 429]
        assert self.as_bob.get("/api/me").status_code == 200

    @limited(address=(2, 60))
    def test_requests_without_tls_count_for_the_address(self):
        with override_settings(BEHIND_TLS=True):
            statuses = [self.as_bob.get("/api/me").status_code for _ in range(3)]

        assert statuses == [403, 403, 429]
        assert self.as_bob.get("/api/me").status_code == 200

    @limited(address=(3, 60))
    def test_documents_and_the_sign_in_page_count_for_the_address_and_probes_do_not(self):
        client = Client()
        for path in ("/api/docs", "/api/schema", "/admin/login/"):
            assert client.get(path).status_code == 200
        page, document_ = client.get("/admin/login/"), client.get("/api/schema")

        assert (page.status_code, document_.status_code) == (429, 429)
        assert page["Content-Type"].startswith("text/html")
        assert int(page["Retry-After"]) >= 1
        assert document_["Content-Type"] == PROBLEM
        assert client.get("/healthz").status_code == 200
        assert client.get("/admin/login/", REMOTE_ADDR="192.0.2.7").status_code == 200

    @limited(user=(2, 60), address=(1, 60))
    def test_a_signed_in_user_has_a_limit_of_their_own(self):
        client = Client()
        self.alice.member.user.is_staff = True
        self.alice.member.user.save()
        client.force_login(self.alice.member.user)

        statuses = [client.get(path).status_code for path in ("/admin/", "/api/me", "/admin/")]
        assert statuses == [200, 200, 429]

    @limited(token=(60, 60))
    def test_an_expensive_request_counts_for_more(self):
        exported = self.as_bob.get("/api/deals/export")
        refused = self.as_bob.get("/api/contacts/export")

        assert left(exported)["token"][0] == 10
        problem(refused, 429, "quota_exceeded")
        assert self.as_bob.get("/api/me").status_code == 200

    @limited(token=(10, 60))
    def test_what_costs_more_than_the_quota_takes_all_of_it(self):
        assert left(self.as_bob.get("/api/deals/export"))["token"][0] == 0

    @limited(token=(1000, 60))
    def test_parameters_and_rows_count(self):
        self.as_bob.get("/api/deals", as_of="2026-01-01", total="true")
        plain = left(self.as_bob.get("/api/deals", total="false"))["token"][0]
        operations = [{"op": "create", "data": {"name": f"{number}"}} for number in range(40)]
        bulk = self.as_bob.post("/api/deals/bulk", {"operations": operations})

        assert plain == 1000 - 11 - 1
        assert left(bulk)["token"][0] == plain - 1 - 4

    @limited(token=(1000, 60))
    def test_a_replay_counts_as_one_request(self):
        operations = [{"op": "create", "data": {"name": f"{number}"}} for number in range(100)]
        body, key = {"operations": operations}, {"Idempotency-Key": "once"}
        first = self.as_bob.send("POST", "/api/deals/bulk", body, headers=key)
        second = self.as_bob.send("POST", "/api/deals/bulk", body, headers=key)

        assert left(first)["token"][0] == 1000 - 11
        assert second["Idempotency-Replayed"] == "true"
        assert left(second)["token"][0] == 1000 - 12

    @limited(token=(5, 60))
    def test_a_write_beyond_the_quota_writes_nothing(self):
        operations = [{"op": "create", "data": {"name": f"{number}"}} for number in range(60)]
        self.as_bob.get("/api/me")
        for headers in ({}, {"Idempotency-Key": "once"}):
            refused = self.as_bob.send("POST", "/api/deals/bulk", {"operations": operations}, headers=headers)
            problem(refused, 429, "quota_exceeded")

        assert self.as_alice.rows("/api/deals") == []

    @limited(token=(100, 60))
    def test_no_statement_is_added_to_a_request(self):
        self.as_bob.get("/api/me")  # notes the use of the token
        with override_settings(RATE_LIMITS=OFF), Statements() as without:
            self.as_bob.get("/api/me")
        with Statements() as limits:
            self.as_bob.get("/api/me")

        assert limits.calls == without.calls


class Statements:
    """Counts the statements of a block."""

    def __enter__(self):
        self.calls = 0
        self.wrapper = connection.execute_wrapper(self.count)
        self.wrapper.__enter__()
        return self

    def __exit__(self, *error):
        self.wrapper.__exit__(*error)

    def count(self, execute, *arguments):
        self.calls += 1
        return execute(*arguments)


class DialectTests(ApiTestCase):
    def ask(self, system, path=""):
        query = {"locationId": str(self.organization.uuid)} if system == "leadconnector" else {}
        place = f"/dialects/{system}{path or READS[system]}"
        headers = {**self.as_bob.headers, "Version": "2021-07-28"}
        return self.as_bob.client.get(place, query_params=query or None, headers=headers)

    def refused(self, system):
        """The answer beyond the quota."""
        with limited(token=(1, 60)):
            first = self.ask(system)
            assert first.status_code == 200, first.content
            assert left(first)["token"][0] == 0
            refused = self.ask(system)
        assert int(refused["Retry-After"]) == left(refused)["token"][1]
        return refused.status_code, refused.json()

    def test_unknown_paths_count_for_the_address_and_known_ones_do_not(self):
        for system in READS:
            with limited(address=(2, 60)), mock.patch.object(counters, "counters", Counters()):
                statuses = [self.ask(system, "/nowhere/at/all").status_code for _ in range(3)]
                known = self.ask(system)

            assert statuses == [404, 404, 503 if system == "onlyoffice" else 429], system
            assert known.status_code == 200

    @limited(address=(2, 60))
    def test_refusals_before_the_authentication_count_for_the_address(self):
        path = f"/dialects/leadconnector{READS['leadconnector']}"
        statuses = [self.as_bob.client.get(path, headers=self.as_bob.headers).status_code for _ in range(3)]

        assert statuses[2] == 429
        assert set(statuses[:2]) <= {400, 401, 422}

    def test_xalantis(self):
        status, body = self.refused("xalantis")
        assert (status, body["error"]["code"]) == (429, "RATE_LIMITED")

        with limited(token=(1, 60)):
            path, headers = "/dialects/xalantis/api/deals", self.as_alice.headers
            for _ in range(2):
                earlier = self.as_alice.client.post(path, {}, "application/json", headers=headers)
        assert earlier.status_code == 429
        assert earlier.json().keys() == {"message"}

    def test_onlyoffice_answers_503_as_its_vendor_does(self):
        status, body = self.refused("onlyoffice")
        assert (status, body["status"], body["statusCode"]) == (503, 1, 503)
        assert body["error"]["message"]

    def test_intum(self):
        assert self.refused("intum") == (429, {"error": "Zbyt wiele żądań"})

    def test_leadconnector(self):
        status, body = self.refused("leadconnector")
        assert (status, body["statusCode"], body["error"]) == (429, 429, "Too Many Requests")

    def test_gauzy(self):
        status, body = self.refused("gauzy")
        assert (status, body["statusCode"], body["error"]) == (429, 429, "Too Many Requests")

    @limited(token=(100, 60))
    def test_a_list_without_a_limit_counts_for_more(self):
        self.ask("gauzy", "/api/deals")
        assert left(self.ask("gauzy", "/api/deals?take=10"))["token"][0] == 100 - 20 - 1

    @limited(token=(100, 60))
    def test_each_read_of_a_batch_counts(self):
        batch = [{"relativeUrl": "/api/2.0/crm/opportunity/filter.json", "method": "GET"}] * 3
        answer = self.as_bob.client.post(
            "/dialects/onlyoffice/api/2.0/batch",
            {"batch": batch},
            "application/json",
            headers=self.as_bob.headers,
        )

        assert answer.status_code == 201, answer.content
        assert left(answer)["token"][0] == 100 - 4


def limit(quota=10, seconds=60, client="1", *, shared=True):
    return Limit(Policy("token", quota, seconds, shared), client)


def take(counters_, one, units=1, now=NOW):
    enough, [standing] = counters_.take([one], [units], now)
    return enough, standing


def test_windows_begin_at_the_same_instant_in_every_process_and_not_at_once_for_all_clients():
    ends = {limit(client=str(number)).end(NOW) for number in range(50)}

    assert all(NOW < end <= NOW + 60 for end in ends)
    assert len(ends) > 10
    assert limit().end(NOW) == limit().end(NOW)
    end = limit().end(NOW)
    assert limit().end(end - 0.001) == end
    assert limit().end(end) == end + 60


def test_the_seconds_are_rounded_up_to_the_end_of_the_window():
    counted, end = Counters(), limit().end(NOW)

    for before, seconds in ((0.001, 1), (1.0, 1), (1.001, 2), (59.999, 60)):
        assert take(counted, limit(), now=end - before)[1].seconds == seconds


def test_a_new_window_is_unused():
    counted = Counters()
    assert take(counted, limit(), 10)[0]
    assert not take(counted, limit())[0]

    enough, standing = take(counted, limit(), now=limit().end(NOW))

    assert (enough, standing.remaining) == (True, 9)


def test_a_clock_that_is_set_back_counts_in_the_earlier_window():
    counted = Counters()
    take(counted, limit(), 10)

    assert take(counted, limit(), now=NOW - 3600)[0]


def test_units_are_taken_from_all_limits_or_from_none():
    counted = Counters()
    small, large = limit(1), limit(5, client="2")
    assert counted.take([small, large], [1, 1], NOW)[0]

    enough, standings = counted.take([small, large], [1, 1], NOW)

    assert not enough
    assert [standing.remaining for standing in standings] == [0, 4]


def test_threads_do_not_take_more_than_the_quota():
    counted, taken = Counters(), []

    def run():
        taken.extend(take(counted, limit(1000))[0] for _ in range(200))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(taken) == 1000


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(counters, "MAX_WINDOWS", 100)
    counted = Counters()
    for number in range(1000):
        take(counted, limit(client=str(number)))

    assert len(counted) <= 100


@pytest.mark.postgres
class OutageTests(TransactionTestCase):
    def test_only_a_503_of_the_database_closes_its_connection(self):
        if connection.vendor != "postgresql":
            self.skipTest("an SQLite database has no connections to lose")
        for is_over_quota in (True, False):
            connection.ensure_connection()
            request = RequestFactory().get("/")
            request.is_over_quota = is_over_quota
            DatabaseMiddleware(lambda _: HttpResponse(status=503))(request)
            assert (connection.close_at == 0.0) != is_over_quota


class SettlementTests(TransactionTestCase):
    """Two processes are two Counters, of which each is settled as in a process of its own."""

    def settled(self, counted):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(counters, "counters", counted)
            return settling.settle()

    def setUp(self):
        self.one, self.other = Counters(), Counters()
        self.now = time.time()

    def take(self, counted, units, now=None):
        return take(counted, limit(1000), units, now or self.now)[1].remaining

    def test_each_process_learns_what_the_others_have_counted(self):
        self.take(self.one, 100)
        self.take(self.other, 20)
        self.settled(self.one)
        self.settled(self.other)
        assert self.take(self.other, 0) == 880

        self.take(self.one, 3)
        self.settled(self.one)
        assert self.take(self.one, 0) == 877
        assert RateWindow.objects.get().units == 123

    def test_what_is_counted_meanwhile_is_kept(self):
        self.take(self.one, 5)
        sent = self.one.pending(10)
        self.take(self.one, 7)
        [(key, (ends, units))] = sent.items()

        self.one.settle(sent, [(key, ends, units + 30)])

        assert self.take(self.one, 0) == 1000 - 30 - 12
        assert [units for _, units in self.one.pending(10).values()] == [7]

    def test_a_new_window_replaces_the_old_one_and_a_late_process_does_not_bring_it_back(self):
        later = limit(1000).end(self.now)
        self.take(self.one, 100)
        self.settled(self.one)
        self.take(self.one, 1, later)
        self.settled(self.one)
        assert RateWindow.objects.get().units == 1

        self.take(self.other, 50)
        self.settled(self.other)
        assert RateWindow.objects.get().units == 1

    def test_nothing_is_written_without_requests(self):
        self.take(self.one, 1)
        assert self.settled(self.one) == 1

        with Statements() as none:
            assert self.settled(self.one) == 0
        assert none.calls == 0

    def test_addresses_are_not_stored(self):
        take(self.one, limit(shared=False), now=self.now)

        assert self.settled(self.one) == 0

    def test_a_locked_database_keeps_the_counts_and_fails_no_request(self):
        if connection.vendor != "sqlite":
            self.skipTest("PostgreSQL has no lock of all writers")
        self.take(self.one, 5)
        held, release = threading.Event(), threading.Event()

        def hold():
            with write_transaction():
                held.set()
                release.wait(10)
            connections.close_all()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(10)
        try:
            with mock.patch.object(settling, "TIMEOUT_SECONDS", 0.1), pytest.raises(DatabaseError):
                self.settled(self.one)
        finally:
            release.set()
            holder.join()
        assert self.take(self.one, 0) == 995
        self.settled(self.one)
        assert RateWindow.objects.get().units == 5

    def test_old_windows_are_deleted(self):
        RateWindow.objects.create(key="old", ends=int(self.now) - 2 * settling.KEEP_SECONDS, units=1)
        RateWindow.objects.create(key="new", ends=int(self.now) + 5, units=1)

        assert settling.sweep() == 1
        assert [window.key for window in RateWindow.objects.all()] == ["new"]
