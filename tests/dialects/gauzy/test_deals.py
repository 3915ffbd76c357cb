"""Gauzy's deals: the document's requests, the common contract, relations, filters, the trash."""

import json
from decimal import Decimal
from typing import Any
from unittest import mock

from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.services import update_contacts
from crm_project.accounts.services import create_token
from crm_project.dialects.gauzy.views.contacts import GauzyContactView
from crm_project.dialects.gauzy.views.deals import GauzyDealView
from crm_project.records.services import change_references
from deals.models import Deal
from deals.services import trash_deals
from tests.dialects.base import BaseTestCase, Call, DialectContract, bearer
from tests.dialects.gauzy.base import DEAL, Gauzy


class TestDeals(Gauzy, DialectContract, BaseTestCase):
    def create(self, **deal: Any) -> Any:
        answer = self.as_actor(self.bob, self.create_call(**deal))
        assert answer.status_code == 201, answer.content
        return answer.json()

    def test_the_documents_deal_is_made_as_printed(self) -> None:
        shown = self.create()

        assert (shown["title"], shown["probability"]) == (DEAL["title"], DEAL["probability"])
        assert shown["stageId"] == str(self.new.uuid)
        assert shown["clientId"] == str(self.client_row.uuid)
        assert shown["createdByUserId"] == str(self.bob.member.uuid)

    def test_a_put_changes_what_it_names(self) -> None:
        shown = self.create()

        body = {"stageId": str(self.offer.uuid), "probability": 90}
        answer = self.ask("PUT", f"/api/deals/{shown['id']}", body, self.bob)

        assert (answer.status_code, answer.json()) == (202, {"generatedMaps": [], "raw": [], "affected": 1})
        again = self.got(f"/api/deals/{shown['id']}")
        assert (again["stageId"], again["probability"], again["title"]) == (*body.values(), DEAL["title"])

    def test_the_probability_of_a_closed_deal_is_ignored_and_named_even_if_it_is_kept_for_a_reopening(
        self,
    ) -> None:
        path = f"/api/deals/{self.create(probability=4)['id']}"
        moved = self.ask("PUT", path, {"stageId": str(self.won.uuid)}, self.bob)

        again = self.ask("PUT", path, {"probability": 4}, self.bob)

        assert "X-Ignored-Fields" not in moved
        assert (self.got(path)["probability"], again["X-Ignored-Fields"]) == (100, "probability")

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        kinds = [
            self.deal(),
            self.deal(contact=self.person().pk),
            self.deal(status="abandoned", amount=Decimal(5)),
            self.deal(bid_type="month", bid_value=Decimal(1000), bid_periods=12, probability=33),
            self.deal(amount=Decimal("10.50"), amount_gross=Decimal(13), is_private=True),
            self.deal(stage=self.won.pk, client=self.client_row.pk),
        ]
        for deal in kinds:
            version = Deal.objects.get(pk=deal.pk).version
            shown = self.as_actor(self.bob, Call("GET", f"/api/deals/{deal.uuid}")).json()

            answer = self.as_actor(self.bob, Call("PUT", f"/api/deals/{deal.uuid}", shown))

            assert answer.status_code == 202, answer.content
            assert Deal.objects.get(pk=deal.pk).version == version

    def test_relations_are_embedded_on_request(self) -> None:
        shown = self.create()

        query = {"relations[0]": "stage", "relations[1]": "client", "relations[2]": "createdByUser"}
        full = self.got(f"/api/deals/{shown['id']}", **query)

        assert full["stage"]["name"] == self.new.name
        assert full["client"]["name"] == "Acme Corp"
        assert full["createdByUser"]["email"] == "bob@example.com"
        assert "stage" not in shown

    def test_lists_filter_and_count(self) -> None:
        self.create()
        other = self.deal(stage=self.offer.pk)

        found = self.got("/api/deals", **{"where[stageId]": str(self.offer.uuid)})
        assert [deal["id"] for deal in found["items"]] == [str(other.uuid)]
        either: Any = {"where[stageId][]": [str(self.offer.uuid), str(self.new.uuid), "nothing"]}
        assert self.got("/api/deals", **either)["total"] == 2
        assert self.got("/api/deals/count") == 2
        assert self.got("/api/deals/pagination", take="1")["total"] == 2
        assert self.got("/api/deals", **{"where[clientId]": str(other.uuid)})["items"] == []
        self.refused(self.ask("GET", "/api/deals", **{"where[nonsense]": "1"}), 400)
        self.refused(self.ask("GET", "/api/deals", data="{"), 400)
        self.refused(self.ask("GET", "/api/deals/pagination", take="101"), 400)

    def test_the_trash(self) -> None:
        path = f"/api/deals/{self.create()['id']}"

        assert self.ask("DELETE", path).json() == {"raw": [], "affected": 1}
        self.refused(self.ask("GET", path), 404)
        assert self.ask("PUT", f"{path}/recover").json()["deletedAt"] is None
        assert self.got(path)["title"] == DEAL["title"]

    def test_an_id_of_the_old_system_names_its_row(self) -> None:
        old = "11111111-2222-4333-8444-555555555555"
        change_references(actor=self.alice, row=self.new, add=[("gauzy", old)])

        assert self.create(stageId=old)["stageId"] == old

    def test_a_list_costs_the_same_for_many_rows(self) -> None:
        secret = create_token(actor=self.bob, name="test")[1]
        asked: Any = {"relations": "stage,stage.pipeline,client,client.contact,createdByUser,tenant"}
        call = bearer(Call("GET", "/api/deals", query=asked), secret)
        counts = set()
        for total in (3, 20):
            while Deal.objects.count() < total:
                self.deal(client=self.client_row.pk)
            self.send(call)
            with CaptureQueriesContext(connection) as queries:
                assert len(self.send(call).json()["items"]) == total
            counts.add(len(queries))
        assert len(counts) == 1

    def test_filters_beside_where(self) -> None:
        """As the vendor's assistant writes them."""
        mine = self.create()
        person = self.person()
        self.deal(contact=person.pk)

        beside = {"clientId": str(self.client_row.uuid), "organizationId": str(self.organization.uuid)}
        assert [deal["id"] for deal in self.got("/api/deals", **beside)["items"]] == [mine["id"]]
        assert self.got("/api/deals/count", clientId=str(person.uuid)) == 1
        assert self.got("/api/deals/count", createdByUserId=str(self.alice.member.uuid)) == 0
        assert self.got("/api/deals", pipelineId=str(self.renewals.uuid))["total"] == 0
        assert self.got("/api/deals", search="acme corp")["total"] == 1
        assert self.got("/api/deals/search", query="acme corp")["items"][0]["id"] == mine["id"]
        found = self.as_actor(self.alice, Call("GET", "/api/deals/me", query={"limit": "5"})).json()
        assert found == {"items": [], "total": 0}

    def test_relations_of_relations(self) -> None:
        query = {"relations": ["stage.pipeline", "stage", "client", "client.contact", "tenant"]}

        full = self.got(f"/api/deals/{self.create()['id']}", **query)

        assert full["stage"]["pipeline"]["name"] == self.pipeline.name
        assert full["client"]["contact"]["city"] == ""
        assert full["tenant"]["id"] == full["tenantId"]

    def test_what_the_core_cannot_hold_is_refused(self) -> None:
        for words in ({"isArchived": True}, {"isActive": False}):
            self.refused(self.as_actor(self.bob, self.create_call(**words)), 400)
        assert self.create(isArchived=False, isActive=True)

    def test_an_old_id_brings_its_row_back(self) -> None:
        """A client that stored its own id of a deal finds it in the trash under that id."""
        old = "22222222-2222-4333-8444-555555555555"
        deal = self.deal()
        change_references(actor=self.alice, row=deal, add=[("gauzy", old)])
        path = f"/api/deals/{old}"

        assert self.ask("DELETE", f"{path}/soft").json()["deletedAt"]
        assert self.got(path, withDeleted="true")["id"] == old
        assert self.ask("PUT", f"{path}/recover").json()["id"] == old

    def test_a_list_that_is_too_long_to_hold(self) -> None:
        """It goes out in parts, and reads like a short one."""
        for number in range(7):
            self.deal(name=f"Deal {number}", client=self.client_row.pk)
        query = {"relations[]": "client", "order[title]": "DESC", "select[title]": "true"}
        short = self.got("/api/deals", **query)

        views = "crm_project.dialects.gauzy.views"
        with mock.patch(f"{views}.entities.AT_ONCE", 3), mock.patch(f"{views}.streams.AT_ONCE", 3):
            answer = self.ask("GET", "/api/deals", **query)
            part = self.ask("GET", "/api/deals", take="4", skip="1", **query)

        assert answer.streaming
        assert answer["Content-Type"] == "application/json"
        assert json.loads(answer.getvalue()) == short
        assert json.loads(part.getvalue()) == {"items": short["items"][1:5], "total": 7}

    def test_relations_of_other_lists_are_ignored_and_named(self) -> None:
        self.create()

        for name in ("stage.deals", "client.projects", "stage.pipeline.stages", "nothing"):
            answer = self.ask("GET", "/api/deals", **{"relations[]": name})

            assert answer.status_code == 200, (name, answer.content)
            assert f"relations.{name}" in answer["X-Ignored-Fields"]


