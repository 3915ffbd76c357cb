"""`?dry_run=true`: the answer that the write would have given, and nothing left behind."""

import re

from django.apps import apps
from django.core import mail
from django.db import connection

from deals.models import Deal
from tests.api.client import ApiTestCase, problem
from tests.factories import LostReasonFactory
from tests.tasks import run_tasks

# What only a row that stays can have.
PASSING = re.compile(
    r'"(?:[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[^"]*|crm_[^"]*)"|"id":[0-9]+|"pipeline_id":[0-9]+|"row":[0-9]+'
)


def everything():
    """All rows of all our tables."""
    rows = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"SELECT * FROM {table}")
            rows[table] = sorted(map(repr, cursor.fetchall()))
    return rows


class DryRunTests(ApiTestCase):
    def writes(self):
        """One call of each kind, with who makes it."""
        deal, person = self.deal(external_references=[("erp", "1")]), self.person()
        path = f"/api/deals/{deal.uuid}"
        gone = self.deal()
        self.as_bob.delete(f"/api/deals/{gone.uuid}")
        reason = LostReasonFactory(actor=self.manager, name="Price")
        reference = deal.references.get()
        new = {"name": "A", "contact_email": "new@example.com", "contact_first_name": "Ann"}
        return [
            (self.as_bob, "POST", "/api/deals", new),
            (self.as_bob, "POST", "/api/deals/upsert", {**new, "external_id": "new"}),
            (
                self.as_bob,
                "POST",
                "/api/deals/upsert",
                {"name": "B", "external_id": "1", "external_system": "erp"},
            ),
            (
                self.as_bob,
                "POST",
                "/api/deals",
                {"name": "C", "contact_first_name": "Nora", "contact_phone": "+47 22 33 44 55"},
            ),
            (self.as_bob, "PATCH", path, {"name": "B", "stage_id": self.won.pk}),
            (self.as_bob, "PUT", f"{path}/followers/{self.bob.member.uuid}", {}),
            (self.as_bob, "DELETE", path, None),
            (self.as_bob, "POST", f"/api/deals/{gone.uuid}/restore", {}),
            (self.as_bob, "POST", "/api/contacts", {"first_name": "Ann", "email": "ann@example.com"}),
            (self.as_bob, "PATCH", f"/api/contacts/{person.uuid}", {"first_name": "Ann"}),
            (self.as_bob, "DELETE", f"/api/contacts/{person.uuid}", None),
            (self.as_manager, "POST", "/api/pipelines", {"name": "P", "stages": [{"name": "S"}]}),
            (self.as_manager, "POST", "/api/stages", {"name": "S", "pipeline_id": self.pipeline.pk}),
            (self.as_manager, "DELETE", f"/api/pipelines/{self.renewals.pk}", None),
            (self.as_manager, "POST", "/api/lost-reasons", {"name": "Time"}),
            (self.as_manager, "PATCH", f"/api/lost-reasons/{reason.pk}", {"name": "Time"}),
            (
                self.as_manager,
                "POST",
                "/api/custom-fields",
                {"kind": "deal", "key": "k", "label": "K", "type": "text"},
            ),
            (self.as_bob, "PATCH", f"/api/external-references/{reference.uuid}", {"external_id": "2"}),
            (self.as_bob, "POST", "/api/tokens", {"name": "robot"}),
            (self.as_bob, "POST", "/api/deals", {"name": "A", "amount": "1.001"}),
            (self.as_viewer, "POST", "/api/deals", {"name": "A"}),
            (self.as_bob, "DELETE", f"/api/pipelines/{self.renewals.pk}", None),
        ]

    def test_it_answers_what_the_write_answers_and_leaves_nothing(self):
        for client in (self.as_bob, self.as_manager, self.as_viewer):
            client.get("/api/me")  # notes that the token was used
        for client, method, path, body in self.writes():
            with self.subTest(f"{method} {path}"):
                sent = (body,) if body is not None else ()
                before = everything()
                tried = client.send(method, path, *sent, dry_run="true")
                assert everything() == before
                done = client.send(method, path, *sent)

                assert tried.status_code == done.status_code
                assert said(tried) == said(done)
                assert tried["Dry-Run"] == "true"
                assert "Dry-Run" not in done
                assert "Location" not in tried
                assert "ETag" not in tried

    def test_no_mail_is_sent(self):
        body = {"name": "A", "access_list_uuids": [str(self.alice.member.uuid)], "notify_access_list": True}
        assert self.as_bob.send("POST", "/api/deals", body, dry_run="true").status_code == 201
        assert run_tasks() == 0

        self.as_bob.post("/api/deals", body)
        run_tasks()
        assert mail.outbox

    def test_false_carries_it_out(self):
        answer = self.as_bob.send("POST", "/api/deals", {"name": "A"}, dry_run="false")

        assert answer.status_code == 201
        assert "Dry-Run" not in answer
        assert Deal.objects.count() == 1

    def test_it_is_true_or_false_and_for_writes_alone(self):
        for value in ("", "1", "True", "yes"):
            answer = self.as_bob.send("POST", "/api/deals", {"name": "A"}, dry_run=value)
            problem(answer, 400, "invalid", "/dry_run")
        problem(self.as_bob.get("/api/deals", dry_run="true"), 400, "unknown_parameter", "/dry_run")
        assert not Deal.objects.exists()

    def test_a_condition_is_looked_at(self):
        path = f"/api/deals/{self.deal().uuid}"
        stale = {"headers": {"If-Match": '"9"'}}

        answer = self.as_bob.send("PATCH", path, {"name": "B"}, dry_run="true", **stale)

        problem(answer, 412, "precondition_failed")
        assert answer["Dry-Run"] == "true"


def said(answer):
    """The answer without what differs from one carrying out to the next."""
    text = re.sub(r'"request_id":"[^"]*"', "", answer.content.decode())
    return PASSING.sub("*", re.sub(r'"hint":"[^"]*"', "", text))
