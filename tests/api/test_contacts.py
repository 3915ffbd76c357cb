"""`/api/contacts` over HTTP: people, companies, upsert, trash, look-ups."""

import uuid

from contacts.models import Contact
from tests.api.client import ApiTestCase, problem

READ = (
    "uuid kind full_name first_name last_name name email phone mobile further_emails further_phones job_title"
    " department company owner website street postal_code city country description origin external_references"
    " custom_fields created_at updated_at"
).split()
SOPHIE = {"first_name": "Sophie", "last_name": "Martin", "email": "sophie.martin@example.com"}


class CreateTests(ApiTestCase):
    def test_it_works(self):
        answer = self.as_bob.post("/api/contacts", SOPHIE)

        contact = answer.json()
        assert answer.status_code == 201
        assert list(contact) == READ
        assert (contact["kind"], contact["full_name"]) == ("person", "Sophie Martin")
        assert self.as_bob.get(answer["Location"]).json() == contact

    def test_a_company_writes_a_name_and_has_people(self):
        company = self.as_bob.post("/api/contacts", {"kind": "company", "name": "Acme"}).json()

        person = self.as_bob.post("/api/contacts", SOPHIE | {"company_uuid": company["uuid"]}).json()

        assert company["full_name"] == "Acme"
        assert person["company"] == {"uuid": company["uuid"], "full_name": "Acme"}
        assert self.as_bob.rows("/api/contacts", company=company["uuid"]) == [person]

    def test_what_a_kind_lacks_is_refused(self):
        for body, pointer in (
            ({"kind": "company"}, "/name"),
            ({"kind": "company", "name": "A", "first_name": "B"}, "/first_name"),
            ({"first_name": "A", "name": "B"}, "/name"),
            ({"phone": "1"}, "/first_name"),
            ({"kind": "robot", "first_name": "A"}, "/kind"),
            ({"first_name": "A", "email": "nobody"}, "/email"),
        ):
            answer = self.as_bob.post("/api/contacts", body)
            assert answer.status_code == 400
            assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]

    def test_an_address_belongs_to_one_person_and_to_one_company(self):
        self.as_bob.post("/api/contacts", SOPHIE)

        answer = self.as_bob.post("/api/contacts", {"first_name": "S", "email": " SOPHIE.martin@example.com"})
        company = {"kind": "company", "name": "Martin", "email": SOPHIE["email"]}

        problem(answer, 409, "email_taken", "/email")
        assert self.as_bob.post("/api/contacts", company).status_code == 201

    def test_the_same_address_elsewhere_is_no_business_of_ours(self):
        self.as_charlie.post("/api/contacts", SOPHIE)

        assert self.as_bob.post("/api/contacts", SOPHIE).status_code == 201

    def test_another_organization_s_rows_are_refused_like_unknown_ones(self):
        company = self.as_charlie.post("/api/contacts", {"kind": "company", "name": "Acme"}).json()
        for name, value in (("company_uuid", company["uuid"]), ("owner_uuid", str(self.charlie.member.uuid))):
            answers = [
                self.as_bob.post("/api/contacts", SOPHIE | {name: key}) for key in (value, str(uuid.uuid4()))
            ]
            bodies = [problem(answer, 400, "does_not_exist", f"/{name}") for answer in answers]
            assert bodies[0] | {"request_id": ""} == bodies[1] | {"request_id": ""}


