"""CORS by setting: pages of the listed origins may call the API with a token; cookies never help them."""

import pytest
from django.test import Client, override_settings

from tests.api.client import ApiClient, ApiTestCase
from tests.base import BaseTestCase

pytestmark = pytest.mark.once

APP = "https://app.example.com"
STRANGER = "https://evil.example.com"
allowed = override_settings(CORS_ALLOWED_ORIGINS=[APP])


def preflight(path, origin=APP, method="PATCH", headers="authorization,if-match,prefer"):
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return Client().options(path, headers={"Origin": origin, **asked})


class OffTests(ApiTestCase):
    def test_without_the_setting_nothing_is_allowed(self):
        assert preflight("/api/deals").status_code == 401
        answer = self.as_bob.send("GET", "/api/me", headers={"Origin": APP})

        assert "Access-Control-Allow-Origin" not in answer
        assert "origin" not in answer.get("Vary", "").lower()


@allowed
class CrossOriginTests(ApiTestCase):
    def test_a_preflight_is_answered_without_a_token(self):
        for path in ("/api/deals", "/api/nothing", "/dialects/xalantis/api/v1/deals"):
            answer = preflight(path)
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer["Access-Control-Allow-Origin"] == APP
            assert "PATCH" in answer["Access-Control-Allow-Methods"]
            for name in ("authorization", "if-match", "prefer", "idempotency-key"):
                assert name in answer["Access-Control-Allow-Headers"].split(", ")

    def test_an_answer_can_be_read_with_its_headers(self):
        answer = self.as_bob.send("GET", "/api/me", headers={"Origin": APP})

        assert answer["Access-Control-Allow-Origin"] == APP
        exposed = answer["Access-Control-Expose-Headers"].split(", ")
        for name in ("ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"):
            assert name in exposed
        assert {"Idempotency-Replayed", "Dry-Run", "Preference-Applied"} <= set(exposed)
        assert "origin" in answer["Vary"].lower()

    def test_refusals_can_be_read_too(self):
        for client, status in ((self.as_nobody, 401), (self.as_bob, 404)):
            path = "/api/me" if status == 401 else "/api/nothing"
            answer = client.send("GET", path, headers={"Origin": APP})
            assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (status, APP)

    def test_another_origin_is_not_allowed(self):
        for answer in (
            preflight("/api/deals", STRANGER),
            self.as_bob.send("GET", "/api/me", headers={"Origin": STRANGER}),
            self.as_bob.send("GET", "/api/me", headers={"Origin": "null"}),
        ):
            assert "Access-Control-Allow-Origin" not in answer

    def test_the_admin_is_not_reachable(self):
        for path in ("/admin/", "/admin/login/", "/", "/static/x.js"):
            answer = Client().get(path, headers={"Origin": APP})
            assert "Access-Control-Allow-Origin" not in answer, path

    def test_credentials_are_never_allowed(self):
        client = Client()
        client.force_login(self.bob.member.user)
        secret = self.as_bob.headers["Authorization"].partition(" ")[2]
        for path in ("/api/me", "/dialects/onlyoffice/api/2.0/crm/opportunity/filter"):
            client.cookies["asc_auth_key"] = secret
            for answer in (preflight(path), client.get(path, headers={"Origin": APP})):
                assert "Access-Control-Allow-Credentials" not in answer

    def test_the_cookie_of_onlyoffice_writes_nothing_for_another_origin(self):
        client = Client()
        client.cookies["asc_auth_key"] = self.as_bob.headers["Authorization"].partition(" ")[2]
        for site in ("cross-site", "same-site"):
            answer = client.post(
                "/dialects/onlyoffice/api/2.0/crm/opportunity",
                {"title": "Stolen"},
                headers={"Origin": APP, "Sec-Fetch-Site": site},
            )
            assert answer.status_code == 403, answer.content
        assert self.as_alice.rows("/api/deals") == []

    def test_a_session_writes_nothing_for_another_origin(self):
        client = Client(enforce_csrf_checks=True)
        client.force_login(self.bob.member.user)
        answer = client.post("/api/deals", {"name": "Stolen"}, "application/json", headers={"Origin": APP})

        assert answer.status_code == 403


@allowed
@override_settings(DIALECT_HOSTS={"gauzy.example.com": "gauzy"}, ALLOWED_HOSTS=["*"])
class DialectHostTests(BaseTestCase):
    def test_a_dialect_s_host_is_included(self):
        answer = Client().get(
            "/api/deals",
            headers={**ApiClient(self.bob).headers, "Host": "gauzy.example.com", "Origin": APP},
        )

        assert answer.status_code == 200
        assert answer["Access-Control-Allow-Origin"] == APP


@pytest.mark.parametrize("origin", ["app.example.com", "https://app.example.com/path"])
def test_a_wrong_origin_is_reported(origin):
    from corsheaders.checks import check_settings

    with override_settings(CORS_ALLOWED_ORIGINS=[origin]):
        assert check_settings()
