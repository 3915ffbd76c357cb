"""Every field of the writes of rows in the five dialects: null and empty strings, and values that nothing may drop."""

from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.test import Client

from contacts.models import Contact
from crm_project.activities.models import Activity
from crm_project.dialects.kit.serializers import Empty
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView
from crm_project.records.models import CustomField
from deals.models import Deal
from pipelines.models import Pipeline, Stage
from tests.base import BaseTestCase
from tests.dialects.base import Call, DialectClient, secret_of
from tests.dialects.writes import EXEMPT, WRITES, Write
from tests.factories import CustomFieldFactory

SYSTEMS = ("xalantis", "onlyoffice", "intum", "leadconnector", "gauzy")
ABSENT = {view.system for view in (LeadConnectorView, OnlyofficeView) if view.empty_values is Empty.ABSENT}
# Fields of names and external ids, of which white space alone is none.
NAMES = frozenset(
    "name title firstName lastName first_name last_name companyName company_name legal_name contact_first_name"
    " contact_last_name external_id".split()
)
LEFT_OUT = {
    "id",
    "uuid",
    "created_at",
    "updated_at",
    "done_at",
    "stage_entered_at",
    "closed_at",
    "search_text",
}


def schema_of(system: str) -> Any:
    return Client().get(f"/dialects/{system}/schema").json()


def state() -> list[Any]:
    """All that is stored, but for identities and instants."""
    rows: list[Any] = []
    for model in (Deal, Contact, Activity, Pipeline, Stage, CustomField):
        columns = [field.attname for field in model._meta.concrete_fields if field.attname not in LEFT_OUT]
        rows += model.objects.order_by("id").values_list(*columns)
    rows += [activity.is_open for activity in Activity.objects.order_by("id")]
    for deal in Deal.objects.order_by("id"):
        rows.append([*deal.follower_links.order_by("member_id").values_list("member_id", flat=True)])
        rows.append([*deal.access_links.order_by("member_id").values_list("member_id", flat=True)])
        rows.append([*deal.contact_links.order_by("contact_id").values_list("contact_id", flat=True)])
    for row in (row for model in (Deal, Contact, Activity) for row in model.objects.order_by("id")):
        rows.append([*row.references.order_by("id").values_list("system", "external_id")])
    return rows


def test_the_table_has_every_request_with_a_body() -> None:
    known = {(write.system, write.method, write.template) for write in WRITES}
    for system in SYSTEMS:
        for path, operations in schema_of(system)["paths"].items():
            short = path.removeprefix(f"/dialects/{system}")
            for method, operation in operations.items():
                is_known = (system, method.upper(), short) in known or (
                    method == "put" and (system, "PATCH", short) in known
                )
                is_exempt = any(part in f"{short} " for part in EXEMPT)
                assert "requestBody" not in operation or is_known or is_exempt, (system, method, short)


class Outcome(NamedTuple):
    """`ignored` are the names in X-Ignored-Fields."""

    status: int
    state: list[Any]
    ignored: str
    answer: Any


class WriteCase(BaseTestCase):
    """Rows that the writes are about, and the outcome of a request."""

    def setUp(self) -> None:
        self.size = CustomFieldFactory(actor=self.alice, key="size", label="Size")
        self.ann = self.person(
            first_name="Ann", last_name="Lee", email="ann@example.com", phone="+33 1", city="Rome"
        )
        self.acme = self.person(
            kind="company", name="Acme", first_name="", last_name="", email="acme@example.com"
        )
        self.row = self.deal(
            name="Kept",
            amount="100",
            amount_gross="110",
            tax_rate="10",
            contact=self.ann.pk,
            owner=self.bob.member.pk,
            origin="web",
            probability=40,
            description="Long",
        )
        self.note = self.activity(type="note", contact=self.ann.pk, text="Old")
        self.task = self.activity(contact=self.ann.pk, text="Old")
        self.schemas = {system: schema_of(system) for system in SYSTEMS}
        self.secret = secret_of(self.alice)

    def fields(self, write: Write) -> dict[str, Any]:
        """The properties of the request in the OpenAPI document."""
        schema = self.schemas[write.system]
        path = f"/dialects/{write.system}{write.template}"
        content = schema["paths"][path][write.method.lower()]["requestBody"]["content"]
        found = self.resolved(schema, next(iter(content.values()))["schema"])
        if write.inside:
            found = self.resolved(schema, found["properties"][write.inside])
        return dict(found["properties"])

    def resolved(self, schema: Any, part: Any) -> Any:
        reference = part.get("$ref") or next(
            (one["$ref"] for one in part.get("allOf", []) if "$ref" in one), None
        )
        return schema["components"]["schemas"][reference.rpartition("/")[2]] if reference else part

    def outcome(self, write: Write, values: dict[str, Any], *, without: str = "") -> Outcome:
        """The outcome of the request, which is rolled back."""
        client = DialectClient()
        client.system = write.system
        body = write.body(self)
        target = body[write.inside] if write.inside else body
        target.pop(without, None)
        target.update(values)
        headers = {"Authorization": f"Bearer {self.secret}", "Version": "2021-07-28"}
        with transaction.atomic():
            answer = client.send(Call(write.method, write.path(self), body, headers=headers))
            ignored, body = answer.get("X-Ignored-Fields", ""), answer.json() if answer.content else None
            found = Outcome(answer.status_code, state(), ignored, body)
            transaction.set_rollback(True)
        return found


def is_name(write: Write, field: str) -> bool:
    """Whether the field is a name; the title of a representative is a job title."""
    return field in NAMES and not (field == "title" and write.template.endswith("/representatives"))


@pytest.mark.long
class TestWrites(WriteCase):
    def check_empty_values(self, system: str) -> None:
        wrong = []
        for write in (write for write in WRITES if write.system == system):
            plain = self.outcome(write, {})
            assert plain[0] < 300, (write.method, write.template, plain[0])
            for name in self.fields(write):
                null, blank = (self.outcome(write, {name: value})[:2] for value in (None, ""))
                if null != blank:
                    wrong.append((write.method, write.template, name, null[0], blank[0]))
                elif is_name(write, name) and blank != (spaces := self.outcome(write, {name: " \u3000"})[:2]):
                    wrong.append((write.method, write.template, name, "is another name", spaces[0]))
                elif system in ABSENT and null != self.outcome(write, {}, without=name)[:2]:
                    wrong.append((write.method, write.template, name, "is not as if absent", null[0]))
        assert wrong == []

    def test_empty_values_in_xalantis(self) -> None:
        self.check_empty_values("xalantis")

    def test_empty_values_in_onlyoffice(self) -> None:
        self.check_empty_values("onlyoffice")

    def test_empty_values_in_intum(self) -> None:
        self.check_empty_values("intum")

    def test_empty_values_in_leadconnector(self) -> None:
        self.check_empty_values("leadconnector")

    def test_empty_values_in_gauzy(self) -> None:
        self.check_empty_values("gauzy")
