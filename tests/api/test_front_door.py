"""What a developer meets first: the index, the pages of error codes, the OpenAPI document in both formats."""

import json

from django.test import Client

from crm_project.api.error_codes import ERROR_CODES
from crm_project.api.errors import type_of
from tests.api.client import ApiClient, ApiTestCase, problem
from tests.api.routes import ROUTES, make_rows
from tests.base import BaseTestCase


class IndexTests(ApiTestCase):
    def test_it_names_every_resource(self):
        answer = self.as_nobody.get("/api")

        index = answer.json()
        assert answer.status_code == 200
        assert {"deals", "contacts", "pipelines", "events", "schema", "docs", "problems"} <= index.keys()
        assert answer["Link"].startswith('</api/schema>; rel="service-desc"')
        listed = {route.path.split("/")[2].partition("?")[0] for route in ROUTES}
        assert listed <= index.keys()
        for name, url in index.items():
            assert url == f"http://testserver/api/{name}"
            assert self.as_bob.client.get(url, headers=self.as_bob.headers).status_code == 200, name

    def test_a_final_slash_is_neither_needed_nor_refused(self):
        assert self.as_nobody.get("/api/").json() == self.as_nobody.get("/api").json()

    def test_it_refuses_a_wrong_token_and_other_methods(self):
        problem(ApiClient(secret="crm_unknown").get("/api"), 401, "authentication_failed")
        problem(self.as_bob.post("/api", {}), 405, "method_not_allowed")

    def test_a_browser_gets_a_page(self):
        page = Client().get("/api", headers={"Accept": "text/html"})

        assert page["Content-Type"].startswith("text/html")
        assert b"http://testserver/api/deals" in page.content


class ProblemTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.rows = make_rows(cls)

    def test_every_code_has_a_page(self):
        for code, entry in ERROR_CODES.items():
            body = self.as_nobody.get(f"/api/problems/{code}").json()
            assert body == {
                "type": type_of(code),
                "code": code,
                "statuses": list(entry.statuses),
                "meaning": entry.meaning,
                "remedy": entry.remedy,
            }
            page = Client().get(f"/api/problems/{code}", headers={"Accept": "text/html"})
            assert page["Content-Type"].startswith("text/html")
            assert code in page.content.decode()

    def test_all_codes_are_listed(self):
        listed = self.as_nobody.get("/api/problems").json()
        assert [entry["code"] for entry in listed] == list(ERROR_CODES)
        page = Client().get("/api/problems", headers={"Accept": "text/html"}).content.decode()
        assert all(f'href="/api/problems/{code}"' in page for code in ERROR_CODES)

    def test_the_type_of_every_refusal_resolves(self):
        types = set()
        for route in ROUTES:
            for client in (self.as_nobody, self.as_viewer, self.as_charlie):
                answer = client.send(*route.request(self.rows))
                if answer.status_code >= 400:
                    body = answer.json()
                    assert body["type"] == f"/api/problems/{body['code']}"
                    types.add(body["type"])
        for method, path, body in (
            ("POST", "/api/deals", b"{"),
            ("POST", "/api/deals", b'{"nme": 1, "amount": "x"}'),
            ("GET", "/api/deals?sttus=1", b""),
            ("PUT", "/api/deals", b"{}"),
            ("GET", "/api/nothing", b""),
            ("GET", "/api/problems/nothing", b""),
        ):
            types.add(self.as_bob.send(method, path, body).json()["type"])

        assert len(types) >= 8
        for type_ in types:
            assert self.as_nobody.get(type_).status_code == 200, type_


class ForbiddenTests(ApiTestCase):
    """403 names what is missing."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.rows = make_rows(cls)

    def test_a_missing_scope_is_named(self):
        reader, writer = ApiClient(self.alice, "read"), ApiClient(self.alice, "write")
        selling = ApiClient(self.alice, "read", "write")
        for client, method, path, scope in (
            (reader, "POST", "/api/deals", "write"),
            (writer, "GET", "/api/deals", "read"),
            (selling, "POST", "/api/lost-reasons", "pipelines"),
        ):
            answer = client.send(method, path, {"name": "A"}) if method == "POST" else client.get(path)
            body = problem(answer, 403, "forbidden")
            assert answer["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="{scope}"'
            assert body["required"] == scope
            assert scope in body["detail"]

    def test_every_write_names_the_scope(self):
        reader = ApiClient(self.alice, "read")
        for route in ROUTES:
            answer = reader.send(*route.request(self.rows))
            if answer.status_code == 403:
                assert answer.json()["required"] in ("write", "pipelines", "read write pipelines"), route
                assert "insufficient_scope" in answer["WWW-Authenticate"], route

    def test_a_role_is_not_a_scope(self):
        answer = self.as_viewer.post("/api/deals", {"name": "A"})

        body = problem(answer, 403, "forbidden")
        assert body["permission"] == "edit_deals"
        assert "required" not in body
        assert "WWW-Authenticate" not in answer


class MergePatchTests(ApiTestCase):
    def test_a_patch_may_have_the_media_type_of_its_semantics(self):
        deal = self.deal(name="A")
        body, kind = json.dumps({"name": "B"}).encode(), "application/merge-patch+json; charset=utf-8"

        answer = self.as_bob.send("PATCH", f"/api/deals/{deal.uuid}", body, content_type=kind)

        assert (answer.status_code, answer.json()["name"]) == (200, "B")

    def test_other_methods_and_other_patches_are_refused(self):
        deal, kind = self.deal(), "application/merge-patch+json"
        problem(
            self.as_bob.send("POST", "/api/deals", b'{"name": "B"}', content_type=kind),
            415,
            "unsupported_media_type",
        )
        problem(
            self.as_bob.send(
                "PATCH", f"/api/deals/{deal.uuid}", b"[]", content_type="application/json-patch+json"
            ),
            415,
            "unsupported_media_type",
        )


class PartlyRefusedTests(ApiTestCase):
    def test_a_refused_row_makes_it_207(self):
        rows = [{"op": "create", "data": {"name": "A"}}, {"op": "create", "data": {"amount": "x"}}]
        for path in ("/api/deals/bulk", "/api/contacts/bulk"):
            good = {"op": "create", "data": {"first_name" if "contacts" in path else "name": "A"}}
            sent = {"atomic": False, "operations": [good, rows[1]]}
            answer = self.as_bob.post(path, sent, headers={"Idempotency-Key": f"key-{path}"})
            assert answer.status_code == 207
            assert [one["status"] for one in answer.json()["results"]] == [201, 400]
            again = self.as_bob.post(path, sent, headers={"Idempotency-Key": f"key-{path}"})
            assert (again.status_code, again.content) == (207, answer.content)
            assert self.as_bob.post(path, {"atomic": False, "operations": [good]}).status_code == 200
            problem(self.as_bob.post(path, {**sent, "atomic": True}), 400, "rows_refused")


class SchemaFormatTests(BaseTestCase):
    def test_query_and_header_choose_the_same(self):
        client = Client()
        for name, accept in (("yaml", "application/yaml"), ("json", "application/json")):
            by_query = client.get("/api/schema", {"format": name})
            by_header = client.get("/api/schema", headers={"Accept": accept})
            assert (by_query.status_code, by_query.content) == (200, by_header.content), name
        assert client.get("/api/schema", {"format": "yaml"}).content.startswith(b"openapi: 3.1")
        for answer in (
            client.get("/api/schema", {"format": "xml"}),
            client.get("/api/schema", headers={"Accept": "application/xml"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
