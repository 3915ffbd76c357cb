"""Run by test_field.py in a copy of the code that has the field `campaign`: it is everywhere."""

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.test import RequestFactory

from deals.models import Deal
from tests.api.client import ApiTestCase
from tests.imports.client import csv_file, imported
from tests.imports.test_exports import export, table


class CampaignTests(ApiTestCase):
    def setUp(self):
        body = {"name": "Found", "campaign": "spring"}
        self.made = self.as_bob.post("/api/deals", body).json()
        self.as_bob.post("/api/deals", {"name": "Other"})

    def test_the_api_writes_and_reads_it(self):
        path = f"/api/deals/{self.made['uuid']}"

        assert self.made["campaign"] == "spring"
        assert self.as_bob.patch(path, {"campaign": "autumn"}).json()["campaign"] == "autumn"
        assert self.as_bob.patch(path, {"campaign": "x" * 256}).json()["errors"][0]["pointer"] == "/campaign"

    def test_lists_are_filtered_by_it(self):
        found = self.as_bob.get("/api/deals", campaign="spring").json()["results"]

        assert [row["name"] for row in found] == ["Found"]

    def test_the_document_has_it(self):
        document = self.as_nobody.client.get("/api/schema").json()
        parameters = {entry["name"] for entry in document["paths"]["/api/deals"]["get"]["parameters"]}

        assert "campaign" in document["components"]["schemas"]["Deal"]["properties"]
        assert "campaign" in parameters

    def test_the_history_shows_its_changes_and_undo_takes_them_back(self):
        path = f"/api/deals/{self.made['uuid']}"
        self.as_bob.patch(path, {"campaign": "autumn"})

        event = self.as_bob.get(f"{path}/history").json()["results"][0]
        assert event["changes"] == [{"field": "campaign", "from": "spring", "to": "autumn"}]
        self.as_bob.post(f"/api/events/{event['sequence']}/undo")
        assert Deal.objects.get(uuid=self.made["uuid"]).campaign == "spring"

    def test_the_form_has_it(self):
        request = RequestFactory().get("/admin/")
        request.user, request.staff_actor = self.alice.member.user, self.alice
        page = admin.site._registry[Deal]

        assert "campaign" in flatten_fieldsets(page.get_fieldsets(request, None))

    def test_the_export_has_it(self):
        rows = table(export(self.as_bob, "deals"))

        assert sorted(row["campaign"] for row in rows) == ["", "spring"]

    def test_the_import_takes_it(self):
        file = csv_file(["name", "utm campaign"], ["Imported", "winter"])

        assert imported(self.as_bob, "deals", file)["state"] == "done"
        assert Deal.objects.get(name="Imported").campaign == "winter"
