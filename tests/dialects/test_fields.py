"""Every writable field of a deal, in all five dialects: null and empty strings, and values that nothing may drop."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from crm_project.dialects.gauzy.serializers.sales import GauzyDealWrite
from crm_project.dialects.intum.serializers.deals import IntumDealWrite
from crm_project.dialects.leadconnector.serializers.opportunities import (
    LeadConnectorOpportunityUpdate,
    LeadConnectorOpportunityUpsert,
)
from crm_project.dialects.onlyoffice.serializers.opportunities import OnlyofficeOpportunityWrite
from crm_project.dialects.xalantis.serializers.v1 import XalantisV1DealCreate, XalantisV1DealUpdate
from deals.models import Deal
from deals.services import create_lost_reason
from tests.base import BaseTestCase
from tests.dialects.base import Call
from tests.dialects.test_pairs import APIS, Facts, SystemClient
from tests.factories import CustomFieldFactory

APIS_BY_SYSTEM = {api.system: api for api in APIS}
UPDATES: dict[str, tuple[Any, str, str]] = {
    "xalantis": (XalantisV1DealUpdate, "PATCH", "/api/v1/deals/{uuid}"),
    "onlyoffice": (OnlyofficeOpportunityWrite, "PUT", "/api/2.0/crm/opportunity/{pk}"),
    "intum": (IntumDealWrite, "PATCH", "/crm/deals/{pk}.json"),
    "leadconnector": (LeadConnectorOpportunityUpdate, "PUT", "/opportunities/{uuid}"),
    "gauzy": (GauzyDealWrite, "PUT", "/api/deals/{uuid}"),
}
CREATIONS: dict[str, Any] = {
    "xalantis": XalantisV1DealCreate,
    "onlyoffice": OnlyofficeOpportunityWrite,
    "intum": IntumDealWrite,
    "leadconnector": LeadConnectorOpportunityUpsert,
    "gauzy": GauzyDealWrite,
}
# Fields that may change nothing in a creation by themselves, each with the reason.
WITHOUT_EFFECT = {
    ("leadconnector", "locationId"): "equals what is there",
    ("leadconnector", "isRemoveAllFollowers"): "a new opportunity has no followers",
    ("leadconnector", "followersActionType"): "add is the default",
    ("gauzy", "isActive"): "equals what is there",
}


class FieldCase(BaseTestCase):
    def setUp(self) -> None:
        self.ann = self.person(email="ann@example.com", first_name="Ann", last_name="", phone="")
        self.acme = self.person(kind="company", name="Acme", first_name="", last_name="")
        self.size = CustomFieldFactory(actor=self.alice, key="size", label="Size")
        self.reason = create_lost_reason(actor=self.alice, change={"name": "Price"})

    def creation(self, system: str, **values: Any) -> Call:
        call = APIS_BY_SYSTEM[system].create(self, Facts("Deal", Decimal(100), self.new, self.ann))
        body = call.body
        (body["deal"] if system == "intum" else body).update(values)
        path = "/opportunities/upsert" if system == "leadconnector" else call.path
        return Call(call.method, path, body)

    def send(self, system: str, call: Call) -> Any:
        return SystemClient(APIS_BY_SYSTEM[system]).as_actor(self.bob, call)


class TestEmptyValues(FieldCase):
    def update(self, system: str, deal: Deal, values: dict[str, Any]) -> Any:
        _, method, path = UPDATES[system]
        if system == "onlyoffice":
            values = {**self.creation(system).body, **values}
        body = {"deal": values} if system == "intum" else values
        return self.send(system, Call(method, path.format(uuid=deal.uuid, pk=deal.pk), body))

    def deal_of(self, system: str) -> Deal:
        return self.deal(
            name="Kept",
            amount=Decimal(100),
            amount_gross=Decimal(110),
            tax_rate="10",
            contact=self.ann.pk,
            owner=self.bob.member.pk,
            origin="web",
            probability=40,
        )

    def test_null_and_an_empty_string_are_the_same(self) -> None:
        for system, (serializer, _, _) in UPDATES.items():
            for name, field in serializer().fields.items():
                if field.read_only:
                    continue
                seen = []
                for value in (None, ""):
                    deal = self.deal_of(system)
                    answer = self.update(system, deal, {name: value})
                    seen.append((answer.status_code, snapshot(deal)))

                assert seen[0] == seen[1], (system, name)

    def test_in_leadconnector_they_change_nothing(self) -> None:
        deal = self.deal_of("leadconnector")
        for name in LeadConnectorOpportunityUpdate().fields:
            for value in (None, ""):
                answer = self.update("leadconnector", deal, {name: value})

                assert answer.status_code == 200, (name, answer.content)
        assert Deal.objects.get(pk=deal.pk).version == deal.version

    def test_in_onlyoffice_they_are_absent_parameters(self) -> None:
        base = self.creation("onlyoffice").body
        for name in OnlyofficeOpportunityWrite().fields:
            deals, answers = [self.deal_of("onlyoffice") for _ in range(2)], []
            for deal, values in zip(deals, ({}, {name: None}), strict=True):
                body = {key: value for key, value in base.items() if key != name} | values
                path = f"/api/2.0/crm/opportunity/{deal.pk}"
                answers.append(self.send("onlyoffice", Call("PUT", path, body)).status_code)

            assert answers[0] == answers[1], name
            assert snapshot(deals[0]) == snapshot(deals[1]), name


class TestNothingIsDropped(FieldCase):
    def samples(self, system: str) -> dict[str, Any]:
        """A value of every field that differs from the base request's."""
        day, bob = "2031-02-03", str(self.bob.member.uuid)
        common = {"currency": "USD", "expected_close_date": day, "name": "Other", "probability": 35}
        return {
            "xalantis": {
                **common,
                "amount": 7,
                "contact_email": "new@example.com",
                "contact_first_name": "Ben",
                "contact_last_name": "Low",
                "contact_phone": "+1 555",
                "custom_fields": {"size": "L"},
                "pipeline_id": self.renewals.pk,
                "pipeline_uuid": str(self.renewals.uuid),
                "stage_id": self.offer.pk,
                "stage_uuid": str(self.offer.uuid),
            },
            "onlyoffice": {
                "contactid": self.acme.pk,
                "members": [self.acme.pk],
                "title": "Other",
                "description": "More",
                "responsibleid": str(self.manager.member.uuid),
                "bidType": 4,
                "bidValue": 7,
                "bidCurrencyAbbr": "USD",
                "perPeriodValue": 3,
                "stageid": self.offer.pk,
                "successProbability": 35,
                "actualCloseDate": "2020-01-01",
                "expectedCloseDate": day,
                "customFieldList": [{"key": self.size.pk, "value": "L"}],
                "isPrivate": True,
                "accessList": [str(self.manager.member.uuid)],
                "isNotify": True,
            },
            "intum": {
                "name": "Other",
                "description": "More",
                "total_amount_net": 7,
                "total_amount_gross": 130,
                "tax": "23",
                "currency": "USD",
                "closed": "lost",
                "date": day,
                "date_from": day,
                "date_to": day,
                "number": "N1",
                "invoice_no": "F1",
                "url": "https://x.io",
                "origin": "web",
                "external_id": "e1",
                "client_id": self.acme.pk,
                "contact_id": self.acme.pk,
                "status_id": self.offer.pk,
                "responsible_id": self.manager.member.pk,
                "department_id": 1,
                "project_id": 2,
                "task_id": 3,
                "next_deal_id": self.deal().pk,
                "fields": {"free": 1},
            },
            "leadconnector": {
                "id": f"x{uuid4()}",
                "name": "Other",
                "pipelineId": str(self.renewals.uuid),
                "pipelineStageId": str(self.offer.uuid),
                "locationId": str(self.organization.uuid),
                "contactId": str(self.acme.uuid),
                "followers": [bob],
                "isRemoveAllFollowers": True,
                "followersActionType": "add",
                "status": "lost",
                "lostReasonId": str(self.reason.uuid),
                "monetaryValue": 7,
                "assignedTo": str(self.manager.member.uuid),
                "customFields": [{"id": "size", "field_value": "L"}],
                "source": "web",
                "forecastExpectedCloseDate": day,
                "forecastProbability": 35,
            },
            "gauzy": {
                "title": "Other",
                "probability": 35,
                "stageId": str(self.offer.uuid),
                "clientId": str(self.acme.uuid),
                "isActive": True,
                "isArchived": True,
            },
        }[system]

    def test_every_accepted_field_is_used_refused_or_named(self) -> None:
        for system, serializer in CREATIONS.items():
            samples = self.samples(system)
            writable = {name for name, field in serializer().fields.items() if not field.read_only}
            assert writable == samples.keys(), (system, writable ^ samples.keys())
            for closed in (False, True):
                self.check(system, self.samples(system), self.closing(system) if closed else {})

    def closing(self, system: str) -> dict[str, Any]:
        """What makes the base request one of a won deal."""
        row_id = self.won.pk if APIS_BY_SYSTEM[system].system in ("xalantis", "intum", "onlyoffice") else None
        name = {
            "xalantis": "stage_id",
            "onlyoffice": "stageid",
            "intum": "status_id",
            "leadconnector": "pipelineStageId",
            "gauzy": "stageId",
        }[system]
        status = {"status": "won"} if system == "leadconnector" else {}
        return {name: row_id or str(self.won.uuid), **status}

    def check(self, system: str, samples: dict[str, Any], base: dict[str, Any]) -> None:
        first = self.send(system, self.creation(system, **base))
        assert first.status_code in (200, 201), (system, first.content)
        usual = snapshot(Deal.objects.latest("id"))
        Deal.objects.update(contact=None)
        dropped = []
        for name, value in samples.items():
            answer = self.send(system, self.creation(system, **{**base, name: value}))
            refused = answer.status_code >= 400
            named = name in answer.get("X-Ignored-Fields", "")
            used = not refused and snapshot(Deal.objects.latest("id")) != usual
            Deal.objects.update(contact=None)

            if not (refused or named or used or (system, name) in WITHOUT_EFFECT):
                dropped.append(name)
        assert dropped == [], (system, base)


def snapshot(deal: Deal) -> dict[str, Any]:
    """All that is stored of a deal, but for its identity and its instants."""
    row = Deal.objects.get(pk=deal.pk)
    left_out = (
        "id",
        "uuid",
        "version",
        "created_at",
        "updated_at",
        "stage_entered_at",
        "closed_at",
        "search_text",
    )
    columns = {field.attname: getattr(row, field.attname) for field in Deal._meta.concrete_fields}
    lists = {
        "followers": list(row.follower_links.order_by("member_id").values_list("member_id", flat=True)),
        "members": list(row.contact_links.order_by("contact_id").values_list("contact_id", flat=True)),
        "access": list(row.access_links.order_by("member_id").values_list("member_id", flat=True)),
        "references": list(row.references.order_by("id").values_list("system", "external_id")),
        "is_closed": row.closed_at is not None,
    }
    if row.closed_at is not None:
        lists["closed_on"] = str(row.closed_at.date())
    return {name: value for name, value in columns.items() if name not in left_out} | lists
