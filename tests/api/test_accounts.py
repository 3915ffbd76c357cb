"""`/api/me`, `/api/users` and `/api/tokens` over HTTP: who one is, and secrets that are shown once."""

import datetime

from django.utils import timezone

from crm_project.accounts.models import ApiToken
from tests.api.client import ApiClient, ApiTestCase, problem


class MeTests(ApiTestCase):
    def test_it_has_the_member_and_the_permissions(self):
        body = self.as_manager.get("/api/me").json()

        assert body == {
            "user": {
                "uuid": str(self.manager.member.uuid),
                "email": "mary@example.com",
                "full_name": "Mary",
            },
            "organization": {
                "uuid": str(self.organization.uuid),
                "slug": "alice",
                "name": "Alice and Co",
                "currency": "EUR",
                "time_zone": "UTC",
                "country": "",
                "language": "en",
            },
            "role": "manager",
            "permissions": ["edit_deals", "edit_pipelines", "view"],
            "token": {
                "uuid": str(ApiToken.objects.get(member=self.manager.member).uuid),
                "name": "test",
                "scopes": ["read", "write", "pipelines"],
                "expires_at": None,
            },
        }

    def test_scopes_narrow_the_permissions(self):
        me = ApiClient(self.alice, "read").get("/api/me").json()

        assert (me["role"], me["permissions"]) == ("admin", ["view"])

    def test_without_a_token_it_is_401(self):
        for client in (self.as_nobody, ApiClient(secret="crm_wrong"), ApiClient(secret="é")):
            answer = client.get("/api/me")
            assert answer.status_code == 401
            assert answer["WWW-Authenticate"] == "Bearer"

    def test_a_revoked_an_expired_and_a_leaver_s_token_are_401(self):
        clients = [ApiClient(self.bob) for _ in range(3)]
        tokens = ApiToken.objects.order_by("-id")[:2]
        ApiToken.objects.filter(pk=tokens[0].pk).update(revoked_at=timezone.now())
        ApiToken.objects.filter(pk=tokens[1].pk).update(expires_at=timezone.now())
        assert [client.get("/api/me").status_code for client in clients] == [200, 401, 401]

        self.bob.member.user.is_active = False
        self.bob.member.user.save()

        assert clients[0].get("/api/me").status_code == 401


class UserTests(ApiTestCase):
    def test_it_lists_the_members_under_their_own_uuid(self):
        rows = self.as_viewer.rows("/api/users")

        assert [row["full_name"] for row in rows] == ["Alice", "Mary", "Bob", "Victor"]
        assert rows[2] == {
            "uuid": str(self.bob.member.uuid),
            "full_name": "Bob",
            "email": "bob@example.com",
            "role": "rep",
            "is_active": True,
        }
        assert self.as_viewer.get(f"/api/users/{self.bob.member.uuid}").json() == rows[2]

    def test_it_is_read_only(self):
        path = f"/api/users/{self.bob.member.uuid}"
        for method, where in (("POST", "/api/users"), ("PATCH", path), ("PUT", path), ("DELETE", path)):
            answer = self.as_alice.send(method, where, {})
            problem(answer, 405, "method_not_allowed")
            assert answer["Allow"] == "GET, HEAD, OPTIONS"


