"""Sixteen callers at once: one key, one ETag, one reference, one e-mail. Nothing is doubled, lost or a fault."""

from contacts.models import Contact
from crm_project.api.models import IdempotencyKey
from crm_project.journal.models import Counter, Event
from deals.models import Deal, DealState
from tests.api.races import CALLERS, RaceTestCase, statuses

ROUNDS = 2
SPELLINGS = (
    "Sophie@Example.com",
    "sophie@example.com",
    " SOPHIE@EXAMPLE.COM",
    "sophie@EXAMPLE.com ",
    "sOPHIE@example.com",
)


class BooksTestCase(RaceTestCase):
    def tearDown(self):
        """Whatever was raced for, the journal has no gap and each deal one current state."""
        last = Counter.objects.get(organization=self.organization).last
        sequences = Event.objects.filter(organization=self.organization).order_by("sequence")
        assert list(sequences.values_list("sequence", flat=True)) == list(range(1, last + 1))
        assert DealState.objects.filter(valid_to=None).count() == Deal.objects.count()
        super().tearDown()


class OneKeyTests(BooksTestCase):
    def test_one_deal_and_sixteen_times_its_answer(self):
        for number in range(ROUNDS):
            answers = self.at_once(
                lambda _, key=f"round {number}": self.patiently(
                    "POST", "/api/deals", {"name": "Once"}, Idempotency_Key=key
                )
            )

            assert statuses(answers) == {201: CALLERS}
            assert len({answer.body for answer in answers}) == 1
            assert len({answer.headers["ETag"] for answer in answers}) == 1
            replayed = [answer for answer in answers if answer.headers.get("Idempotency-Replayed")]
            assert len(replayed) == CALLERS - 1
        assert Deal.objects.count() == IdempotencyKey.objects.count() == ROUNDS

    def test_one_change_one_deletion(self):
        path = f"/api/deals/{self.deal().uuid}"

        changed = self.at_once(
            lambda _: self.patiently("PATCH", path, {"amount": "5"}, Idempotency_Key="change")
        )
        deleted = self.at_once(lambda _: self.patiently("DELETE", path, Idempotency_Key="delete"))

        assert statuses(changed) == {200: CALLERS}
        assert statuses(deleted) == {204: CALLERS}
        assert list(
            Event.objects.filter(kind="deal").values_list("action", flat=True).order_by("sequence")
        ) == [
            "created",
            "updated",
            "trashed",
        ]

    def test_one_key_with_sixteen_bodies(self):
        answers = self.at_once(
            lambda number: self.patiently("POST", "/api/deals", {"name": f"N {number}"}, Idempotency_Key="k")
        )

        assert statuses(answers) == {201: 1, 422: CALLERS - 1}
        assert Deal.objects.count() == 1


class OneETagTests(BooksTestCase):
    def test_one_change_wins_and_fifteen_are_told_of_it(self):
        for _ in range(ROUNDS):
            deal = self.deal(name="Before")
            path = f"/api/deals/{deal.uuid}"
            tag = self.call("GET", path).headers["ETag"]

            answers = self.at_once(
                lambda n, path=path, tag=tag: self.call("PATCH", path, {"name": f"N {n}"}, If_Match=tag)
            )

            assert statuses(answers) == {200: 1, 412: CALLERS - 1}
            won = next(answer.json()["name"] for answer in answers if answer.status == 200)
            deal.refresh_from_db()
            assert (deal.name, deal.version) == (won, 2)
            for answer in answers:
                if answer.status == 412:
                    (told,) = answer.json()["changes"]
                    assert (told["user"]["full_name"], told["fields"]) == ("Bob", ["name"])

    def test_a_change_and_a_deletion(self):
        path = f"/api/deals/{self.deal().uuid}"
        tag = self.call("GET", path).headers["ETag"]
        body = {"name": "Changed"}

        answers = self.at_once(
            lambda n: self.call("PATCH" if n % 2 else "DELETE", path, body if n % 2 else None, If_Match=tag)
        )

        done = [answer.status for answer in answers if answer.status in (200, 204)]
        assert len(done) == 1
        # Whoever looks for the row after its deletion does not find it.
        assert set(statuses(answers)) <= {200, 204, 404, 412}

    def test_without_a_condition_everybodys_own_field_is_kept(self):
        deal = self.deal(name="Before")
        fields = ["name", "description", "number", "invoice_no", "url", "origin", "tax_rate", "currency"]
        values = {name: f"by {name}" for name in fields[:-1]} | {"currency": "USD"}

        for _ in range(ROUNDS):
            answers = self.at_once(
                lambda n: self.call("PATCH", f"/api/deals/{deal.uuid}", {fields[n]: values[fields[n]]}),
                len(fields),
            )
            assert statuses(answers) == {200: len(fields)}

        deal.refresh_from_db()
        assert {name: getattr(deal, name) for name in fields} == values


class OneReferenceTests(BooksTestCase):
    def test_one_deal_is_made_and_found_fifteen_times(self):
        for number in range(ROUNDS):
            body = {"name": "Once", "external_id": f"{number}", "match_on": "external_reference"}

            answers = self.at_once(lambda _, body=body: self.call("POST", "/api/deals/upsert", body))

            assert statuses(answers) == {201: 1, 200: CALLERS - 1}
            assert len({answer.json()["uuid"] for answer in answers}) == 1
        assert Deal.objects.count() == ROUNDS
        assert Deal.objects.filter(version=1).count() == ROUNDS

    def test_plain_creation_gives_the_reference_to_one(self):
        body = {"name": "Once", "external_id": "1"}

        answers = self.at_once(lambda _: self.call("POST", "/api/deals", body))

        assert statuses(answers) == {201: 1, 409: CALLERS - 1}
        assert {answer.json()["code"] for answer in answers if answer.status == 409} == {"reference_taken"}

    def test_one_open_deal_of_a_contact_in_a_pipeline(self):
        for number in range(ROUNDS):
            email = f"one{number}@example.com"
            body = {"name": "Once", "contact_email": email, "contact_first_name": "Sophie"}

            answers = self.at_once(lambda _, body=body: self.call("POST", "/api/deals/upsert", body))

            assert statuses(answers) == {201: 1, 200: CALLERS - 1}
        assert Deal.objects.count() == Contact.objects.count() == ROUNDS


class OneEmailTests(BooksTestCase):
    def test_sixteen_deals_and_one_contact(self):
        for number in range(ROUNDS):
            answers = self.at_once(
                lambda n, number=number: self.call(
                    "POST",
                    "/api/deals",
                    {
                        "name": f"Deal {n}",
                        "contact_email": SPELLINGS[n % 5].replace("@", f"{number}@"),
                        "contact_first_name": f"Sophie {n}",
                    },
                )
            )

            assert statuses(answers) == {201: CALLERS}
            assert len({answer.json()["contact"]["uuid"] for answer in answers}) == 1
        assert Contact.objects.count() == ROUNDS

    def test_one_contact_of_sixteen(self):
        answers = self.at_once(
            lambda n: self.call(
                "POST", "/api/contacts", {"first_name": "Sophie", "email": SPELLINGS[n % 5].strip()}
            )
        )
        assert statuses(answers) == {201: 1, 409: CALLERS - 1}
        assert {answer.json()["code"] for answer in answers if answer.status == 409} == {"email_taken"}

        upserted = self.at_once(
            lambda n: self.call(
                "POST", "/api/contacts/upsert", {"first_name": "Ann", "email": "ann@example.com"}
            )
        )
        assert statuses(upserted) == {201: 1, 200: CALLERS - 1}
        assert Contact.objects.count() == 2
