"""Compressed answers: the tag of the plain one, and no secret in them."""

import gzip

import pytest
from django.test import Client

from tests.api.client import ApiTestCase
from tests.dialects.base import secret_of

pytestmark = pytest.mark.once

GZIP = {"Accept-Encoding": "gzip"}


class CompressionTests(ApiTestCase):
    def test_a_compressed_answer_keeps_the_strong_tag(self):
        deal = self.deal(name="x", description="text " * 200)
        for path in ("/api/deals", f"/api/deals/{deal.uuid}", "/api/pipelines"):
            plain = self.as_bob.get(path)
            small = self.as_bob.send("GET", path, headers=GZIP)

            assert small["Content-Encoding"] == "gzip"
            assert gzip.decompress(small.content) == plain.content
            assert int(small["Content-Length"]) == len(small.content) < len(plain.content)
            assert small["ETag"] == plain["ETag"]
            assert "Accept-Encoding" in plain["Vary"]
            for headers in ({}, GZIP):
                condition = {"If-None-Match": small["ETag"], **headers}
                again = self.as_bob.send("GET", path, headers=condition)
                assert (again.status_code, again.content) == (304, b"")

    def test_the_tag_of_a_compressed_answer_is_a_condition_of_a_write(self):
        deal = self.deal(name="x")
        path = f"/api/deals/{deal.uuid}"
        tag = self.as_bob.send("GET", path, headers=GZIP)["ETag"]

        changed = self.as_bob.send("PATCH", path, {"name": "y"}, headers={"If-Match": tag, **GZIP})

        assert changed.status_code == 200
        assert changed["ETag"] != tag
        assert self.as_bob.patch(path, {"name": "z"}, headers={"If-Match": tag}).status_code == 412

    def test_a_retry_gets_the_same_bytes_compressed_or_not(self):
        key = {"Idempotency-Key": "k"}
        first = self.as_bob.send("POST", "/api/deals", {"name": "x"}, headers={**key, **GZIP})
        again = self.as_bob.send("POST", "/api/deals", {"name": "x"}, headers=key)

        assert first["Content-Encoding"] == "gzip"
        assert gzip.decompress(first.content) == again.content

    def test_an_answer_with_a_secret_stays_plain(self):
        self.bob.member.user.set_password("a long password")
        self.bob.member.user.save()
        login = {"email": self.bob.member.user.email, "password": "a long password"}
        office = {"userName": login["email"], "password": login["password"]}
        for path, body in (
            ("/api/tokens", {"name": "x" * 200}),
            ("/dialects/gauzy/api/auth/login", login),
            ("/dialects/onlyoffice/api/2.0/authentication", office),
        ):
            headers = {**GZIP, "Authorization": f"Bearer {secret_of(self.bob)}"}
            answer = Client().post(path, body, content_type="application/json", headers=headers)

            assert answer.status_code in (200, 201), answer.content
            assert b"crm_" in answer.content
            assert "Content-Encoding" not in answer

    def test_a_page_with_a_new_token_stays_plain(self):
        client, user = Client(), self.alice.member.user
        user.is_staff = True
        user.save()
        client.force_login(user)

        sent = {
            "name": "x",
            "member": self.alice.member.pk,
            "scopes": ["read"],
            "expires_at_0": "",
            "expires_at_1": "",
        }
        page = client.post("/admin/accounts/apitoken/add/", sent, headers=GZIP)

        assert page.status_code == 200
        assert b"crm_" in page.content
        assert "Content-Encoding" not in page
        assert client.get("/admin/accounts/apitoken/add/", headers=GZIP)["Content-Encoding"] == "gzip"

    def test_dialects_are_compressed(self):
        self.deal(name="x")
        headers = {**GZIP, "Authorization": f"Bearer {secret_of(self.bob)}"}

        answer = Client().get("/dialects/gauzy/api/deals", headers=headers)

        assert answer["Content-Encoding"] == "gzip"
