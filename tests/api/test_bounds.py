"""The bounds of one answer: its errors, its rows, bytes and seconds."""

import json

import pytest
from django.test import override_settings

from crm_project.api.errors import ERRORS_LIMIT
from crm_project.api.serializers import KEYS_LIMIT
from crm_project.dialects.registry import DIALECTS
from deals.models import Deal
from tests.api.client import ApiTestCase, problem
from tests.dialects.base import secret_of
from tests.factories import CustomFieldFactory


def nonsense(count, value=1):
    return {f"nonsense_{number}": value for number in range(count)}


@pytest.mark.once
class ErrorTests(ApiTestCase):
    def test_a_problem_lists_the_first_errors_and_counts_all(self):
        for count in (3, ERRORS_LIMIT + 1, KEYS_LIMIT - 1):
            found = problem(
                self.as_bob.post("/api/deals", {"name": "x", **nonsense(count)}), 400, "unknown_field"
            )

            assert len(found["errors"]) == min(count, ERRORS_LIMIT)
            assert found["errors_total"] == count

    def test_the_known_names_are_listed_once(self):
        for path, body in (
            ("/api/deals", nonsense(50)),
            ("/api/deals", {"name": "x", "external_references": [nonsense(5)] * 20}),
            ("/api/pipelines", {"name": "x", "stages": [nonsense(5)] * 20}),
        ):
            answer = self.as_alice.post(path, body)

            errors = answer.json()["errors"]
            lists = [one["detail"].partition(" Known: ")[2] for one in errors]
            assert any(lists), answer.content
            assert len([names for names in lists if names]) == len({names for names in lists if names})

    def test_the_known_fields_of_a_mapping_are_listed_once(self):
        columns = [f"Column {number}" for number in range(20)]
        answer = self.as_bob.post(
            "/api/imports", {"kind": "deals", "content": ",".join(columns) + "\n" + ",".join(columns)}
        )

        path = f"/api/imports/{answer.json()['uuid']}"
        found = self.as_bob.patch(path, {"mapping": dict.fromkeys(columns, "nonsense")}).json()

        assert found["errors_total"] == 20
        assert sum("One of: " in one["detail"] for one in found["errors"]) == 1

    def test_the_known_parameters_are_listed_once(self):
        answer = self.as_bob.get("/api/deals", **nonsense(200))

        found = problem(answer, 400, "unknown_parameter")
        assert found["errors_total"] == 200
        assert len(found["errors"]) == ERRORS_LIMIT
        assert answer.content.count(b"Known: ") == 2  # of the first error, in it and in `detail`

    def test_an_object_of_many_keys_is_refused_before_they_are_looked_at(self):
        many = nonsense(KEYS_LIMIT + 1)
        for path, body, pointer in (
            ("/api/deals", many, ""),
            ("/api/tokens", many, ""),
            ("/api/imports", many, ""),
            (
                "/api/deals",
                {"name": "x", "external_references": [many]},
                "/external_references/0/non_field_errors",
            ),
            ("/api/deals/upsert", many, ""),
        ):
            found = problem(self.as_alice.post(path, body), 400, "too_many_keys")

            assert [one["pointer"] for one in found["errors"]] == [pointer]
        for item in (many, {"op": "create", "data": many}):
            answer = self.as_bob.post("/api/deals/bulk", {"operations": [item]})
            assert [one["code"] for one in answer.json()["errors"]] == ["too_many_keys"]

    def test_custom_fields_may_have_any_number_of_keys(self):
        CustomFieldFactory(actor=self.alice, kind="deal", key="size", type="number")
        body = {"name": "x", "custom_fields": {"size": 1, **nonsense(KEYS_LIMIT + 1)}}

        found = problem(self.as_bob.post("/api/deals", body), 400, "unknown_field")

        assert found["errors_total"] == KEYS_LIMIT + 1

    def test_no_answer_grows_with_the_mistakes(self):
        worst = {**nonsense(KEYS_LIMIT - 1)}
        operations = [{"op": "create", "data": {"name": "x", **nonsense(40)}}] * 200
        long_name = {"x" * 900_000: 1}
        for path, body in (
            ("/api/deals", worst),
            ("/api/deals", long_name),
            ("/api/deals", {"name": "x", "custom_fields": nonsense(40_000)}),
            ("/api/deals", {"name": "x", "external_references": [nonsense(400)] * 100}),
            ("/api/deals/bulk", {"operations": [long_name]}),
            ("/api/deals/bulk", {"operations": operations}),
            ("/api/deals/bulk", {"operations": operations, "atomic": False}),
        ):
            answer = self.as_bob.post(path, body)

            assert answer.status_code in (207, 400), answer.content[:500]
            assert len(answer.content) < 1_000_000, (path, len(answer.content))


