"""Every field that names a row × a row that it may not name: refused at that field, never a 500, never stored.

An id of another organization, of a row in the trash and an unknown one are refused alike.
"""

import itertools
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from contacts.api.serializers import ContactSerializer
from contacts.services import trash_contacts
from crm_project.accounts.api.serializers import TokenSerializer
from crm_project.accounts.services import update_member
from crm_project.api.fields import RowIdField, StrictUUID, UUIDList
from deals.api.serializers import DealSerializer, RestoreDealSerializer
from deals.models import Deal
from deals.services import trash_deals, trash_lost_reason
from pipelines.api.serializers import PipelineStageSerializer, StageSerializer
from pipelines.services import create_stage, trash_pipeline, trash_stage
from tests.api.client import ApiTestCase
from tests.factories import LostReasonFactory, PipelineFactory
from tests.imports.client import csv_file, imported
from tests.staff.base import StaffTestCase, add_url, change_url

UNKNOWN = {"id": 2**62, "uuid": str(UUID(int=1))}
MALFORMED: Mapping[str, tuple[Any, ...]] = {
    "id": ("x", "1", 1.5, True, [], {}, -1, 0, 2**63, 2**70),
    "uuid": ("x", 1, True, [], {}, "0" * 32, ""),
}
# The kind of row that each field names. Lists have one entry each.
FIELDS: Mapping[Any, Mapping[str, str]] = {
    DealSerializer: {
        "pipeline_id": "pipeline",
        "stage_id": "stage",
        "lost_reason_id": "lost_reason",
        "contact_uuid": "contact",
        "client_uuid": "contact",
        "owner_uuid": "member",
        "participant_uuids": "contact",
        "follower_uuids": "member",
        "access_list_uuids": "member",
        "next_deal_uuid": "deal",
    },
    ContactSerializer: {"company_uuid": "contact", "owner_uuid": "member"},
    StageSerializer: {"pipeline_id": "pipeline"},
    PipelineStageSerializer: {"id": "stage", "uuid": "stage", "pipeline_id": "pipeline"},
    TokenSerializer: {"user_uuid": "member"},
    RestoreDealSerializer: {"stage_id": "stage"},
}
# What a closed deal alone has.
BESIDE: Mapping[str, Any] = {"lost_reason_id": {"status": "lost"}}
COLUMNS = {
    "contact_uuid": "contact",
    "client_uuid": "contact",
    "participant_uuids": "contact",
    "next_deal_uuid": "deal",
    "owner_email": "member",
    "follower_emails": "member",
    "access_list_emails": "member",
    "pipeline": "pipeline",
    "stage": "stage",
    "lost_reason": "lost_reason",
}


class Rows:
    """For each kind a row in the trash (or an inactive member), and one of another organization."""

    def make_rows(self: Any) -> None:
        gone = self.person()
        trash_contacts(actor=self.bob, rows=[gone])
        deal = self.deal()
        trash_deals(actor=self.bob, rows=[deal])
        pipeline = PipelineFactory(actor=self.alice, name="Gone pipeline")
        trash_pipeline(actor=self.alice, pipeline=pipeline)
        stage = create_stage(actor=self.alice, change={"name": "Gone", "pipeline": self.pipeline.pk})
        trash_stage(actor=self.alice, stage=stage)
        reason = LostReasonFactory(actor=self.alice, name="Gone reason")
        trash_lost_reason(actor=self.alice, lost_reason=reason)
        update_member(actor=self.alice, member=self.viewer.member, is_active=False)
        self.gone = {
            "contact": gone,
            "deal": deal,
            "pipeline": pipeline,
            "stage": stage,
            "lost_reason": reason,
            "member": self.viewer.member,
        }
        theirs = PipelineFactory(actor=self.charlie, name="Their pipeline", stages=[{"name": "Their stage"}])
        self.theirs_of = {
            "contact": self.person(actor=self.charlie, email="theirs@example.org"),
            "deal": self.deal(actor=self.charlie),
            "pipeline": theirs,
            "stage": theirs.stages.get(),
            "lost_reason": LostReasonFactory(actor=self.charlie, name="Their reason"),
            "member": self.charlie.member,
        }


