"""What upserts and lists ask beyond one key: several keys in turn, and since when a deal has its status."""

from crm_project.records.services import change_references
from deals.models import Deal
from deals.services import update_deals, upsert_deal
from tests.base import BaseTestCase, refused

KEYS = ("external_reference", "contact_and_pipeline")


class TestSeveralKeys(BaseTestCase):
    def change(self, external_id: str, **more: object) -> dict[str, object]:
        references = [("theirs", external_id)]
        return {"name": "Deal", "external_references": references, "pipeline": self.pipeline.pk, **more}

    def test_the_first_key_that_finds_a_deal_decides(self) -> None:
        person = self.person()
        by_contact, by_reference = self.deal(contact=person.pk), self.deal()
        change_references(actor=self.bob, row=by_reference, add=[("theirs", "1")])

        receipt = upsert_deal(
            actor=self.bob, change=self.change("1", contact=person.pk, stage=self.offer.pk), match_on=KEYS
        )

        assert (receipt.row.pk, receipt.matched_on) == (by_reference.pk, KEYS[0])
        by_contact.refresh_from_db()
        assert by_contact.version == 1

    def test_the_next_key_is_tried_where_one_finds_nothing(self) -> None:
        person = self.person()
        deal = self.deal(contact=person.pk)

        receipt = upsert_deal(actor=self.bob, change=self.change("1", contact=person.pk), match_on=KEYS)

        assert (receipt.row.pk, receipt.matched_on) == (deal.pk, KEYS[1])
        assert [row.external_id for row in deal.references.all()] == ["1"]

    def test_a_deal_is_created_where_no_key_finds_one(self) -> None:
        receipt = upsert_deal(
            actor=self.bob, change=self.change("1", contact=self.person().pk), match_on=KEYS
        )

        assert (receipt.outcome, receipt.matched_on) == ("created", None)

    def test_several_open_deals_of_the_contact_are_ambiguous(self) -> None:
        person = self.person()
        self.deal(contact=person.pk), self.deal(contact=person.pk)

        with refused("ambiguous_match"):
            upsert_deal(actor=self.bob, change=self.change("1", contact=person.pk), match_on=KEYS)


class TestStatusSince(BaseTestCase):
    def since(self, deal: Deal) -> object:
        return Deal.objects.with_status_since().get(pk=deal.pk).status_since

    def test_a_status_that_never_changed_began_with_the_deal(self) -> None:
        deal = self.deal()
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.offer.pk})])

        assert self.since(deal) == deal.created_at

    def test_it_begins_when_the_last_other_one_ended(self) -> None:
        deal = self.deal()
        update_deals(actor=self.bob, changes=[(deal, {"status": "won"})])
        won = deal.states.get(valid_to=None).valid_from
        update_deals(actor=self.bob, changes=[(deal, {"name": "Other"})])

        assert self.since(deal) == won > deal.created_at
