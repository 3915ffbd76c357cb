"""Plain rows and compiled serializers answer with the bytes of model instances and of DRF's own loop."""

from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from unittest import mock
from uuid import uuid4

import pytest
from django.db.models import Prefetch
from rest_framework import serializers

from crm_project.accounts.models import Member
from crm_project.accounts.services import create_token, deactivate_member
from crm_project.api.compiled import Serializer
from crm_project.errors import Invalid
from crm_project.records.kinds import Private, kinds
from crm_project.records.rows import PlainRow, plain_row
from deals import rows
from deals.models import Deal, DealAccess, DealContact, DealFollower
from deals.services import create_deals, create_lost_reason, trash_deals, trash_lost_reason, update_deals
from pipelines.services import create_stage
from tests.api.client import ApiTestCase
from tests.dialects.base import Call, DialectClient, bearer
from tests.factories import CompanyFactory, CustomFieldFactory
from tests.notes import declared

ORDERINGS = [
    f"{sign}{name}"
    for name in ("created_at", "updated_at", "amount", "expected_close_date", "closed_at", "name", "status")
    for sign in ("", "-")
]
FILTERS = [
    "status=open",
    "status_not=open",
    "owner=me",
    "owner_not=me,none",
    "amount_min=5&amount_max=20",
    "is_private=true",
    "next_deal_empty=true",
    "q=deal",
    "custom_city=Riga",
    "deleted=only",
    "total=true",
    "as_of=2100-01-01",
    "fields=uuid,owner,participants",
    "expand=contact,client,owner,stage,pipeline",
    "page_size=2",
]
DIALECTS = {
    "intum": "/crm/deals.json",
    "xalantis": "/api/v1/deals",
    "onlyoffice": "/api/2.0/crm/opportunity/filter",
    "gauzy": "/api/deals",
}


def instances(deals, member):
    """The deals as model instances, with the relations that plain rows have."""
    people = (
        Prefetch("contact_links", DealContact.objects.select_related("contact").order_by("id")),
        Prefetch("follower_links", DealFollower.objects.select_related("member__user").order_by("id")),
        Prefetch("access_links", DealAccess.objects.select_related("member__user").order_by("id")),
        Prefetch("next_deal", Deal.objects.visible_to(member)),
    )
    related = ("stage__pipeline", "contact", "client", "owner__user", "created_by__user", "lost_reason")
    return deals.select_related(*related).prefetch_related(*people, "references")


@contextmanager
def without_rows():
    """Model instances, and DRF's own way of making representations and fields."""

    def visible(uuid, member):
        return instances(Deal.objects.visible_to(member).filter(uuid=uuid), member).first()

    def again(deal_id, member):
        return instances(Deal.objects.filter(pk=deal_id), member).get()

    plain = serializers.Serializer
    with (
        mock.patch.object(rows, "for_reading", instances),
        mock.patch.object(rows, "read_visible", visible),
        mock.patch.object(rows, "read_again", again),
        mock.patch.object(rows, "written", return_value=None),
        mock.patch.object(Serializer, "to_representation", plain.to_representation),
        mock.patch.object(Serializer, "varies", True),
    ):
        yield


