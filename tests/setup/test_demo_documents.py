"""Each document's own example, sent to the demo as it is printed, once host, token and placeholders are replaced."""

import datetime
import json
from io import StringIO
from pathlib import Path
from unittest import mock

import pytest
from django.core.management import call_command
from django.test import TestCase

from contacts.models import Contact
from crm_project.accounts.models import Member, Organization
from crm_project.setup.demo.clock import frozen_time
from deals.models import Deal
from pipelines.models import Stage

pytestmark = pytest.mark.once

DOCUMENTS = Path(__file__).resolve().parent.parent / "dialects"
NOON = datetime.datetime(2026, 5, 20, 12, tzinfo=datetime.UTC)
TOKEN = "the-token-of-the-demo"


class DocumentTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        with mock.patch.dict("os.environ", DEMO_TOKEN=TOKEN), frozen_time(NOON):
            call_command("demo", "--deals=0", stdout=StringIO(), stderr=StringIO())

    def send(self, path, name="", *, method="POST", authorization=f"Bearer {TOKEN}", **placeholders):
        body = (DOCUMENTS / f"{name}.request.json").read_text() if name else ""
        for placeholder, value in placeholders.items():
            body = body.replace(f'"{placeholder}"', json.dumps(str(value)))
        headers = {"version": "2021-07-28"}
        if authorization:
            headers["authorization"] = authorization
        content_type = "application/json" if body else ""
        return self.client.generic(method, f"/dialects/{path}", body, content_type, headers=headers)

    def test_xalantis(self):
        answer = self.send("xalantis/api/deals", "xalantis/create_deal")

        data = answer.json()["data"]
        assert answer.status_code == 201
        assert data["pipeline"]["name"] == "Vente Standard"
        assert (data["stage"]["name"], data["stage"]["color"]) == ("Nouveau lead", "#3b82f6")
        assert (data["probability"], data["currency"]) == (10, "EUR")

    def test_onlyoffice(self):
        """The document prints a request without a token or a body, and lists what may be in one."""
        path, own = "onlyoffice/api/2.0/crm/opportunity", Organization.objects.get(slug="demo")
        printed = self.send(path, authorization="")
        assert (printed.status_code, printed.content) == (401, b"Unauthorized")
        bare = self.send(path)
        assert (bare.status_code, bare.json()["status"], bare.json()["statusCode"]) == (400, 1, 400)
        listed = json.loads((DOCUMENTS / "onlyoffice/create_opportunity.request.json").read_text())
        member = Member.objects.get(organization=own, user__email="rep@example.com")
        contact = Contact.objects.of(own.pk).live().filter(kind="person").first()
        values = {
            "contactid": contact.pk,
            "members": [contact.pk],
            "responsibleid": str(member.uuid),
            "accessList": [str(member.uuid)],
            "stageid": Stage.objects.get(name="Nouveau lead").pk,
            "customFieldList": [],
        }

        answer = self.client.post(
            f"/dialects/{path}", listed | values, "application/json", headers={"authorization": TOKEN}
        )

        shown = answer.json()
        assert (answer.status_code, shown["status"], shown["statusCode"]) == (201, 0, 201)
        deal = shown["response"]
        assert (deal["bidType"], deal["bidValue"], deal["perPeriodValue"]) == (4, 1000, 12)
        assert (deal["stage"]["title"], deal["responsible"]["id"]) == ("Nouveau lead", str(member.uuid))
        assert [row["id"] for row in deal["members"]] == [deal["contact"]["id"]]
        assert Deal.objects.get(pk=deal["id"]).amount == 12_000

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
        """The printed body, and then all of the document's endpoints."""
        answer = self.send("intum/crm/deals.json", "intum/create_deal", authorization="", TOKEN=TOKEN)

        made = answer.json()
        deal = Deal.objects.get(pk=made["id"])
        assert answer.status_code == 201
        assert deal.client.references.get().external_id == "123"
        assert deal.stage.name == "Nouveau lead"
        one = f"intum/crm/deals/{made['id']}.json"
        assert self.send(one, method="GET").json() == made
        filters = (
            "q=Wdro%C5%BCenie&client_id=123&status_id=1&main_date_from=2026-03-15&main_date_to=2026-03-15"
        )
        amounts = "total_amount_gross_from=12300&total_amount_gross_to=12300"
        found = self.send(f"intum/crm/deals.json?{filters}&{amounts}", method="GET")
        assert [row["id"] for row in found.json()] == [made["id"]]
        change = {"deal": {"external_id": "W-1", "closed": "win"}}
        changed = self.client.patch(
            f"/dialects/{one}", change, "application/json", headers={"authorization": f"Bearer {TOKEN}"}
        )
        assert (changed.status_code, changed.json()["closed"]) == (200, "win")
        assert self.send("intum/crm/deals/e/default/W-1.json", method="GET").json() == changed.json()
        assert self.send(one, method="DELETE").json()["id"] == made["id"]
        assert self.send(one, method="GET").status_code == 404

    def test_gauzy(self):
        """All of the document's requests, in its order."""
        own = Organization.objects.get(slug="demo").uuid
        proposal, client = Stage.objects.get(name="Proposition"), Contact.objects.get(name="Acme Corp")
        pipeline = f"gauzy/api/pipelines/{proposal.pipeline.uuid}"

        for path in ("gauzy/api/pipelines/pagination", "gauzy/api/pipelines"):
            found = self.send(path, method="GET")
            assert (found.status_code, found.json().keys()) == (200, {"items", "total"})
        assert self.send(pipeline, method="GET").json()["name"] == "Vente Standard"
        found = self.send(f"{pipeline}/deals", method="GET").json()
        assert found["total"] == len(found["items"]) > 0
        made = self.send("gauzy/api/pipelines", "gauzy/create_pipeline", uuid=own)
        assert (made.status_code, made.json()["isActive"]) == (201, True)
        assert [stage["index"] for stage in made.json()["stages"]] == [0, 1, 2, 3, 4]
        other = f"gauzy/api/pipelines/{made.json()['id']}"
        changed = self.send(other, "gauzy/update_pipeline", method="PUT")
        assert (changed.status_code, changed.json()["name"]) == (202, "Updated Pipeline Name")
        deleted = self.send(other, method="DELETE")
        assert (deleted.status_code, deleted.json()) == (202, {"raw": [], "affected": 1})

        assert self.send("gauzy/api/deals", method="GET").json().keys() == {"items", "total"}
        named = {"stage-uuid": proposal.uuid, "contact-uuid": client.uuid}
        made = self.send("gauzy/api/deals", "gauzy/create_deal", **named)
        assert (made.status_code, made.json()["probability"]) == (201, 75)
        assert Deal.objects.get(uuid=made.json()["id"]).client == client
        deal = f"gauzy/api/deals/{made.json()['id']}"
        assert self.send(deal, method="GET").json() == made.json()
        later = Stage.objects.get(pipeline=proposal.pipeline, position=proposal.position + 1)
        changed = self.send(deal, "gauzy/update_deal", method="PUT", **{"next-stage-uuid": later.uuid})
        assert (changed.status_code, changed.json()["affected"]) == (202, 1)
        shown = self.send(deal, method="GET").json()
        assert (shown["stageId"], shown["probability"]) == (str(later.uuid), 90)
        assert self.send(deal, method="DELETE").json() == {"raw": [], "affected": 1}
        assert self.send(deal, method="GET").status_code == 404
