"""Used, refused or equal: no writable field of the API is accepted and dropped, through any door.

A body that has one field more changes the answer, or has what is there already, or is refused at that field. A field
that does none of these stands in `UNUSED` with its reason.
"""

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from contacts.api.serializers import ContactSerializer, UpsertContactSerializer
from contacts.services import create_contacts
from crm_project.accounts.api.serializers import RenameTokenSerializer, TokenSerializer
from crm_project.api.fields import TextField
from crm_project.imports.api.serializers import ImportSerializer, TextUploadSerializer
from crm_project.records.api.serializers import CustomFieldSerializer
from crm_project.references.serializers import ExternalReferenceSerializer
from deals.api.serializers import (
    DealSerializer,
    LostReasonSerializer,
    RestoreDealSerializer,
    UpsertDealSerializer,
)
from deals.services import create_deals, trash_deals, update_deals
from pipelines.api.serializers import PipelineSerializer, StageSerializer
from tests.api.client import ApiTestCase
from tests.api.routes import make_rows
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory
from tests.tasks import run_tasks

pytestmark = pytest.mark.once

# What every new row has of its own.
OWN = frozenset({"uuid", "id", "created_at", "updated_at", "stage_entered_at", "hint", "secret"})
# A field may be refused at another one, which it needs.
NEEDS: Mapping[str, Collection[str]] = {
    "contact_phone": ("contact_first_name",),
    "external_system": ("external_id",),
    "bid_type": ("bid_value",),
    "paused_until": ("pause_reason",),
    "pause_reason": ("paused_until",),
    # A company needs a name, and another kind of row has another row.
    "kind": ("name", "row"),
}
# Accepted without an effect on the row, each with its reason.
UNUSED: Mapping[str, str] = {
    "match_on": "It chooses among the keys of an upsert.",
    "uuid": "In an upsert it is a key, and `match_on` may choose another one.",
    "notify_access_list": "It sends e-mails: see `test_the_access_list_is_notified`.",
}
Value = Callable[[int], Any]


def writable(serializer: Any) -> set[str]:
    return {name for name, field in serializer().fields.items() if not field.read_only}


def texts(serializer: Any) -> dict[str, str]:
    """A new value for each text; those that are no plain text need another one."""
    fields = serializer().fields.items()
    return {
        name: f"New {name}" for name, field in fields if isinstance(field, TextField) and not field.read_only
    }


def judge(field: str, value: Any, result: Mapping[str, Any], before: Any, after: Any) -> None:
    """`result` is that of an operation of a list, `before` and `after` are the answers without and with the field."""
    if field in UNUSED:
        return
    if result["outcome"] == "refused":
        pointers = [
            error["pointer"].rpartition("/data/")[2].strip("/") for error in result["error"]["errors"]
        ]
        allowed = {field, *NEEDS.get(field, ())}
        assert allowed & {pointer.split("/")[0] for pointer in pointers}, result["error"]
        return
    different = {name for name in after if name not in OWN and after[name] != before.get(name)}
    assert different or before.get(field) == value, f"{field} is accepted and dropped"


def result_of(answer: Any) -> dict[str, Any]:
    """The outcome of a single request, as in the results of a list."""
    refused = answer.status_code >= 400
    return {"outcome": "refused", "error": answer.json()} if refused else {"outcome": "updated"}