@pytest.mark.slow
class SameBytesTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        CustomFieldFactory(actor=cls.alice, key="city")
        reason = create_lost_reason(actor=cls.alice, change={"name": "Price"})
        company = CompanyFactory(actor=cls.bob)
        people = [cls.person(cls, cls.bob), cls.person(cls, cls.bob, company=company.pk)]
        hidden = cls.deal(cls, cls.alice, is_private=True, name="Hidden", owner=cls.alice.member.pk)
        shared = {"is_private": True, "access_list": [cls.bob.member.pk]}
        nameless = cls.deal(cls, cls.bob, name="", client=company.pk)
        full = {
            "contact": people[0].pk,
            "client": company.pk,
            "owner": cls.bob.member.pk,
            "members": [person.pk for person in people],
            "followers": [cls.alice.member.pk, cls.viewer.member.pk],
            "external_references": [("shop", "1"), ("erp", "2")],
            "custom_fields": {"city": "Riga"},
            "expected_close_date": "2030-01-31",
        }
        cls.full = cls.deal(cls, cls.bob, amount="10.5", next_deal=nameless.pk, **full)
        cls.deal(cls, cls.alice, amount="0", next_deal=hidden.pk, contact=people[1].pk)
        cls.deal(cls, cls.alice, amount="20", bid_type="hour", bid_value=Decimal(5), bid_periods=4)
        cls.deal(cls, cls.manager, owner=cls.manager.member.pk, name="Łódź “€”", **shared)
        cls.deal(cls, cls.bob, stage=cls.lost.pk, lost_reason=reason.pk)
        cls.deal(cls, cls.bob, stage=cls.won.pk, currency="JPY", amount="7")
        trash_lost_reason(actor=cls.alice, lost_reason=reason)
        trash_deals(actor=cls.bob, rows=[cls.deal(cls, cls.bob, name="Trashed")])
        cls.deactivated = cls.deal(cls, cls.alice, owner=cls.manager.member.pk, name="Left")
        cls.clients = [cls.as_alice, cls.as_manager, cls.as_bob, cls.as_viewer, cls.as_charlie]
        cls.secret = create_token(actor=cls.bob, name="dialects")[1]

    def same(self, send, *arguments, **parameters):
        """The body of the answer, made in both ways."""
        found = send(*arguments, **parameters)
        with without_rows():
            expected = send(*arguments, **parameters)
        assert found.status_code == expected.status_code == 200, found.content
        assert found.content == expected.content
        return found.content

    def test_lists_of_every_role_in_every_order(self):
        for client in self.clients:
            for ordering in ORDERINGS:
                self.same(client.get, f"/api/deals?ordering={ordering}")

    def test_lists_of_every_role_with_filters(self):
        for client in self.clients:
            # Charlie's organization has no such custom field.
            for filters in FILTERS if client is not self.as_charlie else FILTERS[:8]:
                self.same(client.get, f"/api/deals?{filters}")

    def test_single_deals_of_every_role(self):
        for client in self.clients:
            seen = {row["uuid"] for row in client.rows("/api/deals")}
            for deal in Deal.objects.all():
                path = f"/api/deals/{deal.uuid}"
                if str(deal.uuid) in seen:
                    self.same(client.get, path)
                else:
                    assert client.get(path).status_code == 404

    def test_a_write_answers_with_them_too(self):
        self.same(self.as_bob.patch, f"/api/deals/{self.full.uuid}", {})

    def test_lists_of_the_dialects(self):
        for system, path in DIALECTS.items():
            client = DialectClient()
            client.system = system
            body = self.same(client.send, bearer(Call("GET", path), self.secret))
            assert b"Left" in body, system

    def test_deals_of_a_member_who_has_left(self):
        deactivate_member(actor=self.alice, member=self.manager.member)

        self.same(self.as_bob.get, "/api/deals")

    def test_they_are_read_as_rows(self):
        deals = Deal.objects.visible_to(self.bob.member).for_reading(self.bob.member)

        assert all(isinstance(deal, PlainRow) for deal in deals)

    def test_a_compiled_read_does_not_outlive_its_rule(self):
        path = f"/api/deals/{self.deactivated.uuid}"
        assert self.as_bob.get(path).status_code == 200

        def own_only(deals, member):
            return deals.filter(organization_id=member.organization_id, owner=member)

        with declared(replace(kinds["deal"], visible=Private(own_only))):
            assert self.as_bob.get(path).status_code == 404
            assert self.as_manager.get(path).status_code == 200

    def test_what_was_not_read_is_read_when_it_is_used(self):
        row = plain_row(Member, id=self.bob.member.pk)

        assert row.role == "rep"
        assert row.full_name == "Bob"
        assert not hasattr(row, "nothing")


