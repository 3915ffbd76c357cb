"""`/api/external-references` over HTTP: every kind of row, who may, and keys that belong to one row."""

import uuid

from tests.api.client import ApiTestCase, problem
from tests.factories import CustomFieldFactory, LostReasonFactory

PATH = "/api/external-references"


class ReferenceTests(ApiTestCase):
    def rows_of_each_kind(self, actor, stage):
        """Each kind with a row of the actor's organization, as the wire names it."""
        return {
            "organization": str(actor.organization.uuid),
            "user": str(actor.member.uuid),
            "contact": str(self.person(actor).uuid),
            "deal": str(self.deal(actor).uuid),
            "pipeline": stage.pipeline_id,
            "stage": stage.pk,
            "lost_reason": LostReasonFactory(actor=actor).pk,
            "custom_field": CustomFieldFactory(actor=actor).pk,
        }

    def of_deal(self, external_id, deal=None):
        deal = deal or self.deal()
        return {"system": "erp", "kind": "deal", "external_id": external_id, "row": str(deal.uuid)}

    def of_person(self, external_id):
        return {
            "system": "erp",
            "kind": "contact",
            "external_id": external_id,
            "row": str(self.person().uuid),
        }

    def test_every_kind_of_row_can_be_named_renamed_and_forgotten(self):
        for kind, row in self.rows_of_each_kind(self.alice, self.new).items():
            body = {"system": "erp", "kind": kind, "external_id": f"{kind}/1", "row": row}

            answer = self.as_alice.post(PATH, body)

            made = answer.json()
            where = answer["Location"]
            assert answer.status_code == 201, made
            assert made == {"uuid": made["uuid"], **body, "created_at": made["created_at"]}
            assert self.as_alice.get(where).json() == made
            again = self.as_alice.post(PATH, body)
            assert (again.status_code, again.json()) == (200, made)
            renamed = self.as_alice.patch(where, {"external_id": "2"})
            assert (renamed.status_code, renamed.json()) == (200, made | {"external_id": "2"})
            assert self.as_alice.rows(PATH, kind=kind) == [renamed.json()]
            assert self.as_alice.delete(where).status_code == 204
            problem(self.as_alice.get(where), 404, "not_found")
            assert self.as_alice.rows(PATH, kind=kind) == []

    def test_another_organization_s_rows_are_refused_like_unknown_ones(self):
        for kind, row in self.rows_of_each_kind(self.charlie, self.theirs.stages.first()).items():
            body = {"system": "s", "kind": kind, "external_id": "1"}
            unknown = 2**62 if isinstance(row, int) else str(uuid.uuid4())
            answers = [self.as_alice.post(PATH, body | {"row": key}) for key in (row, unknown)]
            bodies = [problem(answer, 400, "does_not_exist", "/row") for answer in answers]
            assert bodies[0] | {"request_id": ""} == bodies[1] | {"request_id": ""}

    def test_what_names_no_row_is_refused(self):
        for kind, row in (
            *(("deal", row) for row in (1, None, True, "", "x", [], {}, "1" * 32, 2**70)),
            *(("stage", row) for row in ("1", None, True, 0, -1, 2**70, 1.5, [], str(uuid.uuid4()))),
        ):
            answer = self.as_alice.post(PATH, {"system": "s", "kind": kind, "external_id": "1", "row": row})
            assert answer.status_code == 400, (kind, row)
            assert [error["pointer"] for error in answer.json()["errors"]] == ["/row"]

    def test_keys_are_texts_that_are_not_blank(self):
        for name in ("system", "external_id"):
            for value, code in ((" ", "blank"), ("", "blank"), ("x" * 256, "max_length"), (1, "invalid")):
                problem(self.as_bob.post(PATH, self.of_deal("1") | {name: value}), 400, code, f"/{name}")

    def test_roles_decide_by_kind(self):
        rows = self.rows_of_each_kind(self.alice, self.new)
        catalogue = {"pipeline", "stage", "lost_reason", "custom_field"}
        allowed = {
            "as_viewer": set(),
            "as_bob": {"contact", "deal"},
            "as_manager": {"contact", "deal"} | catalogue,
            "as_alice": set(rows),
        }
        for name, kinds in allowed.items():
            for kind, row in rows.items():
                body = {"system": name, "kind": kind, "external_id": "1", "row": row}
                made = getattr(self, name).post(PATH, body)
                assert made.status_code == (201 if kind in kinds else 403), (name, kind)
        for reference in self.as_alice.rows(PATH, system="as_alice"):
            where = f"{PATH}/{reference['uuid']}"
            for name in (name for name, kinds in allowed.items() if reference["kind"] not in kinds):
                problem(getattr(self, name).patch(where, {"external_id": "2"}), 403, "forbidden")
                problem(getattr(self, name).delete(where), 403, "forbidden")

    def test_a_key_names_one_row_of_a_kind(self):
        self.as_bob.post(PATH, self.of_deal("1"))

        problem(self.as_bob.post(PATH, self.of_deal("1")), 409, "reference_taken")
        second = self.as_bob.post(PATH, self.of_deal("2")).json()
        problem(self.as_bob.patch(f"{PATH}/{second['uuid']}", {"external_id": "1"}), 409, "reference_taken")
        assert self.as_bob.post(PATH, self.of_person("1")).status_code == 201
        theirs = self.of_deal("1", self.deal(self.charlie))
        assert self.as_charlie.post(PATH, theirs).status_code == 201

    def test_it_stays_with_its_row(self):
        made = self.as_bob.post(PATH, self.of_deal("1")).json()

        change = {"row": str(self.deal().uuid), "kind": "contact"}
        answer = self.as_bob.patch(f"{PATH}/{made['uuid']}", change)

        problem(answer, 400, "read_only", "/kind", "/row")

    def test_renamed_to_another_key_of_its_row_it_is_that_one(self):
        deal = self.deal()
        first, second = (self.as_bob.post(PATH, self.of_deal(key, deal)).json() for key in "12")

        answer = self.as_bob.patch(f"{PATH}/{first['uuid']}", {"external_id": "2"})

        assert (answer.status_code, answer.json()) == (200, second)
        assert self.as_bob.rows(PATH) == [second]

    def test_the_row_s_version_counts_it(self):
        deal = self.deal()

        self.as_bob.post(PATH, self.of_deal("1", deal))

        deal.refresh_from_db()
        assert deal.version == 2
        assert self.as_bob.get("/api/deals/external/erp/1").json()["uuid"] == str(deal.uuid)

    def test_a_trashed_row_has_none(self):
        deal = self.deal()
        made = self.as_bob.post(PATH, self.of_deal("1", deal)).json()
        self.as_bob.delete(f"/api/deals/{deal.uuid}")

        assert self.as_bob.rows(PATH) == []
        problem(self.as_bob.get(f"{PATH}/{made['uuid']}"), 404, "not_found")
        assert self.as_bob.post(PATH, self.of_deal("1")).status_code == 201

    def test_filters_narrow_and_refuse_what_they_do_not_know(self):
        for system in ("erp", "shop"):
            self.as_bob.post(PATH, self.of_deal("1") | {"system": system})
        self.as_bob.post(PATH, self.of_person("2"))

        for count, narrowed in (
            (3, {}),
            (2, {"system": "erp"}),
            (2, {"external_id": "1"}),
            (1, {"system": "erp", "external_id": "1", "kind": "deal"}),
            (3, {"kind": "deal,contact"}),
        ):
            assert len(self.as_bob.rows(PATH, **narrowed)) == count, narrowed
        problem(self.as_bob.get(PATH, kind="robot"), 400, "invalid", "/kind")
        problem(self.as_bob.get(PATH, sistem="erp"), 400, "unknown_parameter", "/sistem")

    def test_pages_run_through_every_kind(self):
        made = []
        for number in range(3):
            for body in (self.of_deal(f"{number}"), self.of_person(f"{number}")):
                made.append(self.as_bob.post(PATH, body).json()["uuid"])

        pages = [self.as_bob.get(PATH, page_size=1, total="true").json()]
        while pages[-1]["next"]:
            pages.append(self.as_bob.get(pages[-1]["next"]).json())

        assert {page["count"] for page in pages} == {6}
        assert [row["uuid"] for page in pages for row in page["results"]] == made[::-1]
        page = pages[-1]
        for former in pages[-2::-1]:
            page = self.as_bob.get(page["previous"]).json()
            assert page["results"] == former["results"]
        assert page["previous"] is None