class ListTestCase(ApiTestCase):
    """Rows that are written one by one and in lists, where each field costs an operation instead of a request."""

    kind: str
    expand: Mapping[str, str] = {}

    def shown(self, uuids: Iterable[Any]) -> dict[str, Any]:
        wanted = ",".join(map(str, uuids))
        rows = self.as_bob.rows(f"/api/{self.kind}s", uuid=wanted, page_size=200, **self.expand)
        return {row["uuid"]: row for row in rows}

    def carried_out(self, operations: Sequence[Any]) -> Any:
        body = {"operations": operations, "atomic": False}
        return self.as_bob.post(f"/api/{self.kind}s/bulk", body).json()["results"]

    def check_updates(self, state: str, rows: Sequence[Any], values: Mapping[str, Value]) -> None:
        """One row for each field, all of them alike."""
        before = self.shown(row.uuid for row in rows)
        # An upsert that finds its row writes it as an update does.
        for op in ("update", "upsert") if state == "full" else ("update",):
            operations = [
                {"op": op, "uuid": str(row.uuid), "data": {name: value(n)}}
                for n, (row, (name, value)) in enumerate(zip(rows, values.items(), strict=True))
            ]
            with transaction.atomic():
                results, after = self.carried_out(operations), self.shown(before)
                transaction.set_rollback(True)
            for name, operation, result in zip(values, operations, results, strict=True):
                uuid = operation["uuid"]
                with self.subTest(state=state, op=op, field=name):
                    judge(name, operation["data"][name], result, before[uuid], after[uuid])

    def check_creations(self, base: Mapping[str, Any], values: Mapping[str, Value]) -> None:
        for op in ("create", "upsert"):
            # The external id is the key of the upsert.
            names = [name for name in values if op == "create" or not name.startswith("external_")]
            bodies = [dict(base), *({**base, name: values[name](n)} for n, name in enumerate(names))]
            keys = [{"external_id": f"k{n}"} if op == "upsert" else {} for n in range(len(bodies))]
            operations = [{"op": op, "data": {**key, **body}} for key, body in zip(keys, bodies, strict=True)]
            with transaction.atomic():
                results = self.carried_out(operations)
                shown = self.shown(row[self.kind]["uuid"] for row in results if self.kind in row)
                transaction.set_rollback(True)
            rows = [shown[row[self.kind]["uuid"]] if self.kind in row else {} for row in results]
            for row in rows:
                row.update({} if op == "create" else {"external_references": []})
            for name, body, result, row in zip(names, bodies[1:], results[1:], rows[1:], strict=True):
                with self.subTest(op=op, field=name):
                    judge(name, body[name], result, rows[0], row)

    def check_single_requests(self, row: Any, base: Mapping[str, Any], values: Mapping[str, Value]) -> None:
        path = f"/api/{self.kind}s"
        before = self.as_bob.get(f"{path}/{row.uuid}").json()
        plain = self.as_bob.post(path, base).json()
        for number, (name, value) in enumerate(values.items()):
            body = {name: value(number)}
            with self.subTest(field=name), transaction.atomic():
                answer = self.as_bob.patch(f"{path}/{row.uuid}", body)
                judge(name, body[name], result_of(answer), before, answer.json())
                transaction.set_rollback(True)
            with self.subTest(field=name), transaction.atomic():
                answer = self.as_bob.post(path, {**base, **body}, dry_run="true")
                judge(name, body[name], result_of(answer), plain, answer.json())


def constants(values: Mapping[str, Any]) -> dict[str, Value]:
    return {name: (lambda _, value=value: value) for name, value in values.items()}


