"""Idempotency-Key: a retry does nothing twice and gets the first answer again, byte for byte."""

import datetime
import json
from io import StringIO
from unittest import mock

from django.core.management import call_command
from django.utils import timezone

from crm_project.accounts.models import ApiToken
from crm_project.api import idempotency
from crm_project.api.idempotency import RETENTION, sweep
from crm_project.api.models import IdempotencyKey
from crm_project.api.views import ScopedView
from crm_project.journal.models import Event
from deals.models import Deal
from tests.api.client import ApiClient, ApiTestCase, problem

BODY = {"name": "Partenariat", "amount": "15000.00", "custom_fields": {}}


def keyed(key):
    return {"headers": {"Idempotency-Key": key}}


class ReplayTests(ApiTestCase):
    def test_it_works(self):
        first = self.as_bob.post("/api/deals", BODY, **keyed("k1"))
        again = self.as_bob.post("/api/deals", BODY, **keyed("k1"))

        assert (first.status_code, again.status_code) == (201, 201)
        assert again.content == first.content
        for header in ("Location", "ETag", "Content-Type"):
            assert again[header] == first[header]
        assert "Idempotency-Replayed" not in first
        assert again["Idempotency-Replayed"] == "true"
        assert Deal.objects.count() == 1

    def test_the_answer_stays_what_it_was_when_the_row_has_changed(self):
        first = self.as_bob.post("/api/deals", BODY, **keyed("k1"))
        self.as_bob.patch(f"/api/deals/{first.json()['uuid']}", {"name": "Renamed"})

        again = self.as_bob.post("/api/deals", BODY, **keyed("k1"))

        assert again.content == first.content

    def test_every_method_takes_a_key(self):
        deal = self.as_bob.post("/api/deals", BODY).json()
        path = f"/api/deals/{deal['uuid']}"
        follower = f"{path}/followers/{self.bob.member.uuid}"
        calls = [("PATCH", path, {"name": "New"}), ("PUT", follower, {}), ("DELETE", path, {})]
        before = Event.objects.count()

        for number, (method, where, body) in enumerate(calls):
            first = self.as_bob.send(method, where, body, **keyed(f"k{number}"))
            again = self.as_bob.send(method, where, body, **keyed(f"k{number}"))

            assert again["Idempotency-Replayed"] == "true"
            assert (again.status_code, again.content) == (first.status_code, first.content)
        assert Event.objects.count() == before + 3

    def test_a_deletion_is_answered_again_after_the_row_is_gone(self):
        path = f"/api/deals/{self.deal().uuid}"

        answers = [self.as_bob.send("DELETE", path, **keyed("k1")).status_code for _ in range(2)]

        assert answers == [204, 204]
        assert self.as_bob.delete(path).status_code == 404

    def test_formatting_changes_nothing(self):
        first = self.as_bob.send("POST", "/api/deals", json.dumps(BODY).encode(), **keyed("k1"))
        shuffled = dict(reversed(BODY.items()))
        again = self.as_bob.send(
            "POST", "/api/deals/", json.dumps(shuffled, indent=4).encode(), **keyed("k1")
        )

        assert again.content == first.content

    def test_numbers_mean_the_same_with_other_zeros(self):
        first = self.as_bob.send("POST", "/api/deals", b'{"name": "A", "amount": 1500}', **keyed("k1"))
        for amount in (b"1500.00", b"1.5e3", b"15E2"):
            body = b'{"name": "A", "amount": %s}' % amount
            assert self.as_bob.send("POST", "/api/deals", body, **keyed("k1")).content == first.content

        text = b'{"name": "A", "amount": "1500"}'
        problem(self.as_bob.send("POST", "/api/deals", text, **keyed("k1")), 422, "idempotency_key_reused")

    def test_bare_and_quoted_are_the_same_key(self):
        first = self.as_bob.post("/api/deals", BODY, **keyed("8e03978e-40d5"))

        again = self.as_bob.post("/api/deals", BODY, **keyed('"8e03978e-40d5"'))

        assert again["Idempotency-Replayed"] == "true"
        assert again.content == first.content


