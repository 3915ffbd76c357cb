"""Rights at the edges: tokens that change tokens, cookies of other sites, requests without TLS."""

from typing import Any

import pytest
from django.test import Client, override_settings

from crm_project.accounts.models import ApiToken
from crm_project.dialects.registry import DIALECTS
from deals.models import Deal
from tests.api.client import ApiClient, ApiTestCase, problem
from tests.dialects.base import secret_of

pytestmark = pytest.mark.once

OPPORTUNITY = "/dialects/onlyoffice/api/2.0/crm/opportunity"
FORM = "application/x-www-form-urlencoded"


class TokenTests(ApiTestCase):
    def test_a_token_changes_itself_alone_unless_it_has_every_scope(self) -> None:
        victim = ApiToken.objects.get(member=self.bob.member)
        for scopes in (["read"], ["write"], ["read", "write"], ["pipelines"]):
            client = ApiClient(self.bob, *scopes)
            own = ApiToken.objects.latest("id")
            for answer in (
                client.patch(f"/api/tokens/{victim.uuid}", {"name": "taken"}),
                client.delete(f"/api/tokens/{victim.uuid}"),
            ):
                # Without `read` or `write` a token does not get that far.
                assert answer.status_code in (403, 404), scopes
                assert answer.json()["required"]
            if "read" in scopes:
                assert client.patch(f"/api/tokens/{own.uuid}", {"name": "mine"}).status_code == 200
                assert client.delete(f"/api/tokens/{own.uuid}").status_code == 204
        victim.refresh_from_db()
        assert (victim.name, victim.revoked_at) == ("test", None)

    def test_a_token_of_every_scope_and_an_admins_change_others(self) -> None:
        victim = ApiToken.objects.get(member=self.bob.member)
        other = ApiClient(self.bob)

        assert other.patch(f"/api/tokens/{victim.uuid}", {"name": "new"}).status_code == 200
        assert self.as_alice.delete(f"/api/tokens/{victim.uuid}").status_code == 204
        narrow = ApiClient(self.alice, "read", "write")
        newest = ApiToken.objects.filter(member=self.bob.member).latest("id")
        problem(narrow.delete(f"/api/tokens/{newest.uuid}"), 403, "forbidden")


class CookieTests(ApiTestCase):
    """A browser sends the cookie along with the requests of every site."""

    def send(self, *, method: str = "post", authorization: str = "", **headers: str) -> Any:
        client = Client(raise_request_exception=False)
        client.cookies["asc_auth_key"] = secret_of(self.bob)
        stage = str(self.new.pk)
        body = f"title=Foreign&responsibleid={self.bob.member.uuid}&stageid={stage}&bidCurrencyAbbr=EUR&bidType=0"
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if authorization:
            given["Authorization"] = authorization
        if method == "get":
            return client.get(OPPORTUNITY + "/filter", headers=given)
        return client.generic(method.upper(), OPPORTUNITY, body, content_type=FORM, headers=given)

    def test_a_page_of_another_site_writes_nothing_with_the_cookie(self) -> None:
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://testserver.evil.example"},
            {"Origin": "https://testserver"},
            {"Sec_Fetch_Site": "cross-site"},
            {"Sec_Fetch_Site": "same-site"},
            {"Origin": "http://testserver", "Sec_Fetch_Site": "cross-site"},
            {"Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin"},
            {"Origin": "https://evil.example", "authorization": " "},
        ):
            answer = self.send(**headers)
            assert answer.status_code == 403, (headers, answer.content)
            assert answer.json()["error"]["message"] == "Access denied"
        assert not Deal.objects.exists()

    def test_own_pages_programs_and_reads_use_the_cookie(self) -> None:
        for headers in ({}, {"Origin": "http://testserver", "Sec_Fetch_Site": "same-origin"}):
            assert self.send(**headers).status_code == 201, headers
        assert self.send(method="get", Origin="https://evil.example").status_code == 200

    def test_a_token_in_the_header_is_no_cookie(self) -> None:
        secret = secret_of(self.bob)

        assert self.send(authorization=secret, Origin="https://portal.example").status_code == 201

    def test_the_cookie_of_the_admin_has_djangos_protection(self) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(self.bob.member.user)

        answer = browser.post("/api/deals", {"name": "x"}, "application/json")

        assert answer.status_code == 403
        assert not Deal.objects.exists()