class DealTests(ListTestCase):
    kind = "deal"
    # A description of a contact shows in the contact.
    expand = {"expand": "contact"}

    def values(self) -> dict[str, Value]:
        """A value that no deal has for each field; of a number, where the rows of a list must differ."""
        known = self.person(first_name="Known", email="known@example.com")
        company, other = CompanyFactory(actor=self.bob), self.deal(name="Other")
        CustomFieldFactory(actor=self.alice, key="seats", type="number")
        member = str(self.manager.member.uuid)
        return constants(
            {
                **texts(DealSerializer),
                "amount": "77",
                "amount_gross": "99",
                "tax_rate": "17",
                "currency": "USD",
                "bid_type": "day",
                "bid_value": "33",
                "bid_periods": 9,
                "status": "abandoned",
                "probability": 63,
                "forecast_category": "best_case",
                "is_private": True,
                "expected_close_date": "2031-02-03",
                "paused_until": "2999-02-03",
                "closed_at": "2020-02-03T04:05:06Z",
                "date": "2031-02-04",
                "date_from": "2031-02-05",
                "date_to": "2031-02-06",
                "department_id": 771,
                "project_id": 772,
                "task_id": 773,
                "custom_fields": {"seats": 77},
                "pipeline_id": self.renewals.pk,
                "stage_id": self.offer.pk,
                "contact_uuid": str(known.uuid),
                "contact_email": known.email,
                "client_uuid": str(company.uuid),
                "owner_uuid": member,
                "participant_uuids": [str(known.uuid)],
                "follower_uuids": [member],
                "access_list_uuids": [member],
                "next_deal_uuid": str(other.uuid),
                "lost_reason_id": LostReasonFactory(actor=self.alice).pk,
                "notify_access_list": True,
            }
        ) | {
            "external_references": lambda n: [{"system": "shop", "external_id": f"r{n}"}],
            "external_id": lambda n: f"e{n}",
        }

    def states(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        """Deals that read differently: the change that creates one, and one that follows."""
        contact = self.person(first_name="Eva", last_name="Ek", phone="+33 1 55 90 85 66")
        reason = LostReasonFactory(actor=self.alice)
        full = {
            "description": "text",
            "amount": Decimal(10),
            "amount_gross": Decimal(12),
            "tax_rate": "20",
            "contact": contact.pk,
            "client": CompanyFactory(actor=self.bob).pk,
            "owner": self.bob.member.pk,
            "members": [contact.pk],
            "followers": [self.bob.member.pk],
            "access_list": [self.bob.member.pk],
            "number": "1",
            "date": datetime.date(2024, 1, 1),
            "paused_until": datetime.date(2999, 1, 1),
            "pause_reason": "Budget",
        }
        return {
            "bare": ({}, {}),
            "full": (full, {}),
            "hourly": ({"bid_type": "hour", "bid_value": Decimal(10), "bid_periods": 2}, {}),
            "won": ({"stage": self.won.pk}, {}),
            "lost": ({"probability": 35}, {"status": "lost", "lost_reason": reason.pk}),
        }

    def test_the_table_has_every_field(self) -> None:
        assert self.values().keys() == writable(DealSerializer)
        assert writable(UpsertDealSerializer) - writable(DealSerializer) == {"uuid", "match_on"}
        assert writable(RestoreDealSerializer) == {"stage_id"}

    def test_updates(self) -> None:
        values = self.values()
        for state, (created, then) in self.states().items():
            deals = create_deals(actor=self.bob, changes=[{"name": "A", **created}] * len(values))
            update_deals(actor=self.bob, changes=[(deal, then) for deal in deals])
            self.check_updates(state, deals, values)

    def test_creations(self) -> None:
        self.check_creations({"name": "A"}, self.values())

    def test_single_requests(self) -> None:
        values = self.values()
        del values["contact_phone"]
        self.check_single_requests(self.deal(**self.states()["full"][0]), {"name": "A"}, values)

    def test_the_access_list_is_notified(self) -> None:
        body = {"name": "A", "access_list_uuids": [str(self.manager.member.uuid)], "notify_access_list": True}
        self.as_bob.post("/api/deals", body)
        run_tasks()

        assert [message.to for message in mail.outbox] == [["mary@example.com"]]

    def test_the_uuid_of_an_operation(self) -> None:
        deal, other = self.deal(), self.deal()
        [result] = self.carried_out(
            [{"op": "upsert", "uuid": str(deal.uuid), "data": {"uuid": str(other.uuid)}}]
        )

        assert result["error"]["errors"][0]["pointer"] == "/operations/0/data/uuid"

    def test_a_stage_to_restore_to(self) -> None:
        deal = self.deal()
        trash_deals(actor=self.bob, rows=[deal])

        answer = self.as_bob.post(f"/api/deals/{deal.uuid}/restore", {"stage_id": self.offer.pk})

        assert answer.json()["stage"]["id"] == self.offer.pk


class ContactTests(ListTestCase):
    kind = "contact"

    def values(self) -> dict[str, Value]:
        CustomFieldFactory(actor=self.alice, kind="contact", key="seats", type="number")
        return constants(
            {
                **texts(ContactSerializer),
                "kind": "company",
                "custom_fields": {"seats": 77},
                "company_uuid": str(CompanyFactory(actor=self.bob).uuid),
                "owner_uuid": str(self.manager.member.uuid),
            }
        ) | {
            "email": lambda n: f"new{n}@example.com",
            "further_emails": lambda n: [f"further{n}@example.com"],
            "further_phones": lambda n: [f"+33 1 55 96 02 {n:02}"],
            "external_references": lambda n: [{"system": "shop", "external_id": f"r{n}"}],
            "external_id": lambda n: f"e{n}",
        }

    def test_the_table_has_every_field(self) -> None:
        assert self.values().keys() == writable(ContactSerializer)
        assert writable(UpsertContactSerializer) - writable(ContactSerializer) == {"uuid", "match_on"}

    def test_updates(self) -> None:
        values = self.values()
        person = {"first_name": "A", "company": CompanyFactory(actor=self.bob).pk, "phone": "1"}
        for state, created in (("full", person), ("company", {"kind": "company", "name": "A"})):
            rows = create_contacts(actor=self.bob, changes=[created] * len(values))
            self.check_updates(state, rows, values)

    def test_creations(self) -> None:
        self.check_creations({"last_name": "A"}, self.values())

    def test_single_requests(self) -> None:
        self.check_single_requests(self.person(), {"last_name": "A"}, self.values())


class OtherTests(ApiTestCase):
    """The resources of which an organization has few rows."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.rows = make_rows(cls)

    def check(
        self,
        path: str,
        key: Any,
        base: Mapping[str, Any],
        values: Mapping[str, Any],
        serializers: tuple[Any, Any],
    ) -> None:
        """POST of `base` with each field, and PATCH of the row `key` with each."""
        on_create, on_update = serializers
        assert values.keys() == writable(on_create) | writable(on_update), path
        with transaction.atomic():
            plain = self.as_alice.post(path, base).json()
            transaction.set_rollback(True)
        before = self.as_alice.get(f"{path}/{key}").json()
        for name, value in values.items():
            requests = []
            if name in writable(on_create):
                requests.append(("POST", path, {**base, name: value}, plain))
            if name in writable(on_update):
                requests.append(("PATCH", f"{path}/{key}", {name: value}, before))
            for method, address, body, without in requests:
                with self.subTest(path=path, method=method, field=name), transaction.atomic():
                    answer = self.as_alice.send(method, address, body)
                    judge(name, value, result_of(answer), without, answer.json())
                    transaction.set_rollback(True)

    def test_pipelines_and_stages(self) -> None:
        values = {
            "name": "New",
            "description": "text",
            "is_default": True,
            "is_active": False,
            "stages": [{"name": "Only"}],
        }
        serializers = (PipelineSerializer, PipelineSerializer)
        self.check("/api/pipelines", self.rows["pipeline"], {"name": "A"}, values, serializers)
        stage = {
            "name": "New",
            "description": "text",
            "position": 0,
            "color": "#123456",
            "probability": 77,
            "kind": "won",
            "forecast_category": "commit",
            "stale_after_days": 7,
            "pipeline_id": self.renewals.pk,
        }
        base = {"name": "A", "pipeline_id": self.rows["pipeline"]}
        self.check("/api/stages", self.rows["stage"], base, stage, (StageSerializer, StageSerializer))
        # The stages of a pipeline take the same fields, but for the order, which is that of the list.
        path = f"/api/pipelines/{self.rows['pipeline']}"
        stages = [{"id": shown["id"]} for shown in self.as_alice.get(path).json()["stages"]]
        for name, value in stage.items():
            with self.subTest(nested=name), transaction.atomic():
                body = {"stages": [*stages[:-1], {**stages[-1], name: value}]}
                answer = self.as_alice.patch(path, body)
                if answer.status_code == 400:
                    place = f"/stages/{len(stages) - 1}/{name}"
                    assert place in {error["pointer"] for error in answer.json()["errors"]}
                else:
                    assert answer.json()["stages"][-1][name] == value
                transaction.set_rollback(True)

    def test_custom_fields_and_lost_reasons(self) -> None:
        values = {
            "kind": "contact",
            "key": "other",
            "label": "New",
            "type": "date",
            "options": ["a"],
            "mask": "##",
            "position": 7,
            "required": True,
        }
        base = {"kind": "deal", "key": "size", "label": "Size", "type": "text"}
        serializers: tuple[Any, Any] = (CustomFieldSerializer, CustomFieldSerializer)
        self.check("/api/custom-fields", self.rows["custom_field"], base, values, serializers)
        serializers = (LostReasonSerializer, LostReasonSerializer)
        self.check("/api/lost-reasons", self.rows["lost_reason"], {"name": "A"}, {"name": "New"}, serializers)

    def test_tokens(self) -> None:
        values = {
            "name": "New",
            "scopes": ["read"],
            "expires_at": "2100-01-01T00:00:00Z",
            "app_code": "shop",
            "user_uuid": str(self.bob.member.uuid),
        }
        serializers = (TokenSerializer, RenameTokenSerializer)
        self.check("/api/tokens", self.rows["token"], {"name": "A"}, values, serializers)

    def test_references(self) -> None:
        values = {
            "system": "new",
            "kind": "contact",
            "external_id": "new",
            "row": str(self.deal().uuid),
        }
        base = {"system": "s", "kind": "deal", "external_id": "1", "row": str(self.rows["deal"])}
        serializers = (ExternalReferenceSerializer, ExternalReferenceSerializer)
        self.check("/api/external-references", self.rows["reference"], base, values, serializers)

    def test_imports(self) -> None:
        values = {
            "kind": "contacts",
            "file_name": "new.csv",
            "content": "number\n1\n",
            "mapping": {"name": None},
            "options": {"decimal": ","},
            "answers": {"expected_close_date": "dmy"},
            "value_choices": {"stage": {"Lead In": ""}},
        }
        base = {"kind": "deals", "content": "name,expected_close_date,stage\nA,03/04/2027,Lead In\n"}
        serializers = (TextUploadSerializer, ImportSerializer)
        with transaction.atomic():
            key = self.as_alice.post("/api/imports", base).json()["uuid"]
        self.check("/api/imports", key, base, values, serializers)
