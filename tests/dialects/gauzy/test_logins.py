"""Gauzy's logins: a token of twelve hours and what refreshes it, who one is, what one may."""

import datetime
from typing import Any
from unittest import mock

from django.utils import timezone

from crm_project.accounts.models import ApiToken
from crm_project.accounts.services import create_token, revoke_token, update_login, update_member
from tests.dialects.base import BaseTestCase, Call, bearer
from tests.dialects.gauzy.base import Gauzy

BOB = {"email": "bob@example.com", "password": "correct horse battery"}
ME: Any = {"relations[]": ["employee", "tenant"], "includeEmployee": "true"}


class TestLogins(Gauzy, BaseTestCase):
    def signed_in(self) -> Any:
        update_login(user=self.bob.member.user, password=BOB["password"])
        answer = self.send(Call("POST", "/api/auth/login", BOB))
        assert answer.status_code == 200, answer.content
        return answer.json()

    def refresh(self, secret: Any) -> Any:
        return self.send(Call("POST", "/api/auth/refresh-token", {"refresh_token": secret}))

    def is_good(self, secret: str) -> bool:
        answer = self.send(bearer(Call("GET", "/api/auth/authenticated"), secret))
        assert answer.status_code == 200
        return answer.json() is True

    def test_a_login_gets_a_token_of_twelve_hours(self) -> None:
        told = self.signed_in()

        me = self.send(bearer(Call("GET", "/api/user/me", query=ME), told["token"]))
        assert "X-Ignored-Fields" not in me
        me = me.json()
        assert me == told["user"]
        assert me["id"] == str(self.bob.member.uuid)
        token = ApiToken.objects.latest("id")
        assert 11 < (token.expires_at - token.created_at).total_seconds() / 3600 <= 12

    def test_a_login_that_is_only_tried_makes_no_token(self) -> None:
        self.signed_in()

        answer = self.send(Call("POST", "/api/auth/login", BOB, query={"dry_run": "true"}))

        assert (answer.status_code, answer["Dry-Run"]) == (200, "true")
        assert self.send(bearer(Call("GET", "/api/user/me"), answer.json()["token"])).status_code == 401

    def test_a_wrong_password_is_refused_and_braked(self) -> None:
        call = Call("POST", "/api/auth/login", {"email": "bob@example.com", "password": "wrong"})

        for _ in range(5):
            self.refused(self.send(call), 401)
        self.refused(self.send(call), 429)
        for body in ({}, {"email": "bob@example.com"}, {"email": 1, "password": "x"}):
            self.refused(self.send(Call("POST", "/api/auth/login", body)), 400)

    def test_a_refresh_gives_another_token(self) -> None:
        """More than once: the vendor's assistant keeps the refresh token of its login."""
        told = self.signed_in()

        first, second = self.refresh(told["refresh_token"]), self.refresh(told["refresh_token"])

        assert (first.status_code, second.status_code) == (200, 200)
        secrets = [told["token"], first.json()["token"], second.json()["token"]]
        assert [self.is_good(secret) for secret in secrets] == [False, False, True]
        assert self.refresh(second.json()["refresh_token"]).status_code == 200
        token = ApiToken.objects.latest("id")
        assert ApiToken.objects.filter(member=self.bob.member, name=token.name).count() == 1

    def test_a_refresh_outlives_the_token_and_not_the_week(self) -> None:
        told = self.signed_in()
        ApiToken.objects.update(expires_at="2020-01-01T00:00:00Z")

        assert not self.is_good(told["token"])
        assert self.is_good(self.refresh(told["refresh_token"]).json()["token"])
        later = datetime.datetime.now().timestamp() + 8 * 24 * 3600
        with mock.patch("django.core.signing.time.time", return_value=later):
            self.refused(self.refresh(told["refresh_token"]), 401)

    def test_a_refresh_extends_neither_the_week_nor_beyond_it(self) -> None:
        told = self.signed_in()
        begun = timezone.now() - datetime.timedelta(days=7, hours=-1)
        ApiToken.objects.update(created_at=begun)

        newer = self.refresh(told["refresh_token"]).json()

        assert ApiToken.objects.latest("id").expires_at == begun + datetime.timedelta(days=7)
        ApiToken.objects.update(created_at=begun - datetime.timedelta(hours=2))
        for secret in (told["refresh_token"], newer["refresh_token"]):
            self.refused(self.refresh(secret), 401)

    def test_guessing_a_refresh_token_is_throttled(self) -> None:
        """Signed tokens of a login, and names of none."""
        named = self.signed_in()["refresh_token"].partition(":")[0]
        there = {"X-Forwarded-For": "198.51.100.7"}
        for secrets in ([f"{named}:x:{n}" for n in range(6)], [f"{n}:x:x" for n in range(11)]):
            calls = [Call("POST", "/api/auth/refresh-token", {"refresh_token": x}, there) for x in secrets]
            statuses = [self.send(call).status_code for call in calls]
            assert statuses[0] in (401, 429)
            assert statuses[-1] == 429, statuses

    def test_what_ends_a_refresh_token(self) -> None:
        secret = self.signed_in()["refresh_token"]

        for forged in (secret[:-1], "x" + secret, secret.partition(":")[0], "x", "a:b:c"):
            self.refused(self.refresh(forged), 401)
        for missing in ("", None, 5, [secret]):
            self.refused(self.refresh(missing), 400)
        update_login(user=self.bob.member.user, password="another one now")
        self.refused(self.refresh(secret), 401)
        secret = self.signed_in()["refresh_token"]
        revoke_token(actor=self.alice, token=ApiToken.objects.latest("id"))
        self.refused(self.refresh(secret), 401)
        secret = self.signed_in()["refresh_token"]
        update_member(actor=self.alice, member=self.bob.member, is_active=False)
        self.refused(self.refresh(secret), 401)

    def test_a_logout_ends_token_and_refresh(self) -> None:
        told = self.signed_in()
        newer = self.refresh(told["refresh_token"]).json()
        call = Call("POST", "/api/auth/logout", {"refresh_token": told["refresh_token"]})

        assert self.send(bearer(call, newer["token"])).status_code == 200

        assert not self.is_good(newer["token"])
        self.refused(self.refresh(newer["refresh_token"]), 401)
        self.refused(self.send(Call("POST", "/api/auth/logout")), 401)

    def test_a_logout_ends_one_login(self) -> None:
        told = self.signed_in()
        other = create_token(actor=self.alice, name="test")[1]
        call = Call("POST", "/api/auth/logout", {"refresh_token": told["refresh_token"]})

        assert self.send(bearer(call, other)).status_code == 200

        assert self.is_good(told["token"])
        assert not self.is_good(other)

    def test_who_one_is(self) -> None:
        """The assistant takes its organization from the employee, or from the list of organizations."""
        me, own = self.got("/api/user/me"), str(self.organization.uuid)

        assert me["employee"]["organizationId"] == me["organizations"][0]["id"] == own
        assert (me["tenantId"], me["tenant"]["id"], me["defaultOrganizationId"]) == (own, own, own)
        assert me["role"] == {"name": "MANAGER"}

    def test_what_one_may(self) -> None:
        view, edit = {"permissions[0]": "VIEW_SALES_PIPELINES"}, {"permissions": "EDIT_SALES_PIPELINES"}

        for actor, rights in (
            (self.viewer, (True, False)),
            (self.bob, (True, False)),
            (self.manager, (True, True)),
        ):
            asked = [self.ask("GET", "/api/auth/permissions", None, actor, **query) for query in (view, edit)]
            assert tuple(answer.json() for answer in asked) == rights
        assert self.got("/api/auth/permissions", permissions="ORG_EXPENSES_EDIT") is False
        assert self.got("/api/auth/role", **{"roles[0]": "ADMIN", "roles[1]": "MANAGER"}) is True
        assert self.got("/api/auth/role", roles="ADMIN") is False

    def test_is_anybody_there(self) -> None:
        assert self.send(Call("GET", "/api")).json()["status"] == 200
        assert self.send(Call("GET", "/api/health")).json()["status"] == "ok"
        assert self.send(Call("GET", "/api/auth/authenticated")).json() is False
        assert not self.is_good("crm_nobody")
