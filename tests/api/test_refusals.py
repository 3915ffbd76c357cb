"""A refused write stores nothing, not even for a moment: it issues no INSERT, UPDATE or DELETE."""

import copy
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from crm_project.api.models import IdempotencyKey
from tests.api.client import ApiTestCase, problem
from tests.api.routes import ROUTES, make_rows
from tests.factories import CompanyFactory

WRITING = ("INSERT", "UPDATE", "DELETE")
UNKNOWN = 2**40
BODIES = [route for route in ROUTES if route.method in ("POST", "PATCH") and route.body is not None]
NEW_CONTACT = {"contact_email": "new@example.com", "contact_first_name": "New"}


def with_unknown_field(body):
    """The body with a field that does not exist, in each row of a list of writes."""
    body = copy.deepcopy(body)
    for row in [operation["data"] for operation in body["operations"]] if "operations" in body else [body]:
        row["nonsense"] = 1
    return body


class RefusalTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.rows = make_rows(cls)
        # The first request of a token notes when it was used.
        cls.as_alice.get("/api/me")
        cls.as_bob.get("/api/me")

    def stored(self, client, method, path, body, **headers):
        """The answer, and the statements of the request that write."""
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            answer = client.send(method, path, body, headers=headers)
            transaction.set_rollback(True)
        return answer, [
            query["sql"] for query in queries.captured_queries if query["sql"].startswith(WRITING)
        ]

    def refused(self, method, path, body, *pointers, client=None, status=400):
        answer, statements = self.stored(client or self.as_alice, method, path, body)

        assert answer.status_code == status, answer.content
        if pointers:
            assert sorted(error["pointer"] for error in answer.json()["errors"]) == sorted(pointers)
        assert statements == [], (path, body)

    def test_every_route_with_an_unknown_field(self):
        for route in BODIES:
            method, path, body = route.request(self.rows)
            _, statements = self.stored(self.as_alice, method, path, body)
            assert statements, f"{route} writes nothing when it is not refused"
            self.refused(method, path, with_unknown_field(body))

    def test_a_deal_that_the_core_refuses(self):
        wrong = {"name": "Deal", **NEW_CONTACT, "stage_id": UNKNOWN}

        self.refused("POST", "/api/deals", wrong, "/stage_id")
        self.refused("POST", "/api/deals/upsert", {**wrong, "external_id": "7"}, "/stage_id")
        self.refused("PATCH", f"/api/deals/{self.rows['deal']}", wrong, "/stage_id")
        self.refused(
            "POST",
            "/api/deals/bulk",
            {"operations": [{"op": "create", "data": {"name": "Good"}}, {"op": "create", "data": wrong}]},
            "/operations/1/data/stage_id",
        )
        by_contact = {**wrong, "match_on": "contact_and_pipeline", "pipeline_id": self.pipeline.pk}
        self.refused("POST", "/api/deals/upsert", by_contact, "/stage_id")

    def test_a_deal_that_body_and_core_refuse(self):
        wrong = {"name": "Deal", **NEW_CONTACT, "stage_id": UNKNOWN, "amount": "x", "nonsense": 1}

        self.refused("POST", "/api/deals", wrong, "/stage_id", "/amount", "/nonsense")
        self.refused("PATCH", f"/api/deals/{self.rows['deal']}", wrong, "/stage_id", "/amount", "/nonsense")
        walk_in = {"name": "Deal", "contact_first_name": "Nora", "contact_phone": "+47 22 33 44 55"}
        self.refused("POST", "/api/deals", {**walk_in, "amount": "x"}, "/amount")
        self.refused(
            "POST", "/api/deals", {**walk_in, "stage_id": UNKNOWN, "amount": "x"}, "/stage_id", "/amount"
        )
        self.refused(
            "POST",
            "/api/deals",
            {"name": "Deal", "contact_phone": "1", "nonsense": 1},
            "/contact_first_name",
            "/nonsense",
        )

    @pytest.mark.postgres
    def test_a_body_that_is_only_checked_takes_no_locks(self):
        if connection.vendor != "postgresql":
            self.skipTest("SQLite has no locks of rows and keys")
        wrong = {"name": "Deal", **NEW_CONTACT, "contact_email": "x@example.com", "amount": "x"}
        wrong["external_references"] = [{"system": "erp", "external_id": "new"}]

        with CaptureQueriesContext(connection) as queries:
            self.as_bob.post("/api/deals", wrong)
            self.as_bob.patch(f"/api/deals/{self.rows['deal']}", wrong)

        statements = [query["sql"] for query in queries.captured_queries]
        assert not [sql for sql in statements if "pg_advisory" in sql or " FOR " in sql]

    def test_a_contact(self):
        wrong = {"first_name": "", "email": "no address", "nonsense": 1}
        pointers = ("/first_name", "/email", "/nonsense")

        self.refused("POST", "/api/contacts", {"first_name": "A", "company_uuid": str(self.rows["deal"])})
        self.refused("PATCH", f"/api/contacts/{self.rows['contact']}", {"email": "no address"}, "/email")
        self.refused("POST", "/api/contacts", wrong | {"first_name": 1}, *pointers)
        self.person(email="taken@example.com")
        self.refused("POST", "/api/contacts", {"first_name": "A", "email": "taken@example.com"}, status=409)

    def test_reference_data(self):
        taken = self.as_alice.get(f"/api/lost-reasons/{self.rows['lost_reason']}").json()["name"]

        self.refused("POST", "/api/lost-reasons", {"name": " "}, "/name")
        self.refused("POST", "/api/lost-reasons", {"name": taken}, "/name", status=409)
        self.refused("POST", "/api/custom-fields", {"kind": "deal", "key": "A", "label": "A", "type": "text"})
        self.refused("PATCH", f"/api/custom-fields/{self.rows['custom_field']}", {"key": "other"}, "/key")
        self.refused("POST", "/api/stages", {"name": "A", "pipeline_id": UNKNOWN}, "/pipeline_id")
        self.refused("PATCH", f"/api/stages/{self.rows['stage']}", {"probability": 101}, "/probability")

    def test_a_pipeline_with_wrong_stages(self):
        stages = [{"name": "A"}, {"name": "B", "color": "red"}]

        self.refused("POST", "/api/pipelines", {"name": "A", "stages": stages}, "/stages/1/color")
        self.refused(
            "POST",
            "/api/pipelines",
            {"name": "A", "nonsense": 1, "stages": stages},
            "/nonsense",
            "/stages/1/color",
        )
        self.deal(stage=self.new.pk)
        self.refused("PATCH", f"/api/pipelines/{self.pipeline.pk}", {"stages": [{"name": "A"}]}, status=409)

    def test_a_reference_that_another_row_has(self):
        other = {"system": "erp", "kind": "deal", "external_id": "K-1", "row": str(self.deal().uuid)}

        self.refused("POST", "/api/external-references", other, status=409)

    def test_a_list_of_which_one_operation_is_refused(self):
        """Whatever is wrong, and wherever: in the body, in a rule, in a look-up, in a condition or in a deletion."""
        deal, gone = self.deal(), self.deal(external_references=[("default", "old")])
        used, office = self.person(), CompanyFactory(actor=self.bob)
        self.deal(contact=used.pk)
        good = {"name": "Good", "contact_email": "g@example.com", "contact_first_name": "G"}
        lists = {
            "/api/deals/bulk": [
                {"op": "create", "data": {"name": "A", "nonsense": 1}},
                {"op": "create", "data": {"name": "A", "stage_id": UNKNOWN}},
                {"op": "update", "uuid": str(UUID(int=1)), "data": {"name": "A"}},
                {"op": "upsert", "data": {"name": "A"}},
                {"op": "upsert", "data": {"external_id": "old", "name": "A"}},
                {"op": "update", "uuid": str(deal.uuid), "data": {}, "if_match": '"99-a"'},
                {"op": "delete", "uuid": str(deal.uuid), "if_match": '"99-a"'},
                {"op": "create", "data": {"name": "A", "next_deal_uuid": str(gone.uuid)}},
            ],
            "/api/contacts/bulk": [
                {"op": "create", "data": {"first_name": "A", "email": "no address"}},
                {"op": "create", "data": {"first_name": "A", "company_uuid": str(office.uuid)}},
                {"op": "delete", "uuid": str(used.uuid)},
            ],
        }
        for path, wrong in lists.items():
            row = good if "deals" in path else {"first_name": "Good"}
            gone_uuid = str((gone if "deals" in path else office).uuid)
            others = [{"op": "create", "data": row}, {"op": "delete", "uuid": gone_uuid}]
            for operation in wrong:
                for operations in ([*others, operation], [operation, *others], [*others, *wrong]):
                    with self.subTest(path=path, operation=operation):
                        body = {"operations": operations}
                        answer, statements = self.stored(self.as_bob, "POST", path, body)
                        rows = problem(answer, answer.status_code, "rows_refused")["rows"]
                        assert len(rows) == len(operations) - len(others)
                        assert statements == []

    def test_a_list_frees_the_keys_of_the_rows_that_it_deletes(self):
        gone = self.deal(external_references=[("default", "1")])
        office = CompanyFactory(actor=self.bob, email="office@example.com")
        deals = [
            {"op": "create", "data": {"name": "New", "external_id": "1"}},
            {"op": "delete", "uuid": str(gone.uuid)},
        ]
        contacts = [
            {"op": "create", "data": {"kind": "company", "name": "New", "email": office.email}},
            {"op": "delete", "uuid": str(office.uuid)},
        ]

        for path, operations in (("deals", deals), ("contacts", contacts)):
            answer = self.as_bob.post(f"/api/{path}/bulk", {"operations": operations})
            assert [row["outcome"] for row in answer.json()["results"]] == ["created", "deleted"]

    def test_a_condition_that_does_not_hold(self):
        for path in (f"/api/deals/{self.rows['deal']}", f"/api/pipelines/{self.pipeline.pk}"):
            answer, statements = self.stored(
                self.as_alice, "PATCH", path, {"name": "Other"}, **{"If-Match": '"999"'}
            )
            problem(answer, 412, "precondition_failed")
            assert statements == []

    def test_a_refusal_keeps_no_idempotency_key(self):
        answer, statements = self.stored(
            self.as_bob, "POST", "/api/deals", {"name": 1}, **{"Idempotency-Key": "k"}
        )

        assert answer.status_code == 400
        assert statements == []
        assert not IdempotencyKey.objects.exists()

    def test_a_new_contact_is_created_once_for_two_deals_of_a_list(self):
        rows = [{"name": "A", **NEW_CONTACT}, {"name": "B", **NEW_CONTACT}]
        self.as_bob.post("/api/deals/bulk", {"operations": [{"op": "create", "data": row} for row in rows]})

        contact = Contact.objects.get(email="new@example.com")
        assert self.as_bob.get("/api/deals", contact=contact.uuid).json()["results"][1]["name"] == "A"

    def test_two_upserts_of_one_new_contact_and_pipeline_are_one_too_many(self):
        row = {
            "name": "A",
            **NEW_CONTACT,
            "match_on": "contact_and_pipeline",
            "pipeline_id": self.pipeline.pk,
        }
        answer = self.as_bob.post(
            "/api/deals/bulk", {"operations": [{"op": "upsert", "data": row}, {"op": "upsert", "data": row}]}
        )

        assert [wrong["code"] for wrong in problem(answer, 400, "rows_refused")["rows"]] == ["row_twice"]
