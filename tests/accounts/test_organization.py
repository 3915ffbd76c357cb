"""`/api/organization`: its admins change it, all members read it."""

from contacts.models import Contact
from crm_project.accounts.models import Organization
from tests.api.client import ApiClient, ApiTestCase, problem

PATH = "/api/organization"


class OrganizationTests(ApiTestCase):
    def test_it_is_read_and_changed(self):
        before = self.as_viewer.get(PATH).json()
        assert before | {"created_at": "", "updated_at": ""} == {
            "uuid": str(self.organization.uuid),
            "slug": "alice",
            "name": "Alice and Co",
            "currency": "EUR",
            "time_zone": "UTC",
            "country": "",
            "language": "en",
            "created_at": "",
            "updated_at": "",
        }
        change = {
            "name": "Alice Ltd",
            "currency": "pln",
            "time_zone": "Europe/Warsaw",
            "country": "PL",
            "language": "pl",
        }

        answer = self.as_alice.patch(PATH, change)

        assert answer.status_code == 200, answer.content
        kept = {name: before[name] for name in ("uuid", "slug", "created_at")}
        assert {name: answer.json()[name] for name in kept | change} == kept | change | {"currency": "PLN"}
        assert answer.json() == self.as_bob.get(PATH).json()
        own = self.as_bob.get("/api/me").json()["organization"]
        assert own.items() <= answer.json().items()

    def test_sending_back_what_was_read_changes_nothing(self):
        shown = self.as_alice.get(PATH)

        answer = self.as_alice.patch(PATH, shown.json())

        assert (answer.status_code, answer["ETag"], answer.json()) == (200, shown["ETag"], shown.json())
        assert self.as_alice.patch(PATH, {"country": None}).json()["country"] == ""

    def test_numbers_are_read_by_the_new_country(self):
        self.person(first_name="Ann", phone="01 55 96 02 43")
        assert self.as_bob.rows("/api/contacts", phone="+33155960243") == []

        self.as_alice.patch(PATH, {"country": "FR"})

        assert len(self.as_bob.rows("/api/contacts", phone="+33155960243")) == 1
        assert Contact.objects.get(first_name="Ann").phone_normalized == "+33155960243"

    def test_wrong_values_are_named_together(self):
        change = {"name": " ", "currency": "EURO", "time_zone": "Mars/Base", "country": "fr", "language": "?"}
        problem(self.as_alice.patch(PATH, change), 400, "invalid", *(f"/{name}" for name in change))
        problem(self.as_alice.patch(PATH, {"slug": "other"}), 400, "read_only", "/slug")
        problem(self.as_alice.patch(PATH, {"colour": "red"}), 400, "unknown_field", "/colour")
        for name in ("name", "currency", "time_zone", "language"):
            problem(self.as_alice.patch(PATH, {name: None}), 400, "null", f"/{name}")
        problem(self.as_alice.patch(PATH, {"currency": "EUX"}), 400, "invalid_choice", "/currency")
        assert Organization.objects.get(pk=self.organization.pk).version == 1

    def test_a_currency_that_no_longer_exists_is_kept(self):
        Organization.objects.filter(pk=self.organization.pk).update(currency="HRK")

        answer = self.as_alice.patch(PATH, {"name": "Toits", "currency": "HRK"})

        assert (answer.status_code, answer.json()["currency"]) == (200, "HRK")
        problem(self.as_alice.patch(PATH, {"currency": "DEM"}), 400, "invalid_choice", "/currency")

    def test_a_stale_version_is_refused(self):
        tag = self.as_alice.get(PATH)["ETag"]
        assert self.as_alice.patch(PATH, {"name": "A"}, headers={"If-Match": tag}).status_code == 200

        problem(
            self.as_alice.patch(PATH, {"name": "B"}, headers={"If-Match": tag}), 412, "precondition_failed"
        )

    def test_a_dry_run_changes_nothing(self):
        answer = self.as_alice.patch(f"{PATH}?dry_run=true", {"country": "FR"})

        assert answer.json()["country"] == "FR"
        assert self.as_alice.get(PATH).json()["country"] == ""

    def test_it_hides_other_organizations(self):
        ApiClient(self.charlie).patch(PATH, {"name": "Mine"})

        assert self.as_alice.get(PATH).json()["name"] == "Alice and Co"
        assert ApiClient(self.charlie).get(PATH).json()["name"] == "Mine"
