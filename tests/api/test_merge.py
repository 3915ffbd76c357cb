"""`/api/contacts/{uuid}/merge` and `/duplicates`: one request makes one contact of several."""

from contacts.models import Contact
from crm_project.journal.models import Event
from deals.models import Deal
from tests.api.client import ApiTestCase, problem
from tests.factories import CompanyFactory


class AddressTests(ApiTestCase):
    def test_further_addresses_are_lists_of_texts(self):
        body = {"first_name": "Ann", "email": "ann@example.com", "further_emails": ["A@Home.example"]}
        contact = self.as_bob.post("/api/contacts", {**body, "further_phones": ["+43 1 5550001"]}).json()

        assert (contact["further_emails"], contact["further_phones"]) == (
            ["a@home.example"],
            ["+43 1 5550001"],
        )
        answer = self.as_bob.patch(f"/api/contacts/{contact['uuid']}", {"further_emails": []})
        assert answer.json()["further_emails"] == []

    def test_the_filters_find_them(self):
        person = self.person(further_emails=["a@home.example"], further_phones=["+43 1 5550001"])
        deal = self.deal(contact=person.pk)
        for query in ("email=a@home.example", "phone=%2B4315550001", "q=5550001", "q=home.example"):
            with self.subTest(query):
                assert [row["uuid"] for row in self.as_bob.rows(f"/api/contacts?{query}")] == [
                    str(person.uuid)
                ]
        assert self.as_bob.rows("/api/contacts?email_not=a@home.example") == []
        assert [row["uuid"] for row in self.as_bob.rows("/api/deals?contact_email=a@home.example")] == [
            str(deal.uuid)
        ]

    def test_the_trash_is_filtered_by_number_too(self):
        person = self.person(phone="+43 1 5550002", further_phones=["+43 1 5550001"])
        self.as_bob.delete(f"/api/contacts/{person.uuid}")
        for number in ("4315550001", "4315550002"):
            assert len(self.as_bob.rows(f"/api/contacts?deleted=only&phone=%2B{number}")) == 1
            assert self.as_bob.rows(f"/api/contacts?phone=%2B{number}") == []

    def test_a_wrong_entry_is_named_by_its_place(self):
        answer = self.as_bob.post(
            "/api/contacts", {"first_name": "Ann", "further_emails": ["a@b.example", "no"]}
        )

        assert [error["pointer"] for error in problem(answer, 400, "invalid")["errors"]] == [
            "/further_emails/1"
        ]