class AnswersOfWritesTests(ApiTestCase):
    """A write answers with what it has written; the bytes and the ETag are those of the next read."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        for key, kind in (("city", "text"), ("a_much_longer_key", "number"), ("size", "number")):
            CustomFieldFactory(actor=cls.alice, key=key, type=kind)
        cls.reason = create_lost_reason(actor=cls.alice, change={"name": "Price"})
        cls.company = CompanyFactory(actor=cls.bob)
        cls.people = [cls.person(cls, cls.bob, email=f"p{n}@example.com") for n in range(3)]
        cls.before = cls.deal(cls, cls.bob, name="", client=cls.company.pk)

    def written(self, answer):
        assert answer.status_code in (200, 201), answer.content
        read = self.as_bob.get(f"/api/deals/{answer.json()['uuid']}")
        assert answer.headers["ETag"] == read.headers["ETag"]
        kept = {name: value for name, value in answer.json().items() if name in read.json()}
        assert list(kept.items()) == list(read.json().items())
        return answer.json()["uuid"]

    def bodies(self):
        """One change after the other."""
        people = [str(person.uuid) for person in self.people]
        members = [str(actor.member.uuid) for actor in (self.alice, self.bob, self.viewer)]
        yield {"amount": 15000, "expected_close_date": "2030-01-31"}
        yield {"amount": "10.5", "amount_gross": "12.50", "tax_rate": "19"}
        yield {"currency": "JPY", "amount": 7, "amount_gross": None}
        yield {"bid_type": "hour", "bid_value": "5", "bid_periods": 4}
        yield {"participant_uuids": [people[1], people[0]], "follower_uuids": [members[1], members[0]]}
        yield {"participant_uuids": [people[2], people[0], people[1]]}
        yield {"participant_uuids": [people[0], people[2]], "follower_uuids": []}
        yield {"owner_uuid": members[0], "is_private": True, "access_list_uuids": [members[2], members[1]]}
        yield {"external_references": [{"system": "shop", "external_id": "2"}]}
        yield {"external_id": "7", "external_system": "erp", "contact_uuid": people[0]}
        yield {"contact_email": "p1@example.com", "client_uuid": str(self.company.uuid)}
        yield {"custom_fields": {"size": 1.5, "a_much_longer_key": 2, "city": "Riga"}}
        yield {"name": "Łódź “€”", "custom_fields": {"city": "Łódź"}}
        yield {"next_deal_uuid": str(self.before.uuid), "url": None, "description": "x" * 300}
        yield {
            "stage_id": self.lost.pk,
            "lost_reason_id": self.reason.pk,
            "closed_at": "2024-05-01T10:00:00+02:00",
        }
        yield {"status": "open", "probability": 40}
        yield {"stage_id": self.won.pk}

    def test_each_change(self):
        uuid = self.written(self.as_bob.post("/api/deals", {"name": "Deal"}))
        for body in self.bodies():
            for _ in range(2):
                self.written(self.as_bob.patch(f"/api/deals/{uuid}", body))

    def test_each_new_deal(self):
        for number, body in enumerate(self.bodies()):
            if "status" not in body:
                self.written(
                    self.as_bob.post(
                        "/api/deals", {"name": f"Deal {number}", **body, "external_references": []}
                    )
                )

    def test_a_new_contact(self):
        person = {
            "contact_email": "New@Example.com",
            "contact_first_name": "Eva",
            "contact_last_name": "Berg",
        }

        self.written(self.as_bob.post("/api/deals", {"name": "Deal", **person}))

    def test_each_upsert(self):
        key = {"external_system": "erp", "external_id": "9"}
        for body in ({"name": "A"}, {"name": "B", "amount": 3}, {"name": "B", "amount": 3}):
            self.written(self.as_bob.post("/api/deals/upsert", {**key, **body}))

    def test_a_follower(self):
        uuid = self.before.uuid
        for send in (self.as_bob.put, self.as_bob.delete):
            self.written(send(f"/api/deals/{uuid}/followers/{self.alice.member.uuid}"))

    def test_an_unknown_deal_is_not_found_whatever_is_wrong_with_the_body(self):
        hidden = self.deal(self.alice, is_private=True)
        for uuid in (hidden.uuid, uuid4()):
            for body in ({"name": "x"}, {"name": 5}, {"amount": "much", "stage_id": 10**9}):
                assert self.as_bob.patch(f"/api/deals/{uuid}", body).status_code == 404


class KeptTests(ApiTestCase):
    """Stages are kept in the process until the catalogue's version rises."""

    def test_a_renamed_stage_has_its_new_name_at_once(self):
        deal = self.deal()
        path = f"/api/deals/{deal.uuid}"
        assert self.as_bob.get(path).json()["stage"]["name"] == self.new.name

        self.as_alice.patch(f"/api/stages/{self.new.pk}", {"name": "Fresh"})

        assert self.as_bob.get(path).json()["stage"]["name"] == "Fresh"

    def test_a_write_that_is_rolled_back_leaves_nothing(self):
        deal = self.deal()
        self.as_bob.get(f"/api/deals/{deal.uuid}")

        self.as_alice.patch(f"/api/stages/{self.new.pk}?dry_run=true", {"name": "Never"})
        self.as_alice.patch(f"/api/stages/{self.offer.pk}", {"name": "Second"})
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.new.pk})])

        assert self.as_bob.get(f"/api/deals/{deal.uuid}").json()["stage"]["name"] == self.new.name

    def test_a_write_uses_the_catalogue_of_its_own_moment(self):
        """The actor was read before the stage and the field were made."""
        self.deal()
        stage = create_stage(actor=self.alice, change={"pipeline": self.pipeline.pk, "name": "Extra"})
        CustomFieldFactory(actor=self.alice, key="city", required=True)

        deal = create_deals(actor=self.bob, changes=[{"stage": stage.pk, "custom_fields": {"city": "Riga"}}])[
            0
        ]

        assert deal.stage == stage
        with pytest.raises(Invalid):
            create_deals(actor=self.bob, changes=[{"name": "Without a city"}])
