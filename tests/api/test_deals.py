"""`/api/deals` over HTTP: the first seed's request, upsert, trash, followers, look-ups, totals."""

import uuid
from decimal import Decimal
from unittest import mock

from django.core import mail

from contacts.models import Contact
from crm_project.api import pagination
from crm_project.journal.models import Event
from deals.models import Deal
from tests.api.client import ApiTestCase, problem
from tests.factories import CompanyFactory, LostReasonFactory, PersonFactory
from tests.tasks import run_tasks

SEED = {
    "name": "Partenariat 2024",
    "amount": 15000,
    "contact_email": "sophie.martin@example.com",
    "contact_first_name": "Sophie",
    "contact_last_name": "Martin",
}
READ = (
    "uuid name description amount amount_base amount_gross tax_rate currency bid_type bid_value bid_periods"
    " status probability forecast_category pipeline stage contact client owner participants followers is_private"
    " access_list lost_reason expected_close_date paused_until pause_reason closed_at date date_from date_to number"
    " invoice_no url origin external_references department_id project_id task_id next_deal next_step custom_fields"
    " stage_entered_at created_by created_at updated_at"
).split()


class CreateTests(ApiTestCase):
    def test_it_works(self):
        answer = self.as_bob.post("/api/deals", SEED)

        assert answer.status_code == 201
        deal = answer.json()
        assert list(deal) == READ
        assert deal["name"] == "Partenariat 2024"
        assert (deal["amount"], deal["currency"]) == ("15000.00", "EUR")
        assert (deal["status"], deal["probability"]) == ("open", 10)
        assert deal["pipeline"] == {"id": self.pipeline.pk, "name": "Sales"}
        assert deal["stage"] == {"id": self.new.pk, "name": "New", "color": "#64748b", "kind": "open"}
        assert deal["contact"] == {
            "uuid": str(Contact.objects.get().uuid),
            "full_name": "Sophie Martin",
            "email": "sophie.martin@example.com",
        }
        assert deal["created_by"]["uuid"] == str(self.bob.member.uuid)
        assert deal["owner"] is None

    def test_location_leads_to_the_same_body(self):
        answer = self.as_bob.post("/api/deals", SEED)

        assert answer["Location"] == f"http://testserver/api/deals/{answer.json()['uuid']}"
        assert self.as_bob.get(answer["Location"]).json() == answer.json()

    def test_a_known_contact_is_linked_and_never_overwritten(self):
        first = self.as_bob.post("/api/deals", SEED).json()

        second = self.as_bob.post(
            "/api/deals",
            SEED | {"contact_email": "  Sophie.MARTIN@Example.com ", "contact_first_name": "Sofia"},
        ).json()

        assert second["uuid"] != first["uuid"]
        assert second["contact"] == first["contact"]
        assert Contact.objects.get().first_name == "Sophie"

    def test_a_new_contact_needs_a_first_name_and_without_it_nothing_is_written(self):
        answer = self.as_bob.post("/api/deals", {"name": "Deal", "contact_email": "new@example.com"})

        problem(answer, 400, "required", "/contact_first_name")
        assert not Deal.objects.exists()
        assert not Contact.objects.exists()

    def test_name_alone_is_enough(self):
        deal = self.as_bob.post("/api/deals", {"name": "Deal"}).json()

        assert (deal["amount"], deal["contact"], deal["expected_close_date"]) == (None, None, None)

    def test_all_that_can_be_written_is_shown(self):
        person, client = PersonFactory(actor=self.bob), CompanyFactory(actor=self.bob, name="Acme")
        reason, other = LostReasonFactory(actor=self.alice, name="Price"), self.deal(name="Next")
        plain = {
            "name": "Everything",
            "description": "Line one\nline two",
            "tax_rate": "zw",
            "currency": "USD",
            "status": "lost",
            "is_private": True,
            "expected_close_date": "2024-02-29",
            "date": "2024-01-01",
            "date_from": "2024-01-02",
            "date_to": "2024-01-03",
            "number": "D-1",
            "invoice_no": "I-1",
            "url": "https://example.com/1",
            "origin": "fair",
            "department_id": 1,
            "project_id": -(2**63),
            "task_id": 2**63 - 1,
            "external_references": [{"system": "erp", "external_id": "7"}],
        }
        named = {
            "amount": "10.5",
            "amount_gross": 12,
            "stage_id": self.lost.pk,
            "pipeline_id": self.pipeline.pk,
            "contact_uuid": str(person.uuid),
            "client_uuid": str(client.uuid),
            "owner_uuid": str(self.bob.member.uuid),
            "participant_uuids": [str(person.uuid)],
            "follower_uuids": [str(self.manager.member.uuid)],
            "access_list_uuids": [str(self.viewer.member.uuid)],
            "next_deal_uuid": str(other.uuid),
            "lost_reason_id": reason.pk,
            "closed_at": "2024-03-01T12:00:00+02:00",
        }

        answer = self.as_bob.post("/api/deals", plain | named)

        deal = answer.json()
        assert answer.status_code == 201, deal
        assert {name: deal[name] for name in plain} == plain
        assert (deal["amount"], deal["amount_gross"], deal["closed_at"]) == (
            "10.50",
            "12.00",
            "2024-03-01T10:00:00Z",
        )
        assert deal["stage"]["kind"] == "lost"
        assert deal["probability"] == 0
        assert deal["contact"]["uuid"] == str(person.uuid)
        assert deal["client"] == {"uuid": str(client.uuid), "full_name": "Acme"}
        assert deal["owner"]["email"] == "bob@example.com"
        assert [row["uuid"] for row in deal["participants"]] == [str(person.uuid)]
        assert [follower["full_name"] for follower in deal["followers"]] == ["Mary"]
        # The member who writes an access list stays on it.
        assert {member["full_name"] for member in deal["access_list"]} == {"Victor", "Bob"}
        assert deal["next_deal"] == {"uuid": str(other.uuid), "name": "Next"}
        assert deal["lost_reason"] == {"id": reason.pk, "name": "Price"}

    def test_a_bid_is_multiplied(self):
        deal = self.as_bob.post(
            "/api/deals", {"name": "Work", "bid_type": "hour", "bid_value": "80", "bid_periods": 12}
        ).json()

        assert (deal["amount"], deal["bid_value"], deal["bid_periods"]) == ("960.00", "80.00", 12)

    def test_all_wrong_fields_come_at_once(self):
        answer = self.as_bob.post(
            "/api/deals", {"amount": "many", "expected_close_date": "2024-02-30", "nane": "x", "uuid": "1"}
        )

        body = problem(answer, 400, "invalid", "/name", "/amount", "/expected_close_date", "/nane", "/uuid")
        codes = {error["pointer"]: error["code"] for error in body["errors"]}
        assert codes["/name"] == "required"
        assert codes["/nane"] == "unknown_field"
        assert codes["/uuid"] == "read_only"

    def test_the_core_s_refusals_name_the_wire_s_fields(self):
        answer = self.as_bob.post(
            "/api/deals", {"name": "Deal", "stage_id": self.new.pk, "pipeline_id": self.renewals.pk}
        )

        problem(answer, 400, "stage_not_in_pipeline", "/stage_id")

    def test_another_organization_s_rows_are_refused_like_unknown_ones(self):
        theirs = self.deal(self.charlie)
        person = self.person(self.charlie)
        foreign = {
            "stage_id": self.theirs.stages.first().pk,
            "pipeline_id": self.theirs.pk,
            "contact_uuid": str(person.uuid),
            "client_uuid": str(person.uuid),
            "owner_uuid": str(self.charlie.member.uuid),
            "next_deal_uuid": str(theirs.uuid),
            "lost_reason_id": LostReasonFactory(actor=self.charlie).pk,
        }
        for name, value in foreign.items():
            unknown = 2**62 if isinstance(value, int) else str(uuid.uuid4())
            answers = [
                self.as_bob.post("/api/deals", {"name": "Deal", name: key}) for key in (value, unknown)
            ]
            bodies = [problem(answer, 400, "does_not_exist", f"/{name}") for answer in answers]
            assert bodies[0] | {"request_id": ""} == bodies[1] | {"request_id": ""}
        for name in ("participant_uuids", "follower_uuids", "access_list_uuids"):
            key = person.uuid if name == "participant_uuids" else self.charlie.member.uuid
            answer = self.as_bob.post("/api/deals", {"name": "Deal", name: [str(key)]})
            problem(answer, 400, "does_not_exist", f"/{name}/0")

    def test_the_access_list_is_notified_after_the_write(self):
        body = {"name": "Deal", "is_private": True, "notify_access_list": True}
        self.as_bob.post("/api/deals", body | {"access_list_uuids": [str(self.viewer.member.uuid)]})
        assert mail.outbox == []
        run_tasks()

        assert [message.to for message in mail.outbox] == [["victor@example.com"]]