class RefusalTests(ApiTestCase):
    def test_another_request_with_the_same_key_is_refused(self):
        deal = self.as_bob.post("/api/deals", BODY, **keyed("k1")).json()
        path = f"/api/deals/{deal['uuid']}"

        others = [
            self.as_bob.post("/api/deals", {**BODY, "name": "Other"}, **keyed("k1")),
            self.as_bob.post("/api/contacts", BODY, **keyed("k1")),
            self.as_bob.patch(path, BODY, **keyed("k1")),
            self.as_bob.send("DELETE", path, **keyed("k1")),
        ]

        for answer in others:
            problem(answer, 422, "idempotency_key_reused")
        assert Deal.objects.live().count() == 1

    def test_parameters_belong_to_the_request(self):
        stage = self.offer
        path = f"/api/stages/{stage.pk}"
        self.as_manager.send("DELETE", path, move_deals_to=str(self.new.pk), **keyed("k1"))

        answer = self.as_manager.send("DELETE", path, move_deals_to=str(self.won.pk), **keyed("k1"))

        problem(answer, 422, "idempotency_key_reused")

    def test_all_values_of_a_parameter_count(self):
        """Lists in the query, of a dialect that takes them there."""
        path = f"/dialects/onlyoffice/api/2.0/crm/opportunity/filter/access?opportunityStagesid={self.new.pk}"
        mary = self.manager.member.uuid
        answers = []
        for other in (self.alice, self.viewer):
            people = f"&accessList[]={other.member.uuid}&accessList[]={mary}&isPrivate=true"
            answers.append(self.as_bob.client.put(path + people, **self.keyed_as_bob("k1")))

        assert [answer.status_code for answer in answers] == [200, 400], answers[0].content

    def keyed_as_bob(self, key):
        return {"headers": {**self.as_bob.headers, "Idempotency-Key": key}}

    def test_what_is_no_key_is_refused(self):
        for key in ("", " ", '"', '""', '"a', "x" * 256, f'"{"x" * 256}"', "clé", "a\tb", '"a"b"'):
            with self.subTest(key=key):
                problem(self.as_bob.post("/api/deals", BODY, **keyed(key)), 400, "invalid_header")
        assert self.as_bob.post("/api/deals", BODY, **keyed(f'"{"x" * 255}"')).status_code == 201
        assert Deal.objects.count() == 1

    def test_a_refusal_is_not_stored(self):
        path = f"/api/deals/{self.deal().uuid}"
        for status, client, where, body in (
            (400, self.as_bob, path, {"amount": -1}),
            (403, self.as_viewer, path, {"name": "x"}),
            (404, self.as_charlie, path, {"name": "x"}),
        ):
            assert client.patch(where, body, **keyed("k1")).status_code == status
        assert not IdempotencyKey.objects.exists()

        assert self.as_bob.patch(path, {"amount": "1"}, **keyed("k1")).status_code == 200

    def test_a_dry_run_stores_nothing_and_is_never_replayed(self):
        tried = self.as_bob.send("POST", "/api/deals", BODY, dry_run="true", **keyed("k1"))
        done = self.as_bob.post("/api/deals", BODY, **keyed("k1"))
        tried_again = self.as_bob.send("POST", "/api/deals", BODY, dry_run="true", **keyed("k1"))

        assert [answer.status_code for answer in (tried, done, tried_again)] == [201, 201, 201]
        assert "Idempotency-Replayed" not in done
        assert "Idempotency-Replayed" not in tried_again
        assert IdempotencyKey.objects.count() == 1


class ScopeTests(ApiTestCase):
    def test_a_key_is_its_members(self):
        clients = (self.as_bob, self.as_alice, self.as_charlie)

        uuids = {client.post("/api/deals", BODY, **keyed("k1")).json()["uuid"] for client in clients}

        assert len(uuids) == 3

    def test_it_is_every_token_of_the_member(self):
        first = self.as_bob.post("/api/deals", BODY, **keyed("k1"))

        again = ApiClient(self.bob).post("/api/deals", BODY, **keyed("k1"))

        assert again.content == first.content

    def test_a_member_who_may_no_longer_write_gets_no_stored_response(self):
        self.as_bob.post("/api/deals", BODY, **keyed("k1"))

        answer = ApiClient(self.bob, "read").post("/api/deals", BODY, **keyed("k1"))

        problem(answer, 403, "forbidden")


class SecretTests(ApiTestCase):
    def test_a_secret_is_neither_stored_nor_made_twice(self):
        first = self.as_bob.post("/api/tokens", {"name": "robot"}, **keyed("k1"))
        again = self.as_bob.post("/api/tokens", {"name": "robot"}, **keyed("k1"))

        secret = first.json()["secret"]
        problem(again, 409, "secret_not_kept")
        assert again["Location"] == first["Location"]
        assert again["Idempotency-Replayed"] == "true"
        assert ApiToken.objects.filter(name="robot").count() == 1
        kept = IdempotencyKey.objects.get()
        assert kept.body is None
        assert secret not in json.dumps(kept.headers)

    def test_a_token_in_query_or_body_is_no_part_of_the_fingerprint(self):
        self.addCleanup(setattr, ScopedView, "secret_parameters", ScopedView.secret_parameters)
        ScopedView.secret_parameters = frozenset({"name"})
        first = self.as_bob.post("/api/deals", {"name": "secret one"}, **keyed("k1"))

        again = self.as_bob.post("/api/deals", {"name": "secret two"}, **keyed("k1"))

        assert again.content == first.content


class ExpiryTests(ApiTestCase):
    def test_a_key_is_free_after_72_hours(self):
        first = self.as_bob.post("/api/deals", BODY, **keyed("k1"))
        self.age(RETENTION - datetime.timedelta(minutes=1))
        assert self.as_bob.post("/api/deals", BODY, **keyed("k1")).content == first.content
        self.age(RETENTION)

        later = self.as_bob.post("/api/deals", {"name": "Another"}, **keyed("k1"))

        assert later.status_code == 201
        assert "Idempotency-Replayed" not in later
        assert IdempotencyKey.objects.count() == 1

    def test_the_command_forgets_what_has_expired(self):
        for number in range(5):
            self.as_bob.post("/api/deals", BODY, **keyed(f"old {number}"))
        self.age(RETENTION)
        self.as_bob.post("/api/deals", BODY, **keyed("young"))
        said = StringIO()

        call_command("forget_idempotency_keys", stdout=said)

        assert said.getvalue() == "5 keys forgotten.\n"
        assert [kept.key for kept in IdempotencyKey.objects.all()] == ["young"]

    def test_a_sweep_is_bounded(self):
        for number in range(3):
            self.as_bob.post("/api/deals", BODY, **keyed(f"old {number}"))
        self.age(RETENTION)

        assert [sweep(2), sweep(2), sweep(2)] == [2, 1, 0]

    @mock.patch.object(idempotency, "SWEEP_EVERY", 3)
    def test_storing_sweeps_now_and_then(self):
        self.as_bob.post("/api/deals", BODY, **keyed("old"))
        self.age(RETENTION)

        for number in range(3):
            self.as_bob.post("/api/deals", BODY, **keyed(f"new {number}"))

        assert not IdempotencyKey.objects.filter(key="old").exists()

    def age(self, by):
        IdempotencyKey.objects.update(created_at=timezone.now() - by)