@pytest.mark.once
class BulkErrorTests(ApiTestCase):
    def test_each_refused_row_keeps_its_problem(self):
        operations = [{"op": "create", "data": {"name": "x", **nonsense(30)}}] * 20

        for atomic in (True, False):
            answer = self.as_bob.post("/api/deals/bulk", {"operations": operations, "atomic": atomic})

            body = answer.json()
            rows = body["rows"] if atomic else [one["error"] for one in body["results"]]
            assert len(rows) == 20
            assert {len(row["errors"]) for row in rows} == {10}
            assert {row["errors_total"] for row in rows} == {30}
        found = self.as_bob.post("/api/deals/bulk", {"operations": operations}).json()
        assert (len(found["errors"]), found["errors_total"]) == (ERRORS_LIMIT, 600)


class BudgetTests(ApiTestCase):
    @override_settings(ANSWER_MAX_BYTES=20_000)
    def test_an_answer_over_the_budget_is_refused(self):
        deals = [self.deal(name=f"Deal {number}", description="x" * 1000) for number in range(20)]

        problem(self.as_bob.get("/api/deals", page_size=20), 413, "answer_too_large")
        assert len(self.as_bob.rows("/api/deals", page_size=5)) == 5
        named = [{"op": "update", "uuid": str(deal.uuid), "data": {"origin": "fair"}} for deal in deals]
        problem(self.as_bob.post("/api/deals/bulk", {"operations": named}), 413, "answer_too_large")
        assert not Deal.objects.filter(origin="fair").exists()
        answer = self.as_bob.get("/api/deals/export")
        assert len(answer.getvalue()) > 20_000

    def test_the_texts_are_measured_before_they_are_rendered(self):
        for number in range(3):
            self.deal(name=f"Deal {number}", description="x" * 60_000)

        with override_settings(ANSWER_MAX_BYTES=150_000):
            problem(self.as_bob.get("/api/deals"), 413, "answer_too_large")


class DialectBoundTests(ApiTestCase):
    WRITES = {
        "xalantis": ("/api/v1/deals", {}),
        "onlyoffice": ("/api/2.0/crm/opportunity", {}),
        "intum": ("/crm/deals.json", {}),
        "leadconnector": ("/opportunities", {"Version": "2021-07-28"}),
        "gauzy": ("/api/deals", {}),
    }
    LISTS = {
        "xalantis": "/api/v1/deals?per_page=100",
        "onlyoffice": "/api/2.0/crm/opportunity/filter?count=100",
        "intum": "/crm/deals.json?per_page=100",
        "leadconnector": "/opportunities/search?limit=100&location_id={organization}",
        "gauzy": "/api/deals",
    }

    def send(self, method, system, path, body=None):
        headers = {"Authorization": f"Bearer {secret_of(self.bob)}", **self.WRITES[system][1]}
        data = b"" if body is None else json.dumps(body).encode()
        return self.as_nobody.client.generic(
            method, f"/dialects/{system}{path}", data, "application/json" if data else "", headers=headers
        )

    def test_an_object_of_many_keys_is_refused(self):
        for system in DIALECTS:
            path, _ = self.WRITES[system]
            many = nonsense(KEYS_LIMIT + 1)

            answer = self.send("POST", system, path, {"deal": many} if system == "intum" else many)

            assert answer.status_code in (400, 422), (system, answer.content)
            assert "X-Ignored-Fields" not in answer, system
            assert len(answer.content) < 500, (system, answer.content)

    def test_a_list_over_the_budget_is_refused_in_the_shape_of_the_vendor(self):
        for number in range(12):
            self.deal(name=f"Deal {number}")
        with override_settings(ANSWER_MAX_ROWS=10):
            for system, path in self.LISTS.items():
                answer = self.send("GET", system, path.format(organization=self.organization.uuid))

                assert answer.status_code == 413, (system, answer.status_code, answer.content)
                assert answer["Content-Type"].startswith("application/json")
                assert len(answer.content) < 500

    def test_a_batch_is_one_answer(self):
        for number in range(5):
            self.deal(name=f"Deal {number}")
        reads = [
            {"relativeUrl": f"crm/opportunity/filter?count={number}", "name": "0"} for number in range(3, 7)
        ]

        def batch(count):
            return self.send("POST", "onlyoffice", "/api/2.0/batch", {"batch": reads[:count]})

        assert batch(4).status_code == 201
        with override_settings(ANSWER_MAX_ROWS=10):
            assert batch(2).status_code == 201
            refused = batch(4)
            assert (refused.status_code, refused.json()["statusCode"]) == (413, 413)
        with override_settings(ANSWER_MAX_BYTES=len(batch(2).content)):
            assert batch(4).status_code == 413
        with override_settings(ANSWER_MAX_SECONDS=0):
            slow = batch(1)
            assert (slow.status_code, slow["Retry-After"]) == (503, "5")

    def test_rows_within_rows_count(self):
        for number in range(12):
            self.deal(name=f"Deal {number}")
        path = "/api/pipelines?relations[0]=stages&relations[1]=stages.deals"

        assert self.send("GET", "gauzy", path).status_code == 200
        with override_settings(ANSWER_MAX_ROWS=10):
            assert self.send("GET", "gauzy", path).status_code == 413