class ReadTests(ApiTestCase):
    def test_an_unknown_one_is_404(self):
        problem(self.as_bob.get(f"/api/deals/{uuid.uuid4()}"), 404, "not_found")

    def test_the_newest_come_first_fifty_to_a_page(self):
        for number in range(51):
            self.deal(name=f"{number}")

        page = self.as_bob.get("/api/deals").json()

        assert list(page) == ["next", "previous", "next_cursor", "results"]
        assert [row["name"] for row in page["results"]] == [f"{n}" for n in range(50, 0, -1)]
        assert page["previous"] is None
        second = self.as_bob.get(page["next"]).json()
        assert [row["name"] for row in second["results"]] == ["0"]
        assert self.as_bob.get("/api/deals", cursor=page["next_cursor"]).json() == second
        assert second["next_cursor"] is None

    def test_the_total_is_counted_on_demand(self):
        for name in ("a", "b", "c"):
            self.deal(name=name)

        page = self.as_bob.get("/api/deals", total="true", page_size=1).json()

        assert (page["count"], page["count_is"], len(page["results"])) == (3, "exact", 1)

    def test_the_total_of_a_long_list_is_a_lower_bound(self):
        for name in ("a", "b", "c"):
            self.deal(name=name)

        with mock.patch.object(pagination, "MOST_COUNTED", 2):
            page = self.as_bob.get("/api/deals", total="true").json()

        assert (page["count"], page["count_is"], len(page["results"])) == (2, "at_least", 3)

    def test_deals_of_one_pipeline(self):
        self.deal(name="Sale")
        self.deal(name="Renewal", pipeline=self.renewals.pk)

        assert self.as_bob.names(f"/api/pipelines/{self.renewals.pk}/deals") == ["Renewal"]
        assert self.as_bob.names(f"/api/pipelines/{self.renewals.pk}/deals", status="won") == []
        problem(self.as_bob.get(f"/api/pipelines/{2**70}/deals"), 404, "not_found")
        problem(self.as_bob.get(f"/api/pipelines/{self.theirs.pk}/deals"), 404, "not_found")

    def test_the_summary_adds_up_each_status_and_currency_by_itself(self):
        self.deal(amount="0.10")
        self.deal(amount="0.20", stage=self.offer.pk)
        self.deal(amount="1.005", currency="KWD")
        self.deal(amount="7", status="won")
        self.deal()

        body = self.as_bob.get("/api/deals/summary").json()

        def total(status, currency, count, amount, weighted):
            return {
                "status": status,
                "currency": currency,
                "count": count,
                "amount": amount,
                "amount_gross": "0.00" if currency == "EUR" else "0.000",
                "amount_gross_count": 0,
                "weighted_amount": weighted,
                "amount_base": f"{Decimal(amount):.4f}" if currency == "EUR" else "0.0000",
                "without_rate": 0 if currency == "EUR" else count,
            }

        assert body["count"] == 5
        assert body["totals"] == [
            total("open", "EUR", 3, "0.30", "0.11"),
            total("open", "KWD", 1, "1.005", "0.101"),
            total("won", "EUR", 1, "7.00", "7.00"),
        ]

    def test_the_summary_takes_the_list_s_filters(self):
        self.deal(amount="1")
        self.deal(amount="2", status="won")

        body = self.as_bob.get("/api/deals/summary", status="won").json()

        assert (body["count"], body["totals"][0]["amount"]) == (1, "2.00")
        problem(self.as_bob.get("/api/deals/summary", ordering="name"), 400, "unknown_parameter", "/ordering")


