"""Deals that a member may not see: they block, but neither their number nor their links are told or changed."""

from typing import Any

from deals.models import Deal
from tests.api.client import ApiTestCase, problem
from tests.dialects.base import secret_of
from tests.staff.base import action_url


class HiddenBlockerTests(ApiTestCase):
    def setUp(self) -> None:
        self.hidden = [self.private(name=f"Hidden {number}") for number in range(2)]

    def private(self, **change: Any) -> Any:
        return self.deal(
            actor=self.alice, owner=self.alice.member.pk, is_private=True, stage=self.offer.pk, **change
        )

    def test_count_is_of_the_visible_ones(self) -> None:
        for seen in (0, 1):
            if seen:
                self.deal(stage=self.offer.pk)
            for path in (f"/api/stages/{self.offer.pk}", f"/api/stages/{self.offer.pk}?dry_run=true"):
                body = problem(self.as_manager.delete(path), 409, "in_use")
                assert (body["count"], body["others"]) == (seen, True)
                assert "2" not in body["detail"]
                assert "3" not in body["detail"]
            body = problem(self.as_alice.delete(f"/api/stages/{self.offer.pk}"), 409, "in_use")
            assert (body["count"], body["others"]) == (2 + seen, False)

    def test_every_guard_of_stages_and_pipelines(self) -> None:
        stage = f"/api/stages/{self.offer.pk}"
        kept = [{"id": row.pk} for row in (self.new, self.won, self.lost)]
        other = self.renewals
        self.as_manager.patch(f"/api/pipelines/{other.pk}", {"is_default": True})
        for answer in (
            self.as_manager.patch(stage, {"kind": "won"}),
            self.as_manager.patch(f"/api/pipelines/{self.pipeline.pk}", {"stages": kept}),
            self.as_manager.delete(f"/api/pipelines/{self.pipeline.pk}"),
        ):
            body = problem(answer, 409, "in_use")
            assert (body["count"], body["others"]) == (0, True)

    def test_hidden_deals_are_moved_by_an_admin_alone(self) -> None:
        path = f"/api/stages/{self.offer.pk}?move_deals_to={self.new.pk}"

        body = problem(self.as_manager.delete(path), 409, "in_use")

        assert (body["count"], body["others"]) == (0, True)
        assert {deal.stage_id for deal in Deal.objects.all()} == {self.offer.pk}
        assert self.as_alice.delete(path).status_code == 204
        assert {deal.stage_id for deal in Deal.objects.all()} == {self.new.pk}

    def test_visible_deals_are_moved_as_before(self) -> None:
        Deal.objects.update(is_private=False)

        answer = self.as_manager.delete(f"/api/stages/{self.offer.pk}?move_deals_to={self.new.pk}")

        assert answer.status_code == 204

    def test_a_contact(self) -> None:
        person = self.person()
        self.private(contact=person.pk)
        self.deal(client=person.pk)

        one = problem(self.as_bob.delete(f"/api/contacts/{person.uuid}"), 409, "in_use")
        operations = [{"op": "delete", "uuid": str(person.uuid)}]
        many = self.as_bob.post("/api/contacts/bulk", {"atomic": False, "operations": operations}).json()

        assert (one["count"], one["others"]) == (1, True)
        assert one["detail"] == "This contact is used by 1 deal and others that you may not see."
        error = many["results"][0]["error"]
        assert (error["count"], error["others"]) == (1, True)

    def test_the_admin_and_the_dialects(self) -> None:
        self.manager.member.user.is_staff = True
        self.manager.member.user.save()
        self.client.force_login(self.manager.member.user)
        page = self.client.post(
            action_url("trash", self.offer), {"move_deals_to": self.new.pk}
        ).content.decode()

        assert "deals that you may not see" in page
        assert Deal.objects.filter(stage=self.offer.pk).count() == 2
        headers = {"Authorization": f"Bearer {secret_of(self.manager)}"}
        gone = f"/dialects/gauzy/api/pipelines/{self.pipeline.uuid}"
        answer = self.client.delete(gone, headers=headers)
        assert answer.status_code >= 400
        assert "2" not in str(answer.json()["message"])


class HiddenLinkTests(ApiTestCase):
    def setUp(self) -> None:
        self.next = self.deal(actor=self.alice, owner=self.alice.member.pk, is_private=True)
        self.row = self.deal(actor=self.alice, next_deal=self.next.pk)
        self.path = f"/api/deals/{self.row.uuid}"

    def test_null_over_a_hidden_link_changes_nothing(self) -> None:
        shown = self.as_bob.get(self.path).json()
        version = Deal.objects.get(pk=self.row.pk).version
        bulk = {
            "operations": [{"op": "update", "uuid": str(self.row.uuid), "data": {"next_deal_uuid": None}}]
        }

        assert shown["next_deal"] is None
        assert self.as_bob.patch(self.path, {"next_deal_uuid": None}).status_code == 200
        assert self.as_bob.post("/api/deals/bulk", bulk).status_code == 200

        row = Deal.objects.get(pk=self.row.pk)
        assert (row.next_deal_id, row.version) == (self.next.pk, version)

    def test_null_over_a_visible_link_clears_it(self) -> None:
        assert self.as_alice.patch(self.path, {"next_deal_uuid": None}).status_code == 200
        assert Deal.objects.get(pk=self.row.pk).next_deal_id is None

    def test_a_visible_deal_replaces_a_hidden_one(self) -> None:
        other = self.deal()

        self.as_bob.patch(self.path, {"next_deal_uuid": str(other.uuid)})

        assert Deal.objects.get(pk=self.row.pk).next_deal_id == other.pk

    def test_intum_sends_null_too(self) -> None:
        path = f"/dialects/intum/crm/deals/{self.row.pk}.json"
        headers = {"Authorization": f"Bearer {secret_of(self.bob)}"}

        answer = self.client.put(path, {"deal": {"next_deal_id": None}}, "application/json", headers=headers)

        assert answer.status_code == 200, answer.content
        assert Deal.objects.get(pk=self.row.pk).next_deal_id == self.next.pk
