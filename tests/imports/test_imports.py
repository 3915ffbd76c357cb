"""From the upload to the report: a preview reports the outcome of a run; no row is imported twice or in part."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.models import ApiToken
from crm_project.accounts.services import revoke_token
from crm_project.background import queue
from crm_project.background.models import StoredTask
from crm_project.imports import services, tasks
from crm_project.imports.models import Import, ImportChunk, RefusedRow
from crm_project.imports.querysets import HEARTBEAT_LIMIT
from crm_project.imports.tasks import enqueue_abandoned
from crm_project.journal.models import Event
from deals.models import Deal
from tests.api.client import ApiClient, ApiTestCase, problem
from tests.factories import CustomFieldFactory, LostReasonFactory
from tests.imports.client import carried_out, counts, csv_file, imported, upload, xlsx_file
from tests.tasks import run_tasks

HEADER = ("external_id", "name", "amount", "stage", "owner_email", "contact_email", "contact_first_name")


def deal_row(number, **cells):
    row = dict(
        zip(HEADER, (number, f"Deal {number}", "10.50", "Offer", "bob@example.com", "", ""), strict=True)
    )
    return [(row | cells)[name] for name in HEADER]


class RunTests(ApiTestCase):
    def test_it_works(self):
        result = imported(self.as_bob, "deals", csv_file(HEADER, deal_row(1), deal_row(2, stage="New")))

        assert result["state"] == "done"
        assert counts(result) == (2, 0, 0, 0)
        deal = Deal.objects.holding_reference(system="default", external_id="1").get()
        assert (deal.name, str(deal.amount), deal.stage, deal.owner) == (
            "Deal 1",
            "10.5000",
            self.offer,
            self.bob.member,
        )
        assert deal.created_by == self.bob.member

    def test_the_run_is_one_change_set(self):
        result = imported(self.as_bob, "deals", csv_file(HEADER, deal_row(1), deal_row(2)))

        events = Event.objects.filter(change_set=result["counts"]["change_set"])
        assert sorted(events.values_list("kind", "action")) == [("deal", "created")] * 2

    def test_the_same_file_twice_doubles_nothing(self):
        content = csv_file(
            HEADER, deal_row(1, contact_email="p@example.com", contact_first_name="P"), deal_row(2)
        )
        imported(self.as_bob, "deals", content)

        again = imported(self.as_bob, "deals", content)

        assert counts(again) == (0, 0, 2, 0)
        assert Deal.objects.count() == 2
        assert Contact.objects.filter(email="p@example.com").count() == 1

    def test_rows_without_a_key_are_known_again_by_what_they_say(self):
        content = csv_file(("name", "amount"), ("A", "1"), ("A", "1"), ("B", "2"))
        imported(self.as_bob, "deals", content)

        again = imported(
            self.as_bob, "deals", csv_file(("amount", "name"), ("1", "A"), ("2", "B"), ("1", "A"), (3, "C"))
        )

        assert counts(again) == (1, 0, 3, 0)
        assert Deal.objects.count() == 4

    def test_its_events_carry_the_token_that_asked_for_it(self):
        result = imported(self.as_bob, "deals", csv_file(HEADER, deal_row(1)))

        token = ApiToken.objects.get(member=self.bob.member)
        assert Event.objects.get(kind="deal").token_uuid == token.uuid
        undone = self.as_bob.post(f"/api/imports/{result['uuid']}/undo")
        run_tasks()
        assert undone.status_code == 202
        assert Event.objects.filter(kind="deal").latest("sequence").token_uuid == token.uuid

    def test_a_revoked_token_ends_it(self):
        source = f"/api/imports/{upload(self.as_bob, 'deals', csv_file(HEADER, deal_row(1))).json()['uuid']}"
        client = ApiClient(self.bob)
        assert client.post(f"{source}/run").status_code == 202
        revoke_token(actor=self.bob, token=ApiToken.objects.latest("id"))

        run_tasks()

        assert self.as_bob.get(source).json()["problem"] == "The token that started this is revoked."
        assert not Deal.objects.exists()

    def test_one_bad_row_is_named_by_its_line_and_nothing_is_written(self):
        result = imported(
            self.as_bob, "deals", csv_file(HEADER, deal_row(1), deal_row(2, amount="ten"), deal_row(3))
        )

        assert result["state"] == "refused"
        assert counts(result) == (0, 0, 0, 1)
        assert "created" not in str(result["examples"])
        assert [(row["line"], row["errors"][0]["column"]) for row in result["refused"]] == [(3, "amount")]
        assert not Deal.objects.exists()
        assert not Event.objects.filter(kind="deal").exists()

    def test_a_mended_file_is_imported(self):
        bad = csv_file(HEADER, deal_row(1), deal_row(2, amount="ten"))
        imported(self.as_bob, "deals", bad)

        mended = imported(self.as_bob, "deals", bad.replace(b"ten", b"10"))

        assert mended["state"] == "done"
        assert Deal.objects.count() == 2

    def test_good_rows_alone_can_be_had(self):
        content = csv_file(HEADER, deal_row(1), deal_row(2, stage="Nowhere"), deal_row(3))

        result = imported(self.as_bob, "deals", content, options={"bad_rows": "skip"})

        assert result["state"] == "done"
        assert counts(result) == (2, 0, 0, 1)
        assert Deal.objects.count() == 2

    def error_file(self, result):
        address = f"/api/imports/{result['uuid']}/error-file"
        return b"".join(self.as_bob.client.get(address, headers=self.as_bob.headers).streaming_content)

    def test_the_error_file_can_be_mended_and_sent(self):
        result = imported(
            self.as_bob,
            "deals",
            csv_file(HEADER, deal_row(1), deal_row(2, amount="ten", name="=Two")),
            options={"bad_rows": "skip"},
        )

        content = self.error_file(result)

        assert content.splitlines()[0].endswith(b",Line,Errors")
        assert b"'=Two" in content
        assert b",3,amount: " in content
        assert counts(imported(self.as_bob, "deals", content.replace(b"ten", b"7"))) == (1, 0, 0, 0)
        assert Deal.objects.get(amount=7).name == "=Two"

    def test_a_field_that_has_no_column_is_called_as_in_the_choice_of_fields(self):
        result = imported(
            self.as_bob, "deals", csv_file(("Deal", "Person email", "Betrag"), ("A", "new@example.com", "x"))
        )
        other = imported(self.as_bob, "deals", csv_file(("Deal", "Contact's phone"), ("A", "1")))

        assert self.error_file(result).endswith(b"Betrag: 'x' is not a number.\r\n")
        assert b"2,Contact's first name: " in self.error_file(other)

    def test_a_preview_reports_the_outcome_of_the_run_and_writes_nothing(self):
        imported(self.as_bob, "deals", csv_file(HEADER, deal_row(1), deal_row(2)))
        content = csv_file(
            HEADER, deal_row(1), deal_row(2, amount="99"), deal_row(3), deal_row(4, amount="x")
        )

        preview = imported(self.as_bob, "deals", content, task="preview")

        assert preview["state"] == "previewed"
        assert counts(preview) == (1, 1, 1, 1)
        assert [(row["line"], row["outcome"], row["changed"]) for row in preview["examples"]] == [
            (2, "unchanged", []),
            (3, "updated", ["amount"]),
            (4, "created", []),
        ]
        assert Deal.objects.count() == 2

    def test_a_dry_run_is_the_preview(self):
        source = f"/api/imports/{upload(self.as_bob, 'deals', csv_file(HEADER, deal_row(1))).json()['uuid']}"
        for task in ("preview", "run", "undo"):
            problem(self.as_bob.post(f"{source}/{task}", {"a": 1}), 400, "unknown_field", "/a")

        asked = self.as_bob.send("POST", f"{source}/run", dry_run="true")
        run_tasks()

        assert asked["Dry-Run"] == "true"
        assert self.as_bob.get(source).json()["state"] == "previewed"
        assert not Deal.objects.exists()

    def test_refusals_of_the_services_name_the_columns_of_the_file(self):
        rows = [
            deal_row(1, contact_email="nobody"),
            deal_row(3, owner_email="x@example.com"),
            deal_row(4, amount="-1"),
            deal_row(5, name=""),
            deal_row(6, name="a\x00b"),
        ]

        result = imported(self.as_bob, "deals", csv_file(HEADER, *rows))

        assert [
            (row["line"], row["errors"][0]["column"], row["errors"][0]["code"]) for row in result["refused"]
        ] == [
            (2, "contact_email", "invalid"),
            (3, "owner_email", "does_not_exist"),
            (4, "amount", "out_of_range"),
            (5, "name", "required"),
            (6, "name", "invalid"),
        ]
        assert not Contact.objects.exists()

    def test_a_key_comes_once_in_a_file(self):
        result = imported(self.as_bob, "deals", csv_file(HEADER, deal_row(1), deal_row(2), deal_row(1)))

        (row,) = result["refused"]
        assert (row["line"], row["errors"][0]["code"]) == (4, "row_twice")
        assert "line 2" in row["errors"][0]["detail"]

    def test_two_keys_of_one_row_are_an_error(self):
        deal = self.deal(external_references=[("default", "1")])
        content = csv_file(("uuid", "external_id", "name"), (deal.uuid, "", "A"), ("", "1", "B"))

        result = imported(self.as_bob, "deals", content)

        assert [row["line"] for row in result["refused"]] == [3]

    def test_an_unknown_uuid_is_refused(self):
        result = imported(self.as_bob, "deals", csv_file(("uuid", "name"), (self.theirs.uuid, "A")))

        assert result["refused"][0]["errors"][0] == {
            "column": "uuid",
            "field": "uuid",
            "code": "not_found",
            "detail": "There is no such row.",
        }

    def test_the_key_of_an_invisible_deal_is_taken_without_further_details(self):
        self.deal(self.alice, name="Secret", is_private=True, external_references=[("default", "1")])

        result = imported(self.as_bob, "deals", csv_file(HEADER, deal_row(1)))

        assert result["refused"][0]["errors"][0]["code"] == "reference_taken"
        assert "Secret" not in str(result)

    def test_custom_fields_and_reasons_are_read_by_name(self):
        CustomFieldFactory(actor=self.alice, key="size", type="number")
        LostReasonFactory(actor=self.alice, name="Too dear")
        content = csv_file(("name", "custom_size", "stage", "lost reason"), ("A", "1.5", "Lost", "too DEAR"))

        imported(self.as_bob, "deals", content)

        deal = Deal.objects.get()
        assert (deal.custom_fields, deal.lost_reason.name, deal.status) == ({"size": 1.5}, "Too dear", "lost")

    def test_empty_cells_clear_only_when_asked(self):
        deal = self.deal(amount=5, description="old", external_references=[("default", "1")])
        content = csv_file(("external_id", "name", "amount", "description"), ("1", "New", "", ""))

        imported(self.as_bob, "deals", content)
        deal.refresh_from_db()
        assert (deal.name, deal.amount, deal.description) == ("New", 5, "old")

        imported(self.as_bob, "deals", content, options={"empty_cells": "clear"})
        deal.refresh_from_db()
        assert (deal.amount, deal.description) == (None, "")

    def test_companies_are_found_or_made_by_name(self):
        content = csv_file(
            ("email", "first_name", "company"), ("a@b.co", "A", "Acme"), ("c@b.co", "C", "Acme")
        )

        result = imported(self.as_bob, "contacts", content)

        assert counts(result) == (2, 0, 0, 0)
        company = Contact.objects.get(kind="company")
        assert [person.company for person in Contact.objects.filter(kind="person")] == [company] * 2
        assert counts(imported(self.as_bob, "contacts", content)) == (0, 0, 2, 0)

    def test_contacts_match_on_their_address(self):
        person = self.person(email="p@example.com", first_name="P", last_name="Q")

        result = imported(self.as_bob, "contacts", csv_file(("E-Mail", "Mobile"), (" P@Example.com", "123")))

        person.refresh_from_db()
        assert counts(result) == (0, 1, 0, 0)
        assert (person.mobile, person.first_name) == ("123", "P")

    def test_a_workbook_is_read_like_a_text(self):
        content = xlsx_file(HEADER, deal_row(1, amount=12.5), deal_row(2, amount="x"))

        result = imported(self.as_bob, "deals", content, options={"bad_rows": "skip"})

        assert counts(result) == (1, 0, 0, 1)
        assert result["refused"][0]["line"] == 3
        assert str(Deal.objects.get().amount) == "12.5000"

    def test_thousands_of_rows_take_few_queries(self):
        rows = [
            deal_row(n, contact_email=f"p{n % 50}@example.com", contact_first_name="P") for n in range(3000)
        ]
        rows[2500][2] = "x"
        source = upload(self.as_bob, "deals", csv_file(HEADER, *rows)).json()["uuid"]
        services.ask_for(actor=self.bob, source=Import.objects.get(uuid=source), task="run")

        with CaptureQueriesContext(connection) as queries:
            run_tasks()

        # SQLite takes only so many values in one statement.
        assert len(queries) < 400

        result = Import.objects.get(uuid=source)
        assert (result.state, result.counts["refused"], result.counts["created"]) == ("refused", 1, 0)
        assert [row.line for row in result.refused_rows.all()] == [2502]


class MappingTests(ApiTestCase):
    def test_headers_are_recognised(self):
        answer = upload(
            self.as_bob, "deals", csv_file(("Deal Name", "Value", "Close-Date", "E-Mail", "Nonsense"))
        )

        assert answer.json()["mapping"] == {
            "Deal Name": "name",
            "Value": "amount",
            "Close-Date": "close_date",
            "E-Mail": "contact_email",
            "Nonsense": None,
        }

    def test_choices_are_remembered_for_the_same_columns(self):
        content = csv_file(("What", "How much"), ("A", "1"))
        mapping = {"What": "name", "How much": "amount"}
        imported(self.as_bob, "deals", content, mapping=mapping, options={"match_on": "none"})

        answer = upload(self.as_alice, "deals", content).json()

        assert answer["mapping"] == mapping
        assert answer["options"]["match_on"] == "none"
        assert upload(self.as_charlie, "deals", content).json()["mapping"] == {"What": None, "How much": None}

    def test_notations_are_those_of_the_columns(self):
        content = csv_file(("Name", "Value", "Close date"), ("A", "1.234,50", "31/12/2026"), delimiter=";")

        answer = upload(self.as_bob, "deals", content).json()
        assert {
            name: answer["options"][name] for name in ("decimal", "date_order", "delimiter", "encoding")
        } == {
            "decimal": "auto",
            "date_order": "auto",
            "delimiter": ";",
            "encoding": "utf-8",
        }
        carried_out(self.as_bob, f"/api/imports/{answer['uuid']}")

        deal = Deal.objects.get()
        assert (str(deal.amount), str(deal.expected_close_date)) == ("1234.5000", "2026-12-31")

    def test_wrong_choices_are_named(self):
        source = f"/api/imports/{upload(self.as_bob, 'deals', csv_file(('A', 'B'), (1, 2))).json()['uuid']}"

        answer = self.as_bob.patch(source, {"mapping": {"A": "nonsense", "C": "name"}})
        assert {error["pointer"] for error in answer.json()["errors"]} == {"/mapping/A", "/mapping/C"}
        assert self.as_bob.patch(source, {"mapping": {"A": "updated_at"}}).status_code == 400
        assert self.as_bob.patch(source, {"mapping": ["name"]}).status_code == 400
        assert self.as_bob.patch(source, {"options": {"decimal": "!"}}).status_code == 400
        assert self.as_bob.patch(source, {"options": {"nonsense": "1"}}).status_code == 400
        assert self.as_bob.patch(source, {"options": {"sheet": "1"}}).status_code == 400
        problem(self.as_bob.post(f"{source}/run"), 400, "required", "/mapping")

    def test_another_encoding_makes_other_columns(self):
        content = "Größe;Name\n1;A\n".encode("cp1252")
        answer = upload(self.as_bob, "deals", content).json()
        assert [column["label"] for column in answer["columns"]] == ["Größe", "Name"]
        assert answer["options"]["encoding"] == "cp1252"

        changed = self.as_bob.patch(
            f"/api/imports/{answer['uuid']}", {"options": {"encoding": "iso-8859-15"}}
        )

        assert changed.json()["options"]["encoding"] == "iso-8859-15"
        problem(
            self.as_bob.patch(f"/api/imports/{answer['uuid']}", {"options": {"encoding": "utf-8"}}),
            400,
            "unreadable_file",
        )


class LifeTests(ApiTestCase):
    def upload(self):
        return Import.objects.get(
            uuid=upload(self.as_bob, "deals", csv_file(HEADER, deal_row(1))).json()["uuid"]
        )

    def test_others_files_do_not_exist(self):
        place = f"/api/imports/{self.upload().uuid}"

        for client in (self.as_charlie, self.as_manager):
            for method, path in (
                ("GET", ""),
                ("POST", "/run"),
                ("GET", "/refused-rows"),
                ("GET", "/error-file"),
            ):
                problem(client.send(method, place + path), 404, "not_found")
        assert self.as_alice.get(place).status_code == 200
        assert self.as_manager.rows("/api/imports") == []

    def test_viewers_import_nothing(self):
        problem(upload(self.as_viewer, "deals", b"name\nA\n"), 403, "forbidden")

    def test_one_thing_at_a_time(self):
        source = self.upload()
        services.ask_for(actor=self.bob, source=source, task="run")

        problem(self.as_bob.post(f"/api/imports/{source.uuid}/run"), 409, "import_busy")
        run_tasks()
        problem(self.as_bob.post(f"/api/imports/{source.uuid}/run"), 409, "import_done")

    def test_a_worker_that_died_is_replaced(self):
        source = self.upload()
        services.ask_for(actor=self.bob, source=source, task="run")
        dead = queue.claim("long", "dead", timezone.now())
        taken = tasks.claim(source.pk)
        assert run_tasks() == 0

        queue.rescue(dead.worker)
        run_tasks()
        tasks.carry_out(taken)

        assert Import.objects.get().state == "done"
        assert Deal.objects.count() == 1

    def test_one_that_always_dies_is_given_up(self):
        services.ask_for(actor=self.bob, source=self.upload(), task="run")
        Import.objects.update(state="working", attempt=tasks.ATTEMPTS)

        run_tasks()

        assert Import.objects.get().state == "failed"

    def test_one_without_a_task_gets_one(self):
        """An import of an earlier release, or one whose task has failed."""
        source = self.upload()
        services.ask_for(actor=self.bob, source=source, task="run")
        StoredTask.objects.all().delete()
        enqueue_abandoned.enqueue()
        run_tasks()
        assert Import.objects.get().state == "queued"

        Import.objects.update(queued_at=timezone.now() - 2 * HEARTBEAT_LIMIT)
        enqueue_abandoned.enqueue()
        enqueue_abandoned.enqueue()
        # Two look for it, one carries it out, and one notifies of its end.
        assert run_tasks() == 4

        assert Import.objects.get().state == "done"
        assert Deal.objects.count() == 1

    def test_who_may_not_write_any_more_does_not_import(self):
        services.ask_for(actor=self.bob, source=self.upload(), task="run")
        self.bob.member.role = "viewer"
        self.bob.member.save()

        run_tasks()

        assert Import.objects.get().state == "failed"
        assert not Deal.objects.exists()

    def test_old_files_are_deleted_and_their_figures_stay(self):
        source = self.upload()
        services.ask_for(actor=self.bob, source=source, task="run")
        run_tasks()

        services.delete_old_files(timezone.now() + timezone.timedelta(days=99))

        assert not ImportChunk.objects.exists()
        assert not RefusedRow.objects.exists()
        shown = self.as_bob.get(f"/api/imports/{source.uuid}").json()
        assert shown["counts"]["created"] == 1
        assert shown["columns"][0]["samples"] == []

    def test_an_import_can_be_discarded(self):
        source = self.upload()

        assert self.as_bob.delete(f"/api/imports/{source.uuid}").status_code == 204
        assert not Import.objects.exists()