class UpdateTests(ApiTestCase):
    def test_it_writes_what_was_sent_and_nothing_else(self):
        deal = self.deal(name="Old", amount="5", origin="fair")
        before = self.as_bob.get(f"/api/deals/{deal.uuid}").json()

        answer = self.as_bob.patch(f"/api/deals/{deal.uuid}", {"amount": 7.5})

        after = answer.json()
        assert answer.status_code == 200
        assert {name for name in after if after[name] != before[name]} == {
            "amount",
            "amount_base",
            "updated_at",
        }
        assert after["amount"] == "7.50"

    def test_a_move_to_a_closing_stage_closes(self):
        deal = self.deal()

        after = self.as_bob.patch(f"/api/deals/{deal.uuid}", {"stage_id": self.won.pk}).json()

        assert (after["status"], after["probability"]) == ("won", 100)
        assert after["closed_at"] is not None

    def test_null_clears(self):
        deal = self.deal(
            amount="5", contact=self.person().pk, description="x", expected_close_date="2024-01-01"
        )

        after = self.as_bob.patch(
            f"/api/deals/{deal.uuid}",
            {"amount": None, "contact_uuid": None, "description": None, "expected_close_date": None},
        ).json()

        assert (after["amount"], after["contact"], after["expected_close_date"]) == (None, None, None)
        assert after["description"] == ""

    def test_the_name_stays_or_is_replaced_but_is_never_blank(self):
        deal = self.deal()

        for name in ("", " ", None):
            answer = self.as_bob.patch(f"/api/deals/{deal.uuid}", {"name": name})
            problem(answer, 400, "null" if name is None else "blank", "/name")

    def test_read_only_fields_may_only_be_what_they_are(self):
        deal = self.deal()

        answer = self.as_bob.patch(
            f"/api/deals/{deal.uuid}", {"created_at": "2020-01-01T00:00:00Z", "pipeline": {"id": 1}}
        )

        problem(answer, 400, "read_only", "/created_at", "/pipeline")

    def test_the_shorthand_leaves_other_systems_alone(self):
        deal = self.deal(external_references=[("erp", "1"), ("default", "old")])

        after = self.as_bob.patch(f"/api/deals/{deal.uuid}", {"external_id": "new"}).json()

        keys = {(key["system"], key["external_id"]) for key in after["external_references"]}
        assert keys == {("erp", "1"), ("default", "new")}

    def test_a_reference_of_another_deal_is_taken(self):
        self.deal(external_references=[("erp", "1")])
        deal = self.deal()

        body = {"external_references": [{"system": "erp", "external_id": "1"}]}
        answer = self.as_bob.patch(f"/api/deals/{deal.uuid}", body)

        problem(answer, 409, "reference_taken")