class ApiTests(Rows, ApiTestCase):
    def bad(self, kind: str, field: str) -> list[tuple[Any, str]]:
        """The values that a field may not have, each with the code of its refusal; "" for any."""
        gone, theirs = self.gone[kind], self.theirs_of[kind]
        by_id = field == "id" or field.endswith("_id")
        code = "inactive" if kind == "member" else "does_not_exist"
        values = [(str(gone.uuid), code), (str(theirs.uuid), "does_not_exist")]
        values += [(UNKNOWN["uuid"], "does_not_exist")]
        if by_id:
            values += [(gone.pk, code), (theirs.pk, "does_not_exist"), (UNKNOWN["id"], "does_not_exist")]
        return values + [(value, "") for value in MALFORMED["id" if by_id else "uuid"]]

    def refused(self, answer: Any, code: str, pointer: str) -> None:
        assert answer.status_code == 400, answer.content
        self.named(answer.json()["errors"], code, pointer)

    def named(self, errors: Any, code: str, pointer: str) -> None:
        found = {error["code"] for error in errors if error["pointer"].startswith(pointer)}
        assert found, errors
        assert not code or found == {code}, errors

    def test_the_table_has_every_field(self) -> None:
        for serializer, names in FIELDS.items():
            fields = serializer().fields.items()
            ids = {
                name
                for name, field in fields
                if isinstance(field, RowIdField | StrictUUID | UUIDList) and not field.read_only
            }
            assert ids == names.keys(), serializer

    def test_deals_and_contacts(self) -> None:
        self.make_rows()
        deal, person = self.deal(), self.person()
        for kind, row, serializer, base in (
            ("deals", deal, DealSerializer, {"name": "A"}),
            ("contacts", person, ContactSerializer, {"first_name": "A"}),
        ):
            path = f"/api/{kind}/{row.uuid}"
            before = self.as_bob.get(path).json()
            for field, named in FIELDS[serializer].items():
                values = [
                    ([value] if field.endswith("s") else value, code)
                    for value, code in self.bad(named, field)
                ]
                beside = BESIDE.get(field, {})
                operations = [
                    {"op": "create", "data": {**base, **beside, field: value}} for value, _ in values
                ]
                answer = self.as_bob.post(f"/api/{kind}/bulk", {"operations": operations, "atomic": False})
                for number, (result, (value, code)) in enumerate(
                    zip(answer.json()["results"], values, strict=True)
                ):
                    with self.subTest(kind=kind, field=field, value=value):
                        pointer = f"/operations/{number}/data/{field}"
                        self.named(result["error"]["errors"], code, pointer)
                # The other doors with a row of the trash and with one of another organization.
                for value, code in values[:2]:
                    body = {**beside, field: value}
                    with self.subTest(kind=kind, field=field, value=value):
                        self.refused(self.as_bob.post(f"/api/{kind}", {**base, **body}), code, f"/{field}")
                        self.refused(self.as_bob.patch(path, body), code, f"/{field}")
                        upsert = {"uuid": str(row.uuid), **body}
                        self.refused(self.as_bob.post(f"/api/{kind}/upsert", upsert), code, f"/{field}")
            assert self.as_bob.get(path).json() == before

    def test_reference_data_and_tokens(self) -> None:
        self.make_rows()
        trashed = self.deal()
        trash_deals(actor=self.bob, rows=[trashed])
        pipeline, tokens = f"/api/pipelines/{self.pipeline.pk}", "/api/tokens"
        before = self.as_alice.get(pipeline).json()
        for method, path, field, kind, body in (
            (
                "POST",
                "/api/stages",
                "pipeline_id",
                "pipeline",
                lambda value: {"name": "A", "pipeline_id": value},
            ),
            ("PATCH", pipeline, "id", "stage", lambda value: {"stages": [{"id": value, "name": "A"}]}),
            ("POST", tokens, "user_uuid", "member", lambda value: {"name": "A", "user_uuid": value}),
            (
                "POST",
                f"/api/deals/{trashed.uuid}/restore",
                "stage_id",
                "stage",
                lambda value: {"stage_id": value},
            ),
        ):
            for value, code in self.bad(kind, field):
                with self.subTest(path=path, value=value):
                    pointer = "/stages/0/id" if path == pipeline else f"/{field}"
                    self.refused(self.as_alice.send(method, path, body(value)), code, pointer)
        for value, _ in self.bad("stage", "stage_id"):
            if isinstance(value, str | int) and value not in ("", True):
                answer = self.as_alice.delete(f"/api/stages/{self.new.pk}", move_deals_to=value)
                known = value == "1" or str(value) == str(self.new.pk)
                assert answer.status_code == 400 or known, answer.content
        for kind in self.gone.keys() - {"member"}:
            for row in (self.gone[kind], self.theirs_of[kind]):
                body = {"system": "s", "external_id": "1", "kind": kind}
                for name in (str(row.uuid), row.pk):
                    self.refused(
                        self.as_alice.post("/api/external-references", {**body, "row": name}), "", "/row"
                    )
        assert self.as_alice.get(pipeline).json() == before

    def test_ids_and_uuids_of_reference_data_mean_the_same(self) -> None:
        reason = LostReasonFactory(actor=self.alice)
        body = {"name": "A", "status": "lost", "pipeline_id": str(self.pipeline.uuid)}
        body |= {"stage_id": str(self.lost.uuid).upper(), "lost_reason_id": str(reason.uuid)}

        deal = self.as_bob.post("/api/deals", body).json()

        named = {name: deal[name]["id"] for name in ("pipeline", "stage", "lost_reason")}
        assert named == {"pipeline": self.pipeline.pk, "stage": self.lost.pk, "lost_reason": reason.pk}
        [upsert] = self.as_bob.post(
            "/api/deals/bulk",
            {
                "operations": [
                    {"op": "upsert", "data": {"uuid": deal["uuid"], "stage_id": str(self.lost.uuid)}}
                ]
            },
        ).json()["results"]
        assert upsert["outcome"] == "unchanged"
        stage = self.as_alice.post(
            "/api/stages", {"name": "B", "pipeline_id": str(self.pipeline.uuid)}
        ).json()
        assert stage["pipeline_id"] == self.pipeline.pk
        same = {"pipeline_id": str(self.pipeline.uuid), "name": "C"}
        assert self.as_alice.patch(f"/api/stages/{stage['id']}", same).json()["name"] == "C"
        gone = self.as_alice.delete(f"/api/stages/{self.lost.pk}", move_deals_to=str(self.new.uuid))
        assert gone.status_code == 204, gone.content
        reference = {"system": "s", "kind": "pipeline", "external_id": "1", "row": str(self.pipeline.uuid)}
        assert self.as_alice.post("/api/external-references", reference).json()["row"] == self.pipeline.pk

    def test_imports(self) -> None:
        self.make_rows()
        deal = self.deal(name="Old", external_references=[("default", "1")])
        before = self.as_bob.get(f"/api/deals/{deal.uuid}").json()
        for column, kind in COLUMNS.items():
            for row in (self.gone[kind], self.theirs_of[kind]):
                name = row.email if kind == "member" else str(row.uuid) if "uuid" in column else row.name
                status = "lost" if column == "lost_reason" else "open"
                lines = [("1", "A", status, name), ("2", "B", status, name)]
                content = csv_file(("external_id", "name", "status", column), *lines)
                with self.subTest(column=column, row=row):
                    result = imported(self.as_bob, "deals", content)
                    codes = [[error["code"] for error in line["errors"]] for line in result["refused"]]
                    inactive = kind == "member" and row == self.gone[kind]
                    assert codes == [["inactive" if inactive else "does_not_exist"]] * 2, json.dumps(codes)
        assert self.as_bob.get(f"/api/deals/{deal.uuid}").json() == before
        assert Deal.objects.filter(name="B").count() == 0


class FormTests(Rows, StaffTestCase):
    def test_forged_choices(self) -> None:
        self.make_rows()
        deal = self.deal()
        fields = {
            "stage": "stage",
            "contact": "contact",
            "client": "contact",
            "owner": "member",
            "next_deal": "deal",
            "lost_reason": "lost_reason",
            "members": "contact",
            "followers": "member",
            "access_list": "member",
        }
        for url in (add_url(Deal), change_url(deal)):
            plain = {**self.form(url), "name": "Forged"}
            # Several fields at once, of which each is refused: members by the service, other rows by the form.
            for of_members, number in itertools.product((True, False), range(6)):
                forged = {
                    field: (self.gone[kind].pk, self.theirs_of[kind].pk, 2**62, 2**70, "x", -1)[number]
                    for field, kind in fields.items()
                    if (kind == "member") == of_members
                }
                with self.subTest(url=url, forged=forged):
                    response = self.client.post(url, {**plain, **forged})
                    assert response.status_code == 200
                    errors = response.context["adminform"].form.errors
                    assert forged.keys() <= errors.keys(), errors
        assert not Deal.objects.filter(name="Forged").exists()
