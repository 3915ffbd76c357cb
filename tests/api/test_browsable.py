"""The browsable API: a signed-in session that asks for HTML gets a page for every route, and JSON when it does not."""

import pytest
from django.test import Client

from tests.api.client import ApiTestCase
from tests.api.routes import ROUTES, make_rows

pytestmark = pytest.mark.once

# Files have no HTML page.
FILES = ("/export", "/error-file", "/file")


class BrowsableTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.rows = make_rows(cls)

    def setUp(self):
        self.browser = Client()
        self.browser.force_login(self.alice.member.user)

    def page(self, path, **headers):
        return self.browser.get(path, headers={"Accept": "text/html", **headers})

    def test_every_read_has_a_page(self):
        for route in ROUTES:
            path = route.path.format(**self.rows)
            if route.method != "GET" or path.endswith(FILES):
                continue
            answer = self.page(path)
            assert answer.status_code == 200, path
            assert answer["Content-Type"].startswith("text/html"), path
            assert b"</html>" in answer.content

    def test_a_refusal_is_a_page_too(self):
        for path in ("/api/deals?sttus=won", "/api/pipelines/1000000", "/api/deals/upsert"):
            answer = self.page(path)
            assert answer.status_code in (400, 404, 405)
            assert answer["Content-Type"].startswith("text/html"), (path, answer["Content-Type"])

    def test_names_are_escaped(self):
        self.deal(name="<script>alert(1)</script>")

        content = self.page("/api/deals").content.decode()

        assert "<script>alert(1)" not in content
        assert "&lt;script&gt;alert(1)" in content

    def test_a_session_without_html_gets_json(self):
        assert self.browser.get("/api/deals").json()["results"]
        assert self.page("/api/deals?format=json")["Content-Type"] == "application/json"

    def test_a_token_is_always_answered_in_json(self):
        answer = self.page("/api/deals", **self.as_bob.headers)

        assert answer["Content-Type"] == "application/json"

    def test_a_session_writes_with_a_csrf_token_alone(self):
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(self.alice.member.user)

        answer = browser.post("/api/deals", {"name": "x"}, content_type="application/json")

        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert (
            self.browser.post("/api/deals", {"name": "x"}, content_type="application/json").status_code == 201
        )