class TrashTests(ApiTestCase):
    def test_it_goes_to_the_trash_and_comes_back(self):
        deal = self.deal(name="Deal", external_references=[("erp", "1")])
        before = self.as_bob.get(f"/api/deals/{deal.uuid}").json()

        answer = self.as_bob.delete(f"/api/deals/{deal.uuid}")

        assert (answer.status_code, answer.content) == (204, b"")
        problem(self.as_bob.get(f"/api/deals/{deal.uuid}"), 404, "not_found")
        problem(self.as_bob.delete(f"/api/deals/{deal.uuid}"), 404, "not_found")
        problem(self.as_bob.patch(f"/api/deals/{deal.uuid}", {"name": "x"}), 404, "not_found")
        problem(self.as_bob.get("/api/deals/external/erp/1"), 404, "not_found")
        assert self.as_bob.names("/api/deals") == []
        assert self.as_bob.names("/api/deals", deleted="only") == ["Deal"]

        restored = self.as_bob.post(f"/api/deals/{deal.uuid}/restore")

        assert restored.status_code == 200
        assert restored.json() | {"updated_at": ""} == before | {"updated_at": ""}
        assert self.as_bob.get("/api/deals/external/erp/1").json()["uuid"] == str(deal.uuid)

    def test_a_live_deal_cannot_be_restored(self):
        problem(self.as_bob.post(f"/api/deals/{self.deal().uuid}/restore"), 404, "not_found")

    def test_a_key_given_away_meanwhile_is_a_conflict(self):
        deal = self.deal(external_references=[("erp", "1")])
        self.as_bob.delete(f"/api/deals/{deal.uuid}")
        self.deal(external_references=[("erp", "1")])

        problem(self.as_bob.post(f"/api/deals/{deal.uuid}/restore"), 409, "restore_conflict")

    def test_a_deal_whose_stage_is_gone_needs_one(self):
        deal = self.deal(stage=self.offer.pk)
        self.as_bob.delete(f"/api/deals/{deal.uuid}")
        self.as_alice.delete(f"/api/stages/{self.offer.pk}")

        problem(self.as_bob.post(f"/api/deals/{deal.uuid}/restore"), 409, "restore_conflict")
        unknown = self.as_bob.post(
            f"/api/deals/{deal.uuid}/restore", {"stage_id": self.theirs.stages.first().pk}
        )
        problem(unknown, 400, "does_not_exist", "/stage_id")
        restored = self.as_bob.post(f"/api/deals/{deal.uuid}/restore", {"stage_id": self.new.pk})

        assert restored.json()["stage"]["id"] == self.new.pk

    def test_restoring_takes_no_other_field(self):
        deal = self.deal()
        self.as_bob.delete(f"/api/deals/{deal.uuid}")

        answer = self.as_bob.post(f"/api/deals/{deal.uuid}/restore", {"name": "x"})

        problem(answer, 400, "unknown_field", "/name")