class ChangeTests(ApiTestCase):
    def test_a_new_name_is_shown_and_found_everywhere(self):
        person = self.person(first_name="Sophie", last_name="Martin")
        self.deal(name="Deal", contact=person.pk)

        answer = self.as_bob.patch(f"/api/contacts/{person.uuid}", {"last_name": "Durand"})

        assert answer.json()["full_name"] == "Sophie Durand"
        assert self.as_bob.names("/api/deals", q="durand") == ["Deal"]
        assert self.as_bob.names("/api/deals", q="martin") == []

    def test_a_contact_in_use_stays(self):
        person = self.person()
        deal = self.deal(contact=person.pk)

        body = problem(self.as_bob.delete(f"/api/contacts/{person.uuid}"), 409, "in_use")
        assert body["count"] == 1
        self.as_bob.delete(f"/api/deals/{deal.uuid}")

        assert self.as_bob.delete(f"/api/contacts/{person.uuid}").status_code == 204

    def test_it_goes_to_the_trash_and_comes_back(self):
        person = self.person(email="a@example.com", external_references=[("erp", "1")])
        before = self.as_bob.get(f"/api/contacts/{person.uuid}").json()

        self.as_bob.delete(f"/api/contacts/{person.uuid}")

        problem(self.as_bob.get(f"/api/contacts/{person.uuid}"), 404, "not_found")
        assert [row["uuid"] for row in self.as_bob.rows("/api/contacts", deleted="only")] == [
            str(person.uuid)
        ]
        restored = self.as_bob.post(f"/api/contacts/{person.uuid}/restore")
        assert restored.json() | {"updated_at": ""} == before | {"updated_at": ""}
        assert self.as_bob.get("/api/contacts/external/erp/1").json()["uuid"] == str(person.uuid)

    def test_a_taken_address_forbids_the_return(self):
        person = self.person(email="a@example.com")
        self.as_bob.delete(f"/api/contacts/{person.uuid}")
        self.person(email="a@example.com")

        problem(self.as_bob.post(f"/api/contacts/{person.uuid}/restore"), 409, "restore_conflict")

    def test_restoring_takes_no_body(self):
        person = self.person()
        self.as_bob.delete(f"/api/contacts/{person.uuid}")

        answer = self.as_bob.post(f"/api/contacts/{person.uuid}/restore", {"first_name": "x"})

        problem(answer, 400, "unknown_field", "/first_name")

    def test_a_trashed_company_is_not_shown(self):
        company = self.as_bob.post("/api/contacts", {"kind": "company", "name": "Acme"}).json()
        person = self.as_bob.post("/api/contacts", SOPHIE | {"company_uuid": company["uuid"]}).json()
        self.as_bob.delete(f"/api/contacts/{company['uuid']}")

        assert self.as_bob.get(f"/api/contacts/{person['uuid']}").json()["company"] is None
        assert self.as_bob.rows("/api/contacts", company=company["uuid"]) == []

        self.as_bob.post(f"/api/contacts/{company['uuid']}/restore")
        assert self.as_bob.get(f"/api/contacts/{person['uuid']}").json() == person


class UpsertTests(ApiTestCase):
    def test_the_address_is_a_key(self):
        first = self.as_bob.post("/api/contacts/upsert", SOPHIE)
        second = self.as_bob.post("/api/contacts/upsert", SOPHIE | {"email": "Sophie.Martin@EXAMPLE.com "})
        third = self.as_bob.post("/api/contacts/upsert", {"email": SOPHIE["email"], "phone": "1"})

        assert [answer.status_code for answer in (first, second, third)] == [201, 200, 200]
        outcomes = [answer.json()["outcome"] for answer in (first, second, third)]
        assert outcomes == ["created", "unchanged", "updated"]
        assert third.json()["changed"] == ["phone"]
        assert (third.json()["first_name"], third.json()["matched_on"]) == ("Sophie", "email")
        assert Contact.objects.count() == 1

    def test_a_reference_is_a_key(self):
        person = self.person(external_references=[("erp", "1")])

        body = {"external_system": "erp", "external_id": "1", "city": "Paris"}
        answer = self.as_bob.post("/api/contacts/upsert", body).json()

        assert (answer["uuid"], answer["changed"]) == (str(person.uuid), ["city"])

    def test_an_unknown_uuid_is_404(self):
        answer = self.as_bob.post("/api/contacts/upsert", SOPHIE | {"uuid": str(uuid.uuid4())})

        problem(answer, 404, "not_found")
        assert not Contact.objects.exists()

    def test_it_is_found_by_its_reference(self):
        person = self.person(external_references=[("default", "é/1")])

        found = self.as_bob.get("/api/contacts/external/default/%C3%A9/1").json()

        assert found["uuid"] == str(person.uuid)
        problem(self.as_charlie.get("/api/contacts/external/default/%C3%A9/1"), 404, "not_found")