class TokenTests(ApiTestCase):
    def test_the_secret_is_shown_once_and_works(self):
        answer = self.as_bob.post("/api/tokens", {"name": "shop", "scopes": ["read", "write"]})

        body = answer.json()
        assert answer.status_code == 201
        assert list(body) == [
            *("uuid", "name", "user", "hint", "scopes", "expires_at", "app_code"),
            *("revoked_at", "last_used_at", "created_at", "secret"),
        ]
        secret = body.pop("secret")
        assert secret.startswith(body["hint"])
        assert self.as_bob.get(answer["Location"]).json() == body
        assert ApiClient(secret=secret).get("/api/me").json()["permissions"] == ["edit_deals", "view"]
        for page in (answer["Location"], "/api/tokens"):
            for client in (self.as_bob, self.as_alice):
                assert secret not in client.get(page).content.decode()
        assert not ApiToken.objects.filter(digest=secret).exists()

    def test_one_sees_one_s_own_and_an_admin_everybody_s(self):
        assert {row["user"]["full_name"] for row in self.as_bob.rows("/api/tokens")} == {"Bob"}
        everybody = {row["user"]["full_name"] for row in self.as_alice.rows("/api/tokens")}
        assert everybody == {"Alice", "Mary", "Bob", "Victor"}

    def test_a_token_never_makes_a_wider_one(self):
        reader = ApiClient(self.bob, "read")
        for body in ({"name": "x"}, {"name": "x", "scopes": ["read", "write"]}):
            problem(reader.post("/api/tokens", body), 400, "wider", "/scopes")

        assert reader.post("/api/tokens", {"name": "x", "scopes": ["read"]}).status_code == 201

    def test_a_token_never_makes_one_that_outlives_it(self):
        soon = timezone.now() + datetime.timedelta(hours=1)
        body = {"name": "brief", "expires_at": soon.isoformat()}
        brief = ApiClient(secret=self.as_bob.post("/api/tokens", body).json()["secret"])

        later = (soon + datetime.timedelta(seconds=1)).isoformat()
        problem(brief.post("/api/tokens", {"name": "x"}), 400, "wider", "/expires_at")
        problem(brief.post("/api/tokens", {"name": "x", "expires_at": later}), 400, "wider", "/expires_at")

        assert brief.post("/api/tokens", body).status_code == 201

    def test_only_an_admin_makes_one_for_another(self):
        body = {"name": "for Bob", "user_uuid": str(self.bob.member.uuid)}

        problem(self.as_manager.post("/api/tokens", body), 403, "forbidden")
        made = self.as_alice.post("/api/tokens", body)

        assert made.json()["user"]["full_name"] == "Bob"
        foreign = body | {"user_uuid": str(self.charlie.member.uuid)}
        problem(self.as_alice.post("/api/tokens", foreign), 400, "does_not_exist", "/user_uuid")

    def test_what_is_wrong_is_named(self):
        for body, code, pointer in (
            ({}, "required", "/name"),
            ({"name": " "}, "blank", "/name"),
            ({"name": "\ud800"}, "invalid", "/name"),
            ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "past", "/expires_at"),
            ({"name": "x", "scopes": ["root"]}, "invalid_choice", "/scopes/0"),
            ({"name": "x", "scopes": []}, "min_length", "/scopes"),
        ):
            problem(self.as_bob.post("/api/tokens", body), 400, code, pointer)

    def test_only_its_name_changes(self):
        path = f"/api/tokens/{ApiToken.objects.get(member=self.bob.member).uuid}"

        assert self.as_bob.patch(path, {"name": "new"}).json()["name"] == "new"
        for body in ({"scopes": ["read"]}, {"expires_at": "2030-01-01T00:00:00Z"}):
            problem(self.as_bob.patch(path, body), 400, "read_only", *(f"/{name}" for name in body))
        answer = self.as_bob.patch(path, {"user_uuid": str(self.alice.member.uuid)})
        problem(answer, 400, "unknown_field", "/user_uuid")

    def test_deleting_revokes(self):
        other = ApiClient(self.bob)
        path = f"/api/tokens/{ApiToken.objects.filter(member=self.bob.member).latest('id').uuid}"

        assert self.as_bob.delete(path).status_code == 204

        assert other.get("/api/me").status_code == 401
        revoked = self.as_bob.get(path).json()["revoked_at"]
        assert revoked is not None
        assert self.as_bob.delete(path).status_code == 204
        assert self.as_bob.get(path).json()["revoked_at"] == revoked

    def test_others_tokens_do_not_exist(self):
        path = f"/api/tokens/{ApiToken.objects.get(member=self.alice.member).uuid}"
        for client in (self.as_manager, self.as_charlie):
            for answer in (client.get(path), client.patch(path, {"name": "x"}), client.delete(path)):
                problem(answer, 404, "not_found")
