"""A deactivated member in each dialect's shape: refused in new places, left alone where it stands."""

from typing import Any

from crm_project.accounts.services import update_member
from crm_project.journal.models import Event
from deals.models import Deal
from deals.services import create_lost_reason, update_deals
from tests.base import BaseTestCase
from tests.dialects.base import Call, DialectClient
from tests.factories import CustomFieldFactory

VERSION = {"Version": "2021-07-28"}


class DialectCase(BaseTestCase):
    def send(self, system: str, method: str, path: str, body: Any = None) -> Any:
        client = DialectClient()
        client.system = system
        headers = VERSION if system == "leadconnector" else {}
        return client.as_actor(self.alice, Call(method, path, body, headers=headers))

    def deactivate(self) -> Any:
        member = self.manager.member
        update_member(actor=self.alice, member=member, is_active=False)
        return member


class TestDeactivatedMembers(DialectCase):
    def calls(self, member: Any) -> list[tuple[str, str, str, Any]]:
        """Each place of each dialect that names a member."""
        deal, contact, company = (
            self.deal(),
            self.person(),
            self.person(kind="company", name="Acme", first_name="", last_name=""),
        )
        gone, own = str(member.uuid), str(self.bob.member.uuid)
        office, lead = "/api/2.0/crm", {"locationId": str(self.organization.uuid)}
        opportunity = {"title": "Deal", "stageid": self.new.pk, "responsibleid": own}
        private = {"isPrivate": True, "accessList": [gone]}
        money = {"total_amount_net": 1, "total_amount_gross": 1, "tax": "zw"}
        pipeline = {
            **lead,
            "pipelineId": str(self.pipeline.uuid),
            "contactId": str(contact.uuid),
            "name": "Deal",
        }
        return [
            ("onlyoffice", "POST", f"{office}/opportunity", {**opportunity, "responsibleid": gone}),
            ("onlyoffice", "POST", f"{office}/opportunity", {**opportunity, **private}),
            ("onlyoffice", "PUT", f"{office}/opportunity/{deal.pk}", {**opportunity, "responsibleid": gone}),
            ("onlyoffice", "PUT", f"{office}/opportunity/{deal.pk}", {**opportunity, **private}),
            ("onlyoffice", "PUT", f"{office}/opportunity/{deal.pk}/access", private),
            ("onlyoffice", "PUT", f"{office}/opportunity/access", {**private, "opportunityid": [deal.pk]}),
            (
                "intum",
                "POST",
                "/crm/deals.json",
                {"deal": {"name": "Deal", **money, "responsible_id": member.pk}},
            ),
            ("intum", "PATCH", f"/crm/deals/{deal.pk}.json", {"deal": {"responsible_id": member.pk}}),
            (
                "intum",
                "PATCH",
                f"/crm/contacts/{contact.pk}.json",
                {"contact": {"responsible_id": member.pk}},
            ),
            ("intum", "PATCH", f"/crm/clients/{company.pk}.json", {"client": {"responsible_id": member.pk}}),
            ("leadconnector", "POST", "/opportunities/", {**pipeline, "status": "open", "assignedTo": gone}),
            ("leadconnector", "PUT", f"/opportunities/{deal.uuid}", {"assignedTo": gone}),
            ("leadconnector", "POST", "/opportunities/upsert", {**pipeline, "assignedTo": gone}),
            ("leadconnector", "POST", "/opportunities/upsert", {**pipeline, "followers": [gone]}),
            ("leadconnector", "POST", f"/opportunities/{deal.uuid}/followers", {"followers": [gone]}),
            ("leadconnector", "POST", "/contacts/", {**lead, "firstName": "Ben", "assignedTo": gone}),
            ("leadconnector", "PUT", f"/contacts/{contact.uuid}", {"assignedTo": gone}),
            (
                "leadconnector",
                "POST",
                "/contacts/upsert",
                {**lead, "email": contact.email, "assignedTo": gone},
            ),
            ("gauzy", "POST", "/api/organization-contact", {"name": "Ltd", "members": [gone]}),
            ("gauzy", "PUT", f"/api/organization-contact/{company.uuid}", {"members": [{"id": gone}]}),
            (
                "gauzy",
                "PUT",
                "/api/organization-contact/employee",
                {"member": {"id": gone}, "addedEntityIds": [str(company.uuid)]},
            ),
        ]

    def test_one_is_refused_in_new_places(self) -> None:
        member = self.deactivate()
        calls, events = self.calls(member), Event.objects.exclude(kind="token").count()

        for system, method, path, body in calls:
            answer = self.send(system, method, path, body)

            assert answer.status_code in (400, 422), (system, method, path, body, answer.content)
            text = answer.content.decode()
            assert ("nieaktywne" if system == "intum" else "deactivated") in text, (system, path, text)
        assert Event.objects.exclude(kind="token").count() == events

    def test_xalantis_names_no_member(self) -> None:
        """Its deals belong to the member of the token, who is active."""
        body = {"name": "Deal", "contact_email": "ann@x.io", "contact_first_name": "Ann"}

        assert self.send("xalantis", "POST", "/api/deals", body).status_code == 201


