"""Sending back what was read changes nothing: no event, no version, the same answer; upsert says `unchanged`."""

import datetime

from contacts.models import Contact
from crm_project.accounts.services import update_member
from crm_project.journal.models import Event
from deals.models import Deal
from deals.services import update_deals
from tests.api.client import ApiTestCase
from tests.api.routes import ROUTES, make_rows
from tests.api.test_writes import versions
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory

YESTERDAY = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)


class RoundTripTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.rows = make_rows(cls)

    def assert_unchanged(self, client, path):
        """The whole body sent back as PATCH."""
        body = client.get(path).json()
        before, count = versions(), Event.objects.count()

        answer = client.patch(path, body)

        assert answer.status_code == 200, (path, answer.content)
        assert answer.json() == body, path
        assert versions() == before, path
        assert Event.objects.count() == count, path

    def assert_upsert_unchanged(self, path, body):
        before, count = versions(), Event.objects.count()

        answer = self.as_bob.post(path, body)

        assert answer.status_code == 200, answer.content
        receipt = answer.json()
        assert (receipt["outcome"], receipt["changed"], receipt["new"]) == ("unchanged", [], False)
        assert {name: receipt[name] for name in body} == body
        assert (versions(), Event.objects.count()) == (before, count)

    def test_every_resource_takes_back_what_it_shows(self):
        for route in ROUTES:
            if route.method == "PATCH":
                self.assert_unchanged(self.as_alice, route.path.format(**self.rows))

    def deals(self):
        """Deals in every state that reads differently from how it was written."""
        person, company = self.person(), CompanyFactory(actor=self.bob)
        reason = LostReasonFactory(actor=self.alice)
        for key, type_ in (
            ("figure", "number"),
            ("many", "multiselect"),
            ("flag", "checkbox"),
            ("day", "date"),
        ):
            options = ["a", "b"] if type_ == "multiselect" else []
            CustomFieldFactory(actor=self.alice, key=key, type=type_, options=options)
        plain = {"amount": "10.10"}
        yield self.deal()
        yield self.deal(probability=33)
        yield self.deal(stage=self.offer.pk, currency="KWD", amount="1.005")
        yield self.deal(currency="JPY", amount="7", tax_rate="20")
        yield self.deal(tax_rate="zw", amount_gross="12", **plain)
        yield self.deal(bid_type="hour", bid_value="80", bid_periods=12)
        yield self.deal(bid_type="day", bid_value="0.01")
        yield self.deal(stage=self.won.pk, closed_at=YESTERDAY, **plain)
        lost = self.deal(probability=20)
        update_deals(actor=self.bob, changes=[(lost, {"stage": self.lost.pk, "lost_reason": reason.pk})])
        yield Deal.objects.get(pk=lost.pk)
        yield self.deal(stage=self.lost.pk, status="abandoned", lost_reason=reason.pk)
        yield self.deal(status="won")
        yield self.deal(status="abandoned")
        yield self.deal(pipeline=self.renewals.pk)
        yield self.deal(name="  kept as sent \u200b", description="a\r\nb", url="not a url", number=" 7 ")
        yield self.deal(
            contact=person.pk,
            client=company.pk,
            owner=self.bob.member.pk,
            members=[person.pk, company.pk],
            followers=[self.viewer.member.pk, self.manager.member.pk],
            is_private=True,
            access_list=[self.viewer.member.pk],
            next_deal=self.deal().pk,
            external_references=[("erp", "1"), ("default", "2"), ("erp", "3")],
            custom_fields={"figure": 1.5, "many": ["b", "a"], "flag": False, "day": "2024-02-29"},
            date=datetime.date(2024, 1, 1),
            department_id=-1,
            task_id=2**63 - 1,
        )

    def test_every_deal_takes_back_what_it_shows(self):
        for deal in self.deals():
            self.assert_unchanged(self.as_bob, f"/api/deals/{deal.uuid}")

    def test_an_upsert_of_what_was_read_is_unchanged(self):
        for deal in self.deals():
            body = self.as_bob.get(f"/api/deals/{deal.uuid}").json()
            self.assert_upsert_unchanged("/api/deals/upsert", body)

    def test_every_contact_takes_back_what_it_shows(self):
        company = CompanyFactory(
            actor=self.bob, email="office@example.com", external_references=[("erp", "9")]
        )
        for contact in (
            company,
            self.person(),
            self.person(first_name="", last_name="", email="only@example.com"),
            self.person(company=company.pk, owner=self.bob.member.pk, phone=" 1 ", description="a\nb"),
        ):
            self.assert_unchanged(self.as_bob, f"/api/contacts/{contact.uuid}")
            body = self.as_bob.get(f"/api/contacts/{contact.uuid}").json()
            self.assert_upsert_unchanged("/api/contacts/upsert", body)

    def test_what_names_things_that_are_gone_stays(self):
        """A stage renamed, a stage's probability changed, a definition trashed: none of it is the reader's change."""
        field = CustomFieldFactory(actor=self.alice, key="old")
        reason = LostReasonFactory(actor=self.alice)
        deal = self.deal(custom_fields={"old": "x"}, status="lost", lost_reason=reason.pk)
        self.as_alice.delete(f"/api/custom-fields/{field.pk}")
        self.as_alice.delete(f"/api/lost-reasons/{reason.pk}")
        self.as_alice.patch(f"/api/stages/{self.new.pk}", {"name": "Fresh", "probability": 77})

        self.assert_unchanged(self.as_bob, f"/api/deals/{deal.uuid}")
        self.assert_unchanged(self.as_bob, f"/api/deals/{self.deal().uuid}")

    def test_what_could_not_be_written_any_more_may_be_sent_back(self):
        """A member who has left, a closed deal's own probability, a trashed company, an inactive pipeline."""
        leaver = self.viewer.member
        named = {"owner": leaver.pk, "followers": [leaver.pk], "access_list": [leaver.pk, self.bob.member.pk]}
        company = CompanyFactory(actor=self.bob, name="Gone")
        contact = self.person(company=company.pk, owner=leaver.pk)
        deals = [self.deal(probability=35, is_private=True, **named) for _ in range(3)]
        deals.append(self.deal(pipeline=self.renewals.pk, contact=contact.pk))
        for deal, status in zip(deals, ("won", "abandoned"), strict=False):
            update_deals(actor=self.bob, changes=[(deal, {"status": status})])
        self.as_alice.patch(f"/api/pipelines/{self.renewals.pk}", {"is_active": False})
        update_member(actor=self.alice, member=leaver, is_active=False)
        Contact.objects.filter(pk=company.pk).update(deleted_at=YESTERDAY)

        for deal in deals:
            self.assert_unchanged(self.as_bob, f"/api/deals/{deal.uuid}")
            body = self.as_bob.get(f"/api/deals/{deal.uuid}").json()
            self.assert_upsert_unchanged("/api/deals/upsert", body)
        self.assert_unchanged(self.as_bob, f"/api/contacts/{contact.uuid}")

    def test_spellings_stay_as_they_are(self):
        """White space, composed and decomposed letters, ligatures, phones and international domains."""
        texts = ("  two  spaces ", "E\u0301ric Œuvre ﬁn", "王 小明", "a\u00a0b", "\u200bx")
        for text in texts:
            deal = self.deal(name=text, number=text, origin=text, description=text)
            person = self.person(first_name=text, last_name=text, phone=f" {text} +33 1 ", city=text)
            self.assert_unchanged(self.as_bob, f"/api/deals/{deal.uuid}")
            self.assert_unchanged(self.as_bob, f"/api/contacts/{person.uuid}")
        for number, email in enumerate(("Info@XN--BCHER-KVA.example", "info@bücher2.example")):
            body = {"first_name": f"A{number}", "email": email}
            uuid = self.as_bob.post("/api/contacts", body).json()["uuid"]
            self.assert_unchanged(self.as_bob, f"/api/contacts/{uuid}")
            self.assert_upsert_unchanged("/api/contacts/upsert", {"uuid": uuid, "first_name": f"A{number}"})

    def test_a_reader_of_less_loses_nothing(self):
        """The next deal and the trashed company that a member does not see stay when null is sent back for them."""
        hidden = self.deal(is_private=True)
        deal = self.deal(next_deal=hidden.pk)

        self.assert_unchanged(self.as_manager, f"/api/deals/{deal.uuid}")

        assert Deal.objects.get(pk=deal.pk).next_deal_id == hidden.pk

    def test_the_same_change_twice_is_one_change(self):
        deal = self.deal()
        change = {"name": "New", "amount": "5", "stage_id": self.offer.pk, "external_id": "1"}

        first, second = (self.as_bob.patch(f"/api/deals/{deal.uuid}", change).json() for _ in range(2))

        assert first == second
        deal.refresh_from_db()
        assert deal.version == 2