class FollowerTests(ApiTestCase):
    def test_following_twice_is_following_once(self):
        deal = self.deal()
        path = f"/api/deals/{deal.uuid}/followers/{self.viewer.member.uuid}"

        for _ in range(2):
            answer = self.as_bob.put(path)
            assert answer.status_code == 200
            assert [row["full_name"] for row in answer.json()["followers"]] == ["Victor"]
        for _ in range(2):
            answer = self.as_bob.delete(path)
            assert answer.status_code == 200
            assert answer.json()["followers"] == []

        assert Event.objects.filter(kind="deal", row_id=deal.pk).count() == 3

    def test_an_outsider_does_not_follow(self):
        path = f"/api/deals/{self.deal().uuid}/followers/"
        answers = [self.as_bob.put(f"{path}{key}").json() for key in (self.charlie.member.uuid, uuid.uuid4())]

        assert [answer["status"] for answer in answers] == [404, 404]
        assert answers[0] | {"request_id": ""} == answers[1] | {"request_id": ""}


class ExternalTests(ApiTestCase):
    def test_it_finds_by_system_and_id(self):
        deal = self.deal(external_references=[("erp", "a/b c%é"), ("default", "1")])

        for path in ("erp/a/b%20c%25%C3%A9", "default/1"):
            assert self.as_bob.get(f"/api/deals/external/{path}").json()["uuid"] == str(deal.uuid)

    def test_it_hides_what_it_does_not_find(self):
        self.deal(self.charlie, external_references=[("erp", "1")])

        for path in ("erp/1", "erp/2", "erp/%00", "%00/1", "erp/%ED%A0%80", "erp/" + "x" * 5000):
            problem(self.as_bob.get(f"/api/deals/external/{path}"), 404, "not_found")