class TestSendingBack(DialectCase):
    """What was read and is sent back changes nothing: no event, no version."""

    def setUp(self) -> None:
        ann = self.person(first_name="Ann", last_name="Lee", phone="+33 1")
        acme = self.person(kind="company", name="Acme", first_name="", last_name="")
        CustomFieldFactory(actor=self.alice, key="size", label="Size")
        reason = create_lost_reason(actor=self.alice, change={"name": "Price"})
        gone = self.manager.member.pk
        whole: dict[str, Any] = {
            "description": "More",
            "amount": "3.3",
            "amount_gross": "4.1",
            "tax_rate": "23",
            "contact": ann.pk,
            "client": acme.pk,
            "owner": gone,
            "origin": "web",
            "probability": 40,
            "custom_fields": {"size": "L"},
        }
        self.deals = {
            "bare": self.deal(name="", owner=None, contact=ann.pk),
            "without contact": self.deal(name="Alone", client=acme.pk, owner=gone),
            "whole": self.deal(name="Whole", **whole),
            "won": self.deal(name="Won", **{**whole, "stage": self.won.pk, "probability": None}),
            "lost": self.deal(
                name="Lost", status="lost", stage=self.lost.pk, lost_reason=reason.pk, owner=gone
            ),
            "abandoned": self.deal(name="Left", status="abandoned", owner=gone, contact=ann.pk),
            "won in an open stage": self.deal(name="Odd", status="won", stage=self.offer.pk, owner=gone),
            "monthly": self.deal(
                name="Monthly", bid_type="month", bid_value="1000", bid_periods=12, owner=gone
            ),
        }
        self.deals["followed"] = self.deal(
            name="Followed", followers=[gone], is_private=True, access_list=[gone, self.alice.member.pk]
        )
        self.deactivate()

    def routes(self, system: str, deal: Deal) -> tuple[str, str]:
        return {
            "xalantis": ("PATCH", f"/api/v1/deals/{deal.uuid}"),
            "onlyoffice": ("PUT", f"/api/2.0/crm/opportunity/{deal.pk}"),
            "intum": ("PATCH", f"/crm/deals/{deal.pk}.json"),
            "leadconnector": ("PUT", f"/opportunities/{deal.uuid}"),
            "gauzy": ("PUT", f"/api/deals/{deal.uuid}"),
        }[system]

    def sent_back(self, system: str, shown: Any) -> Any:
        """The body of the write that says what the response says."""
        if system == "onlyoffice":
            return opportunity_of(shown["response"])
        if system == "intum":
            return {"deal": shown}
        return {"xalantis": lambda: shown["data"], "leadconnector": lambda: shown["opportunity"]}.get(
            system, lambda: shown
        )()

    def check(self, system: str, *, doubles: bool) -> None:
        for name, deal in self.deals.items():
            method, path = self.routes(system, deal)
            before = self.send(system, "GET", path)
            assert before.status_code == 200, (system, name, before.content)
            version = Deal.objects.get(pk=deal.pk).version
            events = Event.objects.exclude(kind="token").count()
            body = self.sent_back(system, before.json())

            answer = self.send(system, method, path, imprecise(body) if doubles else body)

            assert answer.status_code in (200, 202), (system, name, body, answer.content)
            assert Deal.objects.get(pk=deal.pk).version == version, (system, name, body)
            assert Event.objects.exclude(kind="token").count() == events, (system, name)
            assert self.send(system, "GET", path).json() == before.json(), (system, name)

    def test_xalantis(self) -> None:
        self.check("xalantis", doubles=False)
        self.check("xalantis", doubles=True)

    def test_onlyoffice(self) -> None:
        for deal in self.deals.values():
            if Deal.objects.get(pk=deal.pk).owner_id is None:
                update_deals(actor=self.alice, changes=[(deal, {"owner": self.bob.member.pk})])
        self.check("onlyoffice", doubles=False)
        self.check("onlyoffice", doubles=True)

    def test_intum(self) -> None:
        self.check("intum", doubles=False)
        self.check("intum", doubles=True)

    def test_leadconnector(self) -> None:
        self.check("leadconnector", doubles=False)
        self.check("leadconnector", doubles=True)

    def test_gauzy(self) -> None:
        self.check("gauzy", doubles=False)


def opportunity_of(shown: dict[str, Any]) -> dict[str, Any]:
    """ONLYOFFICE's parameters are flat where its responses are nested."""
    return {
        "contactid": shown["contact"]["id"] if shown.get("contact") else 0,
        "members": [member["id"] for member in shown.get("members", [])],
        "title": shown["title"],
        "description": shown.get("description", ""),
        "responsibleid": shown["responsible"]["id"],
        "bidType": shown.get("bidType", 0),
        "bidValue": shown.get("bidValue", 0),
        "bidCurrencyAbbr": shown["bidCurrency"]["abbreviation"],
        "perPeriodValue": shown.get("perPeriodValue", 0),
        "stageid": shown["stage"]["id"],
        "successProbability": shown.get("successProbability", 0),
        "actualCloseDate": shown["actualCloseDate"],
        "expectedCloseDate": shown["expectedCloseDate"],
        "customFieldList": [
            {"key": field["id"], "value": field.get("fieldValue", "")}
            for field in shown.get("customFields", [])
        ],
        "isPrivate": shown.get("isPrivate", False),
        "accessList": [member["id"] for member in shown.get("accessList", [])],
        "isNotify": False,
    }


def imprecise(body: Any) -> Any:
    """The body with each amount as a computed double may be: off by a few units in its last place."""
    if isinstance(body, dict):
        return {name: imprecise(value) for name, value in body.items()}
    return body * (1 + 2**-51) if isinstance(body, float) else body
