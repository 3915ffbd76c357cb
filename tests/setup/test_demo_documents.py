"""Each document's own example, sent to the demo as it is printed, once host, token and placeholders are replaced."""

import datetime
import json
from io import StringIO
from pathlib import Path
from unittest import mock

from django.core.management import call_command
from django.test import TestCase

from contacts.models import Contact
from crm_project.setup.demo.clock import stopped_at
from deals.models import Deal
from pipelines.models import Stage

DOCUMENTS = Path(__file__).resolve().parent.parent / "dialects"
NOON = datetime.datetime(2026, 5, 20, 12, tzinfo=datetime.UTC)
TOKEN = "the-token-of-the-demo"


class DocumentTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        with mock.patch.dict("os.environ", DEMO_TOKEN=TOKEN), stopped_at(NOON):
            call_command("demo", "--deals=0", stdout=StringIO(), stderr=StringIO())

    def send(self, path, name, *, authorization=f"Bearer {TOKEN}", **placeholders):
        body = (DOCUMENTS / f"{name}.request.json").read_text()
        for placeholder, value in placeholders.items():
            body = body.replace(f'"{placeholder}"', json.dumps(str(value)))
        headers = {"version": "2021-07-28"}
        if authorization:
            headers["authorization"] = authorization
        return self.client.post(f"/dialects/{path}", body, content_type="application/json", headers=headers)

    def test_xalantis(self):
        answer = self.send("xalantis/api/deals", "xalantis/create_deal")

        told = answer.json()["data"]
        assert answer.status_code == 201
        assert told["pipeline"]["name"] == "Vente Standard"
        assert (told["stage"]["name"], told["stage"]["color"]) == ("Nouveau lead", "#3b82f6")
        assert (told["probability"], told["currency"]) == (10, "EUR")

    def test_leadconnector(self):
        path, name = "leadconnector/opportunities/upsert", "leadconnector/upsert_opportunity"

        first, second = self.send(path, name), self.send(path, name)

        deal = Deal.objects.get(references__external_id="yWQobCRIhRguQtD2llvk")
        assert (first.status_code, first.json()["new"]) == (200, True)
        assert (second.status_code, second.json()["new"]) == (200, False)
        assert deal.owner.email == "rep@example.com"
        assert [member.email for member in deal.followers.all()] == ["manager@example.com"]
        assert deal.stage.name == "Nouveau lead"

    def test_intum(self):
        answer = self.send("intum/crm/deals.json", "intum/create_deal", authorization="", TOKEN=TOKEN)

        deal = Deal.objects.get(pk=answer.json()["id"])
        assert answer.status_code == 201
        assert deal.client.references.get().external_id == "123"
        assert deal.stage.name == "Nouveau lead"

    def test_gauzy(self):
        stage, client = Stage.objects.get(name="Proposition"), Contact.objects.get(name="Acme Corp")

        answer = self.send(
            "gauzy/api/deals",
            "gauzy/create_deal",
            **{"stage-uuid": stage.uuid, "contact-uuid": client.uuid},
        )

        assert answer.status_code == 201
        assert Deal.objects.get(uuid=answer.json()["id"]).client == client