class UpsertTests(ApiTestCase):
    def test_the_first_creates_and_the_second_changes_nothing(self):
        body = SEED | {"external_id": "42"}

        first = self.as_bob.post("/api/deals/upsert", body)
        second = self.as_bob.post("/api/deals/upsert", body)

        assert (first.status_code, second.status_code) == (201, 200)
        assert first["Location"].endswith(first.json()["uuid"])
        assert "Location" not in second
        outcome = {name: first.json()[name] for name in ("outcome", "new", "matched_on", "changed")}
        assert outcome == {"outcome": "created", "new": True, "matched_on": None, "changed": []}
        assert second.json() == first.json() | {
            "outcome": "unchanged",
            "new": False,
            "matched_on": "external_reference",
        }
        assert Deal.objects.get().version == 1

    def test_an_update_names_what_changed(self):
        self.as_bob.post("/api/deals/upsert", SEED)

        body = self.as_bob.post(
            "/api/deals/upsert",
            SEED | {"amount": "16000", "stage_id": self.offer.pk, "owner_uuid": str(self.bob.member.uuid)},
        ).json()

        assert (body["outcome"], body["matched_on"]) == ("updated", "contact_and_pipeline")
        assert body["changed"] == ["amount", "owner_uuid", "probability", "stage_entered_at", "stage_id"]

    def test_match_on_decides(self):
        held = self.deal(external_references=[("default", "42")])
        other = self.deal()

        body = {"external_id": "42", "uuid": str(other.uuid), "name": "Found"}
        by_reference = self.as_bob.post("/api/deals/upsert", body | {"match_on": "external_reference"})
        by_uuid = self.as_bob.post("/api/deals/upsert", {"uuid": str(other.uuid), "name": "Found"})

        assert by_reference.json()["uuid"] == str(held.uuid)
        assert by_uuid.json()["uuid"] == str(other.uuid)

    def test_an_unknown_uuid_is_404(self):
        problem(
            self.as_bob.post("/api/deals/upsert", {"uuid": str(uuid.uuid4()), "name": "x"}), 404, "not_found"
        )

    def test_without_a_key_it_is_refused(self):
        problem(self.as_bob.post("/api/deals/upsert", {"name": "x"}), 400, "required", "/match_on")
        answer = self.as_bob.post("/api/deals/upsert", {"name": "x", "match_on": "uuid"})
        problem(answer, 400, "required", "/match_on")

    def test_a_new_deal_needs_a_name_and_without_it_nothing_is_written(self):
        for body in ({"external_id": "1"}, {"external_id": "1", "name": " "}):
            answer = self.as_bob.post("/api/deals/upsert", body)
            assert answer.status_code == 400
            assert [error["pointer"] for error in answer.json()["errors"]] == ["/name"]

        assert not Deal.objects.exists()

    def test_several_candidates_are_ambiguous(self):
        person = self.person()
        deals = [self.deal(name=name, contact=person.pk) for name in ("a", "b")]

        answer = self.as_bob.post("/api/deals/upsert", {"contact_uuid": str(person.uuid), "name": "c"})

        body = problem(answer, 409, "ambiguous_match")
        assert body["candidates"] == [{"uuid": str(deal.uuid), "name": deal.name} for deal in deals]
        assert Deal.objects.count() == 2

    def test_a_closing_request_finds_what_it_has_closed(self):
        body = SEED | {"status": "won"}

        first, second = (self.as_bob.post("/api/deals/upsert", body) for _ in range(2))

        assert (first.status_code, second.json()["outcome"]) == (201, "unchanged")

    def test_references_are_added(self):
        deal = self.deal(external_references=[("erp", "1")])

        body = {
            "match_on": "external_reference",
            "external_references": [
                {"system": "erp", "external_id": "1"},
                {"system": "shop", "external_id": "2"},
            ],
        }
        answer = self.as_bob.post("/api/deals/upsert", body).json()

        assert answer["uuid"] == str(deal.uuid)
        assert answer["changed"] == ["external_references"]
        assert len(answer["external_references"]) == 2