HOSTS = {f"{system}.example.com": system for system in DIALECTS}
# A read of each dialect that a token of Bob's may send.
READS = {
    "xalantis": "/api/v1/deals",
    "onlyoffice": "/api/2.0/crm/opportunity/filter",
    "intum": "/crm/deals.json",
    "leadconnector": "/opportunities/pipelines",
    "gauzy": "/api/pipelines",
}


@override_settings(
    BEHIND_TLS=True,
    SECURE_SSL_REDIRECT=True,
    DIALECT_HOSTS=HOSTS,
    ALLOWED_HOSTS=["testserver", *HOSTS],
)
class CleartextTests(ApiTestCase):
    """The token may have been read on its way; a redirect would hide that."""

    def get(self, path: str, *, secret: str = "", secure: bool = False, host: str = "testserver") -> Any:
        headers = {"Host": host, "Version": "2021-07-28"}
        if secret:
            headers["Authorization"] = f"Bearer {secret}"
        return Client(raise_request_exception=False).get(path, headers=headers, secure=secure)

    def test_the_api_refuses_a_token_without_tls(self) -> None:
        secret = secret_of(self.bob)

        for path in ("/api", "/api/me", "/api/deals", f"/api/contacts/{self.person().uuid}"):
            assert self.get(path, secret=secret, secure=True).status_code == 200
            for token in (secret, "crm_unknown", ""):
                problem(self.get(path, secret=token), 403, "insecure_transport")
        assert self.get("/healthz").status_code == 200
        assert self.get("/admin/")["Location"] == "https://testserver/admin/"

    def test_a_write_is_not_carried_out(self) -> None:
        answer = Client().post(
            "/api/deals",
            {"name": "Sent in clear"},
            "application/json",
            headers={"Authorization": f"Bearer {secret_of(self.bob)}"},
        )

        assert answer.status_code == 403
        assert not Deal.objects.exists()

    def test_dialects_refuse_it_in_their_shape_on_hosts_of_their_own_too(self) -> None:
        secret = secret_of(self.bob)
        for host, system in HOSTS.items():
            with self.subTest(system=system):
                below = self.get(f"/dialects/{system}{READS[system]}", secret=secret)
                at_root = self.get(READS[system], secret=secret, host=host)
                wrong = self.get(READS[system], secret="crm_unknown", host=host)

                for answer in (below, at_root, wrong):
                    assert answer.status_code == 403, answer.content
                    assert "Location" not in answer
                    assert answer["X-Request-ID"]
                assert set(below.json()) == set(at_root.json())
                assert self.get(READS[system], secret=secret, secure=True, host=host).status_code != 403

    def test_secrets_elsewhere_than_in_the_header(self) -> None:
        secret = secret_of(self.bob)
        client = Client()
        client.cookies["asc_auth_key"] = secret

        assert client.get(f"/dialects/onlyoffice{READS['onlyoffice']}").status_code == 403
        assert self.get(f"/dialects/intum/crm/deals.json?api_token={secret}").status_code == 403
        for path, body in (
            ("/dialects/gauzy/api/auth/login", {"email": "bob@example.com", "password": "x"}),
            ("/dialects/gauzy/api/auth/refresh-token", {"refresh_token": "x"}),
            ("/dialects/onlyoffice/api/2.0/authentication", {"userName": "bob@example.com", "password": "x"}),
        ):
            assert client.post(path, body, "application/json").status_code == 403, path