class TestLongLists(Gauzy, BaseTestCase):
    """A long list is built from plain values, and has the bytes that the serializers make of a short one."""

    def setUp(self) -> None:
        super().setUp()
        person = self.person(first_name="Zoë", phone="+33 1 55 96 02 43")
        update_contacts(
            actor=self.alice,
            changes=[
                (person, {"custom_fields": {"contact_type": "LEAD"}, "free_custom_fields": ["contact_type"]})
            ],
        )
        made = [
            self.deal(name="Nobody's"),
            self.deal(name="Hers", contact=person.pk, client=self.client_row.pk, probability=35),
            self.deal(self.manager, name="Person alone", contact=person.pk, stage=self.offer.pk),
            self.deal(self.alice, name="Won", client=self.client_row.pk, stage=self.won.pk),
            self.deal(name="Lost", stage=self.lost.pk),
            self.deal(name="Left", status="abandoned"),
            self.deal(name="Trashed"),
        ]
        Deal.objects.filter(pk=made[0].pk).update(created_by=None)
        for row in (made[1], person, self.new, self.manager.member, self.organization):
            change_references(actor=self.alice, row=row, add=[("gauzy", f"theirs-{row.pk}")])
        trash_deals(actor=self.alice, rows=made[-1:])

    def check(self, path: str, **query: str) -> None:
        views = "crm_project.dialects.gauzy.views"
        short = self.ask("GET", path, **query)
        assert short.status_code == 200, short.content
        with mock.patch(f"{views}.entities.AT_ONCE", 0), mock.patch(f"{views}.streams.AT_ONCE", 3):
            long = self.ask("GET", path, **query)

        assert long.streaming
        assert long.getvalue() == short.content, (path, query)

    def test_of_deals(self) -> None:
        relations = ("", *sorted(GauzyDealView.relates), ",".join(sorted(GauzyDealView.relates)))
        for relation in relations:
            self.check("/api/deals", relations=relation, withDeleted="true")
        self.check("/api/deals", relations="client,createdByUser,tenant,stage.pipeline")
        self.check(f"/api/pipelines/{self.pipeline.uuid}/deals")

    def test_of_contacts(self) -> None:
        for relation in ("", *sorted(GauzyContactView.relates)):
            self.check("/api/organization-contact", relations=relation, withDeleted="true")

    def test_costs_the_same_queries_for_each_part(self) -> None:
        views = "crm_project.dialects.gauzy.views"
        counts = []
        for size in (3, 6):
            for _ in range(size):
                self.deal(name="More", client=self.client_row.pk)
            with (
                mock.patch(f"{views}.entities.AT_ONCE", 0),
                mock.patch(f"{views}.streams.AT_ONCE", 100),
                CaptureQueriesContext(connection) as queries,
            ):
                self.ask("GET", "/api/deals", relations="client,createdByUser,stage.pipeline").getvalue()
            counts.append(len(queries))

        assert counts[0] == counts[1]
