"""Permissions: every route for every role, for an outsider and without a token; and private deals."""

import pytest
from django.db import transaction

from crm_project.api.views import ScopedView
from tests.api.client import ApiClient, ApiTestCase, problem
from tests.api.routes import PUBLIC, ROUTES, make_rows, pattern_of, served, served_methods


class RouteTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.rows = make_rows(cls)

    def tried(self, client, request):
        """The answer to a request that leaves nothing behind."""
        with transaction.atomic():
            answer = client.send(*request)
            transaction.set_rollback(True)
        return answer

    def test_every_role_gets_the_status_of_the_table(self):
        clients = (self.as_viewer, self.as_bob, self.as_manager, self.as_alice)
        wrong = {}
        for route in ROUTES:
            got = tuple(self.tried(client, route.request(self.rows)).status_code for client in clients)
            if got != route.expected:
                wrong[str(route)] = got
        assert wrong == {}

    @pytest.mark.once
    def test_an_outsider_cannot_tell_a_row_from_none(self):
        for route in ROUTES:
            if not route.names_a_row:
                continue
            answer = self.tried(self.as_charlie, route.request(self.rows))
            nothing = self.tried(self.as_charlie, route.request_for_nothing(self.rows))
            body = problem(answer, 404, "not_found")
            assert body | {"request_id": ""} == nothing.json() | {"request_id": ""}, route
            assert dict(answer.headers) | {"X-Request-ID": ""} == dict(nothing.headers) | {"X-Request-ID": ""}

    def test_an_outsider_s_lists_hold_nothing_of_ours(self):
        ours = [str(value) for value in self.rows.values() if not isinstance(value, int)]
        for route in ROUTES:
            if route.method != "GET" or route.names_a_row:
                continue
            for parameters in ({}, {"deleted": "only"}):
                text = self.as_charlie.get(route.path, **parameters).getvalue().decode()
                assert not [name for name in ours if name in text], route
                assert "@example.com" not in text

    @pytest.mark.once
    def test_without_a_token_it_is_401(self):
        for route in ROUTES:
            for client in (self.as_nobody, ApiClient(secret="crm_unknown")):
                answer = self.tried(client, route.request(self.rows))
                assert answer.status_code == 401, route
                assert answer["WWW-Authenticate"] == "Bearer"

    @pytest.mark.once
    def test_a_token_s_scopes_narrow_its_member(self):
        """An admin's token reads as a viewer, writes as a rep and sets up as a manager does."""
        readers = [ApiClient(self.alice, *scopes) for scopes in (["read"], ["read", "write"])]
        for route in ROUTES:
            # The admin owns the rows of some, which the rep of the table does not.
            owned = (
                *("/tokens", "/external-references", "/imports/", "/exports/", "/saved-views/"),
                "/notifications/{",
            )
            if any(part in route.path for part in owned):
                continue
            got = tuple(self.tried(client, route.request(self.rows)).status_code for client in readers)
            assert got == route.expected[:2], route

    @pytest.mark.once
    def test_a_token_without_read_reads_nothing(self):
        writer = ApiClient(self.alice, "write", "pipelines")
        for route in ROUTES:
            if route.method == "GET":
                problem(self.tried(writer, route.request(self.rows)), 403, "forbidden")


class CoverageTests(ApiTestCase):
    def test_every_view_is_scoped(self):
        unscoped = {
            place
            for place, view in served().items()
            if place not in PUBLIC and not issubclass(getattr(view, "cls", object), ScopedView)
        }
        assert unscoped == set()

    def test_every_route_is_in_the_table(self):
        rows = make_rows(self)
        tabled = {(pattern_of(route.path.format(**rows)), route.method) for route in ROUTES}
        routed = {
            (place, method)
            for place, view in served().items()
            if place not in PUBLIC
            for method in served_methods(view)
        }
        assert routed - tabled == set(), "served, and not in the table"
        assert tabled - routed == set(), "in the table, and not served"

    def test_what_is_public_holds_no_data(self):
        for path in ("/api/schema", "/api/docs", "/healthz"):
            answer = self.as_nobody.client.get(path)
            assert answer.status_code == 200
            assert b"example.org" not in answer.content