class MergeTests(ApiTestCase):
    def setUp(self):
        super().setUp()
        self.kept = self.person(first_name="Ann", email="ann@example.com", external_references=[("erp", "1")])
        self.other = self.person(first_name="Anne", email="anne@example.com", city="Wien")
        self.row = self.deal(contact=self.other.pk)
        self.path = f"/api/contacts/{self.kept.uuid}/merge"

    def merge(self, client=None, **given):
        body = {"contact_uuids": [str(self.other.uuid)], **given.pop("body", {})}
        return (client or self.as_bob).post(self.path, body, **given)

    def test_it_works(self):
        answer = self.merge(body={"fields": {"first_name": str(self.other.uuid)}})

        assert answer.status_code == 200
        contact = answer.json()
        assert (contact["first_name"], contact["city"], contact["email"]) == (
            "Anne",
            "Wien",
            "ann@example.com",
        )
        assert contact["further_emails"] == ["anne@example.com"]
        assert self.as_bob.get(f"/api/contacts/{self.other.uuid}").status_code == 404
        assert self.as_bob.get(f"/api/deals/{self.row.uuid}").json()["contact"]["uuid"] == str(self.kept.uuid)
        assert self.as_bob.get("/api/contacts/external/erp/1").json() == contact

    def test_one_undo_takes_it_back(self):
        before = [self.as_bob.get(f"/api/contacts/{row.uuid}").json() for row in (self.kept, self.other)]
        self.merge()
        sequence = Event.objects.latest("sequence").sequence

        assert self.as_bob.post(f"/api/events/{sequence}/undo").status_code == 200

        after = [self.as_bob.get(f"/api/contacts/{row.uuid}").json() for row in (self.kept, self.other)]
        for row in (*before, *after):
            del row["updated_at"]
        assert after == before

    def test_a_dry_run_changes_nothing(self):
        answer = self.as_bob.post(f"{self.path}?dry_run=true", {"contact_uuids": [str(self.other.uuid)]})

        assert answer.json()["further_emails"] == ["anne@example.com"]
        assert Contact.objects.get(pk=self.other.pk).deleted_at is None

    def test_it_is_repeated_safely(self):
        first = self.merge(headers={"Idempotency-Key": "k-1"})
        second = self.merge(headers={"Idempotency-Key": "k-1"})

        assert (second.status_code, second.json()) == (200, first.json())

    def test_it_rejects_another_version(self):
        problem(self.merge(headers={"If-Match": '"9"'}), 412, "precondition_failed")

    def test_it_rejects_wrong_contacts_and_fields_by_name(self):
        company = CompanyFactory(actor=self.bob)
        theirs = self.person(self.charlie)
        for uuids, pointer in (
            ([str(self.kept.uuid)], "/contact_uuids"),
            ([str(company.uuid)], "/contact_uuids"),
            ([str(self.other.uuid), str(theirs.uuid)], "/contact_uuids/1"),
            ([], "/contact_uuids"),
            ("all", "/contact_uuids"),
        ):
            with self.subTest(uuids):
                answer = self.as_bob.post(self.path, {"contact_uuids": uuids})
                assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
        answer = self.merge(body={"fields": {"shoe": str(self.other.uuid), "city": str(theirs.uuid)}})
        assert {error["pointer"] for error in answer.json()["errors"]} == {"/fields/shoe", "/fields/city"}

    def test_hidden_deals_move_without_a_word(self):
        hidden = self.deal(self.alice, contact=self.other.pk, is_private=True, name="Secret")

        answer = self.merge()

        assert "Secret" not in answer.content.decode()
        assert Deal.objects.get(pk=hidden.pk).contact == self.kept
        sequence = Event.objects.visible_to(self.bob.member).latest("sequence").sequence
        undone = self.as_bob.post(f"/api/events/{sequence}/undo")
        assert Deal.objects.get(pk=hidden.pk).contact == self.other
        assert str(hidden.uuid) not in undone.content.decode()
        assert undone.json()["count"] == len(undone.json()["events"]) == 3


class DuplicateTests(ApiTestCase):
    def found(self, contact, client=None):
        rows = (client or self.as_bob).get(f"/api/contacts/{contact.uuid}/duplicates").json()["results"]
        return {row["uuid"]: row["reasons"] for row in rows}

    def test_it_works(self):
        contact = self.person(
            first_name="Zoé",
            last_name="Müller",
            email="",
            phone="+43 1 5550001",
            further_emails=["z@a.example"],
        )
        same_name = self.person(first_name="ZOE", last_name="Muller")
        same_phone = self.person(mobile="0043 1 5550001", first_name="Zoe", last_name="Muller")
        same_email = self.person(email="", kind="company", name="Z", first_name="", last_name="")
        self.person(first_name="Zoé", last_name="Müller-Lee")
        self.person(self.charlie, first_name="Zoé", last_name="Müller")

        assert self.found(contact) == {
            str(same_phone.uuid): ["phone", "name"],
            str(same_name.uuid): ["name"],
        }
        assert self.found(same_email) == {}

    def test_companies_are_compared_folded(self):
        acme, other = (CompanyFactory(actor=self.bob, name=name) for name in ("Acmé  GmbH", "ACME GMBH"))

        assert self.found(acme) == {str(other.uuid): ["name"]}

    def test_what_was_merged_is_none(self):
        first, second = (self.person(first_name="Ann", last_name="Lee") for _ in range(2))
        self.as_bob.post(f"/api/contacts/{first.uuid}/merge", {"contact_uuids": [str(second.uuid)]})

        assert self.found(first) == {}
