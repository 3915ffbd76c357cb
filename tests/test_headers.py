"""The headers of each page of the admin and of each kind of answer are in `tests/headers.json`, as TLS would have them.

Answers with the same headers are one entry of the file. Values that differ at each request are `*`. A page or a list
that the file does not name has the headers of one that it names: a new kind needs no line here.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, override_settings
from django.urls import reverse

from crm_project.accounts.invitations import invite_member
from crm_project.accounts.models import Organization, User
from crm_project.dialects.registry import DIALECTS
from tests.api.client import ApiClient, ApiTestCase
from tests.api.routes import ROUTES, make_rows
from tests.test_who_may_what import READS

pytestmark = pytest.mark.once

FILE = Path(__file__).parent / "headers.json"
VARYING = {"X-Request-ID", "ETag", "Location", "Expires", "Last-Modified", "Retry-After", "RateLimit"}
# Higher than all requests of the test.
LIMITS = dict.fromkeys(("token", "user", "organization", "address"), (100000, 60))
# The settings that follow from BEHIND_TLS.
TLS = {
    "BEHIND_TLS": True,
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 31536000,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "SESSION_COOKIE_NAME": "__Host-sessionid",
    "CSRF_COOKIE_NAME": "__Host-csrftoken",
}
SITE_PAGES = ("index", "choose_organization", "password_change", "password_change_done", "search", "jsi18n")
PROBES = ("/healthz", "/livez", "/readyz")
PUBLIC = ("/", *PROBES, "/api/docs", "/api/schema", "/api/problems", "/api/problems/in_use", "/nothing")
BASIC = {"Version": "2021-07-28"}
BROKEN = b'{"name": '


class Visit:
    """One request over TLS, by the name under which the file lists its answer."""

    def __init__(self, name: str, answer: Any) -> None:
        self.name = f"{name} → {answer.status_code}"
        self.headers = headers_of(answer)


def headers_of(answer: Any) -> dict[str, str]:
    found = {
        name: "*" if name in VARYING else re.sub(r'filename="[^"]*"', 'filename="*"', str(value))
        for name, value in answer.items()
        if name != "Content-Length"
    }
    for cookie in answer.cookies.values():
        attributes = {name: value for name, value in cookie.items() if value and name != "expires"}
        if "max-age" in attributes:
            attributes["max-age"] = f"{round(int(attributes['max-age']) / 3600)} hours"
        found[f"Set-Cookie: {cookie.key}"] = "; ".join(
            f"{name}={value}" for name, value in attributes.items()
        )
    if "Content-Security-Policy" in found:
        directives = found["Content-Security-Policy"].split("; ")
        found["Content-Security-Policy"] = "; ".join(sorted(directives))
    return dict(sorted(found.items()))


@override_settings(**TLS, RATE_LIMITS=LIMITS, RATE_LIMIT_SHARED=False)
class HeaderTests(ApiTestCase):
    @pytest.mark.slow
    def test_the_headers_are_those_of_the_file(self) -> None:
        written = json.loads(FILE.read_text()) if FILE.is_file() else []
        visits = [*self.public(), *self.admin_pages(), *self.api(), *self.dialects()]
        found = grouped([visit for visit in visits if not is_like_another(visit, written)])

        if found != written:
            place = FILE.with_suffix(".found.json")
            place.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        assert found == written, f"compare {FILE.name} with {FILE.stem}.found.json, and replace it"

    def test_nothing_is_stored_or_framed_and_cookies_are_secure(self) -> None:
        for entry in json.loads(FILE.read_text()):
            headers, answers = entry["headers"], " ".join(entry["answers"])
            is_document = any(word in answers for word in ("/api/docs", "schema", "/api/problems"))
            if not is_document:
                assert "no-store" in headers["Cache-Control"], answers
            if "without TLS" in answers or any(probe in answers for probe in PROBES):
                continue
            if headers.get("Content-Type", "").startswith("text/html"):
                assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], answers
            assert headers["X-Content-Type-Options"] == "nosniff", answers
            assert headers["Strict-Transport-Security"].startswith("max-age=31536000"), answers
            for name, value in headers.items():
                if name.startswith("Set-Cookie"):
                    assert "__Host-" in name, answers
                    assert "secure=True" in value, answers
                    assert "samesite=Lax" in value, answers

    def public(self) -> Iterator[Visit]:
        for path in PUBLIC:
            yield Visit(f"anybody GET {path}", self.browser().get(path, secure=True))
        yield Visit("anybody GET /admin/ without TLS", self.browser().get("/admin/"))
        yield Visit("anybody GET /api/me without TLS", self.browser().get("/api/me"))

    def browser(self, user: Any = None) -> Client:
        client = Client(raise_request_exception=False)
        if user is not None:
            client.force_login(user)
        return client

    def admin_pages(self) -> Iterator[Visit]:
        login = reverse("admin:login")
        yield Visit(f"anybody GET {login}", self.browser().get(login, secure=True))
        yield Visit("anybody GET /admin/deals/deal/", self.browser().get("/admin/deals/deal/", secure=True))
        user = self.alice.member.user
        User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
        user = User.objects.get(pk=user.pk)
        user.set_password("right password")
        user.save()
        for password, what in (("right password", "signs in"), ("wrong", "is wrong")):
            data = {"username": user.email, "password": password}
            answer = self.browser().post(login, data, secure=True)
            yield Visit(f"anybody POST {login}, who {what}", answer)
        client = self.browser(user)
        _, secret = invite_member(actor=self.alice, email="new@example.com")
        link = f"{reverse('admin:accept_invitation')}?token="
        yield Visit("anybody GET /admin/invitation/", self.browser().get(link + secret, secure=True))
        yield Visit("anybody GET /admin/invitation/, used", self.browser().get(link + "x", secure=True))
        reset = reverse("admin:password_reset")
        for page in (reset, f"{reset}sent/", f"{reset}done/", f"{reset}MQ/x/"):
            yield Visit(f"anybody GET {page}", self.browser().get(page, secure=True))
        for page in SITE_PAGES:
            path = reverse(f"admin:{page}")
            yield Visit(f"admin GET {path}", client.get(path, secure=True))
        rows = {Organization: self.organization}
        for model in admin.site._registry:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            for page in ("changelist", "add"):
                path = reverse(f"{name}_{page}")
                yield Visit(f"admin GET {path}", client.get(path, secure=True))
            row = rows.get(model) or model._default_manager.first()
            if row is not None:
                path = reverse(f"{name}_change", args=[row.pk])
                shown = path.replace(f"/{row.pk}/", "/1/")
                yield Visit(f"admin GET {shown}", client.get(path, secure=True))
        yield Visit("admin GET /admin/nothing/", client.get("/admin/nothing/", secure=True))
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(user)
        refused = strict.post("/admin/organization/", {"member": 1}, secure=True)
        yield Visit("admin POST /admin/organization/ without a CSRF token", refused)
        page = client.get("/api/deals", headers={"Accept": "text/html"}, secure=True)
        yield Visit("admin GET /api/deals as a page", page)

    def api(self) -> Iterator[Visit]:
        with override_settings(BEHIND_TLS=False):
            rows = make_rows(self)
        as_alice = ApiClient(self.alice).headers
        client = self.browser()

        def send(method: str, path: str, body: Any = None, **headers: str) -> Any:
            data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
            given = {**as_alice, **{name.replace("_", "-"): value for name, value in headers.items()}}
            kind = "application/json" if data else ""
            return client.generic(method, path, data, content_type=kind, headers=given, secure=True)

        for route in ROUTES:
            if route.method == "GET":
                yield Visit(str(route), send(*route.request(rows)))
        deal = f"/api/deals/{rows['deal']}"
        tag = send("GET", deal)["ETag"]
        for name, call in {
            "GET a row that has not changed": ("GET", deal, None, {"If_None_Match": tag}),
            "GET without a token": ("GET", deal, None, {"Authorization": ""}),
            "GET with a wrong token": ("GET", deal, None, {"Authorization": "Bearer x"}),
            "GET nothing": ("GET", "/api/nothing", None, {}),
            "GET with a wrong parameter": ("GET", "/api/deals?x=1", None, {}),
            "GET as YAML": ("GET", "/api/deals?format=yaml", None, {}),
            "POST": ("POST", "/api/deals", {"name": "New"}, {}),
            "POST, dry run": ("POST", "/api/deals?dry_run=true", {"name": "New"}, {}),
            "POST with a key": ("POST", "/api/deals", {"name": "New"}, {"Idempotency_Key": "k"}),
            "POST with the key again": ("POST", "/api/deals", {"name": "New"}, {"Idempotency_Key": "k"}),
            "POST another body with the key": (
                "POST",
                "/api/deals",
                {"name": "Else"},
                {"Idempotency_Key": "k"},
            ),
            "POST broken JSON": ("POST", "/api/deals", BROKEN, {}),
            "POST too much": ("POST", "/api/deals", b" " * (1024 * 1024 + 1), {}),
            "POST a token": ("POST", "/api/tokens", {"name": "New"}, {}),
            "PUT": ("PUT", "/api/deals", {}, {}),
            "PATCH": ("PATCH", deal, {"name": "Changed"}, {}),
            "PATCH an older version": ("PATCH", deal, {"name": "Late"}, {"If_Match": '"1.0"'}),
            "DELETE": ("DELETE", deal, None, {}),
            "DELETE a stage that is in use": ("DELETE", f"/api/stages/{self.used_stage()}", None, {}),
        }.items():
            method, path, body, headers = call
            yield Visit(f"/api: {name}", send(method, path, body, **headers))

    def used_stage(self) -> int:
        self.deal(stage=self.offer.pk)
        return int(self.offer.pk)

    def dialects(self) -> Iterator[Visit]:
        token = ApiClient(self.alice).headers
        for system in DIALECTS:
            base, client = f"/dialects/{system}", self.browser()
            for name, path, headers in (
                ("a list", READS[system], token),
                ("without a token", READS[system], {}),
                ("nothing", "/nothing/here", token),
                ("its document", "/schema", {}),
            ):
                if system == "leadconnector":
                    path = f"{path}?locationId={self.organization.uuid}"
                answer = client.get(base + path, headers={**BASIC, **headers}, secure=True)
                yield Visit(f"{base} GET {name}", answer)
            yield Visit(
                f"{base} GET without TLS", client.get(base + READS[system], headers={**BASIC, **token})
            )
        for system, path, body in (
            ("gauzy", "/api/auth/login", {"email": "one@example.com", "password": "wrong"}),
            (
                "onlyoffice",
                "/api/2.0/authentication",
                {"userName": "two@example.com", "password": "wrong"},
            ),
        ):
            for number in range(6):
                answer = self.browser().post(
                    f"/dialects/{system}{path}", body, "application/json", secure=True
                )
                if number in (0, 5):
                    yield Visit(f"/dialects/{system} POST wrong password {number + 1}", answer)


def is_like_another(visit: Visit, written: list[dict[str, Any]]) -> bool:
    """Whether the file does not name the answer, but one of the same sort with the same headers and status."""
    if any(visit.name in entry["answers"] for entry in written):
        return False
    sort, status = visit.name.partition("/")[0], visit.name.rpartition(" ")[2]
    alike = [entry["answers"] for entry in written if entry["headers"] == visit.headers]
    return any(
        name.startswith(f"{sort}/") and name.endswith(f" {status}") for names in alike for name in names
    )


def grouped(visits: list[Visit]) -> list[dict[str, Any]]:
    groups: dict[str, Any] = {}
    for visit in visits:
        group = groups.setdefault(json.dumps(visit.headers), {"headers": visit.headers, "answers": []})
        if visit.name not in group["answers"]:
            group["answers"].append(visit.name)
    return list(groups.values())