class PrivateDealTests(ApiTestCase):
    """Bob's private deal exists for him, for Victor, who is on its list, and for Alice, who is an admin."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.client_of_deal = cls.person(cls, email="secret@example.com", first_name="Secret")
        cls.secret = cls.deal(
            cls,
            name="Secret",
            is_private=True,
            amount="1000",
            contact=cls.client_of_deal.pk,
            access_list=[cls.viewer.member.pk],
            external_references=[("erp", "S-1")],
        )
        cls.open = cls.deal(cls, name="Open", amount="1", next_deal=cls.secret.pk)
        cls.path = f"/api/deals/{cls.secret.uuid}"

    def test_it_exists_for_those_who_may_see_it(self):
        for client in (self.as_bob, self.as_viewer, self.as_alice):
            assert client.get(self.path).status_code == 200
            assert client.names("/api/deals") == ["Open", "Secret"]
            assert client.get("/api/deals/summary").json()["count"] == 2

    def test_no_list_total_or_search_shows_it(self):
        pipeline = f"/api/pipelines/{self.pipeline.pk}/deals"
        for path, parameters in (
            ("/api/deals", {}),
            ("/api/deals", {"is_private": "true"}),
            ("/api/deals", {"q": "secret"}),
            ("/api/deals", {"external_system": "erp", "external_id": "S-1"}),
            ("/api/deals", {"contact": self.client_of_deal.uuid}),
            ("/api/deals", {"contact_email": "secret@example.com"}),
            ("/api/deals", {"amount_min": "1000"}),
            ("/api/deals", {"ordering": "amount"}),
            (pipeline, {}),
            (pipeline, {"q": "secret"}),
        ):
            page = self.as_manager.get(path, total="true", **parameters).json()
            assert "Secret" not in [row["name"] for row in page["results"]]
            assert page["count"] == len(page["results"])
        summary = self.as_manager.get("/api/deals/summary").json()
        assert (summary["count"], summary["totals"][0]["amount"]) == (1, "1.00")
        assert self.as_manager.rows("/api/external-references") == []

    def test_no_path_leads_to_it(self):
        follower = f"{self.path}/followers/{self.manager.member.uuid}"
        reference = f"/api/external-references/{self.secret.references.get().uuid}"
        for method, path, *body in (
            ("GET", self.path),
            ("PATCH", self.path, {"name": "x"}),
            ("DELETE", self.path),
            ("POST", f"{self.path}/restore"),
            ("PUT", follower),
            ("DELETE", follower),
            ("GET", "/api/deals/external/erp/S-1"),
            ("GET", reference),
            ("PATCH", reference, {"external_id": "x"}),
            ("DELETE", reference),
        ):
            problem(self.as_manager.send(method, path, *body), 404, "not_found")

    def test_another_deal_does_not_tell_of_it(self):
        shown = self.as_manager.get(f"/api/deals/{self.open.uuid}").json()

        assert shown["next_deal"] is None
        assert self.as_bob.get(f"/api/deals/{self.open.uuid}").json()["next_deal"]["name"] == "Secret"
        answer = self.as_manager.post("/api/deals", {"name": "x", "next_deal_uuid": str(self.secret.uuid)})
        problem(answer, 400, "does_not_exist", "/next_deal_uuid")

    def test_sending_back_what_hides_it_keeps_it(self):
        path = f"/api/deals/{self.open.uuid}"

        assert self.as_manager.patch(path, self.as_manager.get(path).json()).status_code == 200
        assert self.as_manager.patch(path, {"name": "Renamed"}).status_code == 200

        assert self.as_bob.get(path).json()["next_deal"]["name"] == "Secret"

    def test_an_upsert_learns_nothing_but_that_the_key_is_taken(self):
        by_reference = {"external_system": "erp", "external_id": "S-1", "name": "x"}
        body = problem(self.as_manager.post("/api/deals/upsert", by_reference), 409, "reference_taken")
        assert "candidates" not in body
        assert "Secret" not in str(body)

        by_uuid = {"uuid": str(self.secret.uuid), "name": "x"}
        problem(self.as_manager.post("/api/deals/upsert", by_uuid), 404, "not_found")

        by_contact = {"contact_email": "secret@example.com", "name": "x"}
        made = self.as_manager.post("/api/deals/upsert", by_contact)
        assert (made.status_code, made.json()["outcome"]) == (201, "created")

    def test_a_reference_cannot_be_given_to_it(self):
        body = {"system": "s", "kind": "deal", "external_id": "1", "row": str(self.secret.uuid)}

        problem(self.as_manager.post("/api/external-references", body), 400, "does_not_exist", "/row")

    def test_it_stays_hidden_in_the_trash(self):
        self.as_bob.delete(self.path)

        assert self.as_manager.names("/api/deals", deleted="only") == []
        problem(self.as_manager.get(self.path, deleted="only"), 404, "not_found")
        problem(self.as_manager.post(f"{self.path}/restore"), 404, "not_found")
        assert self.as_viewer.names("/api/deals", deleted="only") == ["Secret"]
        assert self.as_bob.post(f"{self.path}/restore").status_code == 200

    def test_it_counts_among_the_others_of_what_it_uses(self):
        body = problem(self.as_manager.delete(f"/api/contacts/{self.client_of_deal.uuid}"), 409, "in_use")
        assert (body["count"], body["others"]) == (0, True)

    def test_only_insiders_set_the_privacy_of_a_deal(self):
        opened = self.deal(self.manager)

        problem(self.as_bob.patch(f"/api/deals/{opened.uuid}", {"is_private": True}), 403, "forbidden")
        listed = {"access_list_uuids": [str(self.bob.member.uuid)]}
        problem(self.as_bob.patch(f"/api/deals/{opened.uuid}", listed), 403, "forbidden")
        answer = self.as_manager.patch(f"/api/deals/{opened.uuid}", {"is_private": True} | listed)
        assert answer.status_code == 200
        assert self.as_bob.get(f"/api/deals/{opened.uuid}").status_code == 200
