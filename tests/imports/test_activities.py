"""Activities as files: what an export writes comes in unchanged, and rows of other systems find deals and contacts."""

import datetime
from urllib.parse import urlencode

from django.urls import reverse

from contacts.models import Contact
from crm_project.activities.models import Activity
from crm_project.activities.services import trash_activities
from crm_project.imports.models import Export
from deals.services import trash_deals
from tests.api.client import ApiTestCase, problem
from tests.imports.client import counts, csv_file, imported, upload
from tests.imports.test_exports import export, table
from tests.staff.base import list_url
from tests.tasks import run_tasks

DONE = datetime.datetime(2026, 3, 2, 9, 30, tzinfo=datetime.UTC)
HEADER = (
    "uuid external_system external_id type subject text due_at due_on done_at result is_pinned owner_email deal_uuid"
    " deal_name contact_uuid contact_email contact_name created_at updated_at"
).split()


class ActivityFileTestCase(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.ann = cls.person(
            cls,
            first_name="Ann",
            email="ann@example.com",
            external_references=[("erp", "p1"), ("default", "p1")],
        )
        cls.roof = cls.deal(cls, name="=Roof", contact=cls.ann.pk, external_references=[("erp", "d1")])

    def imported(self, *rows, **change):
        return imported(self.as_bob, "activities", csv_file(*rows), **change)

    def refused(self, *rows, **change):
        """The errors of the only refused row, by the keys of fields."""
        (row,) = self.imported(*rows, **change)["refused"]
        return {error["field"]: error["code"] for error in row["errors"]}


class ExportTests(ActivityFileTestCase):
    def fill(self):
        """An activity of each type, with all that it can have."""
        zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
        return [
            self.activity(
                type="call",
                subject="-1+2",
                text='a\nb;"c" é \r',
                deal=self.roof.pk,
                contact=self.ann.pk,
                due_at=datetime.datetime(2027, 3, 5, 11, 0, 0, 123456, tzinfo=zone),
                owner=self.bob.member.pk,
                is_pinned=True,
                external_references=[("erp", "1"), ("shop", "2")],
            ),
            self.activity(type="meeting", deal=self.roof.pk, due_on=datetime.date(2027, 3, 5), subject=""),
            self.activity(type="email", contact=self.ann.pk, done_at=DONE, result="=Reached", subject="'x"),
            self.activity(type="note", contact=self.ann.pk, text="@note", subject=""),
            self.activity(contact=self.ann.pk),
        ]

    def test_what_comes_out_goes_in_unchanged(self):
        rows = self.fill()
        before = list(Activity.objects.order_by("id").values())
        for parameters in ({}, {"file_format": "xlsx"}):
            content = export(self.as_bob, "activities", **parameters)
            for options in ({}, {"empty_cells": "clear"}):
                result = imported(self.as_bob, "activities", content, options=options)
                assert result["refused"] == [], parameters
                assert counts(result) == (0, 0, len(rows), 0), (parameters, options)
                assert list(Activity.objects.order_by("id").values()) == before

    def test_the_columns(self):
        call = self.fill()[0]

        rows = table(export(self.as_bob, "activities", type="call", raw="true"))

        assert [list(row) for row in rows] == [HEADER]
        assert {name: rows[0][name] for name in ("type", "external_id", "owner_email", "is_pinned")} == {
            "type": "call",
            "external_id": "1",
            "owner_email": "bob@example.com",
            "is_pinned": "true",
        }
        assert rows[0]["due_at"] == "2027-03-05T05:30:00.123456Z"
        assert (rows[0]["deal_uuid"], rows[0]["deal_name"]) == (str(self.roof.uuid), "=Roof")
        assert (rows[0]["contact_email"], rows[0]["uuid"]) == ("ann@example.com", str(call.uuid))

    def test_it_shows_what_the_list_shows(self):
        private, gone = self.deal(self.alice, is_private=True), self.deal()
        shown = self.activity(deal=self.roof.pk, subject="Shown")
        self.activity(self.alice, deal=private.pk, contact=self.ann.pk, subject="Private")
        self.activity(deal=gone.pk, subject="Of a deal in the trash")
        trash_deals(actor=self.bob, rows=[gone])
        trash_activities(actor=self.bob, rows=[self.activity(contact=self.ann.pk, subject="Gone")])
        stranger = self.person(self.charlie)
        self.activity(self.charlie, contact=stranger.pk, subject="Theirs")

        for parameters in ({}, {"ordering": "due"}, {"due_state": "undated"}, {"deal": str(self.roof.uuid)}):
            rows = table(export(self.as_bob, "activities", **parameters))
            assert [row["uuid"] for row in rows] == [str(shown.uuid)], parameters
        assert table(export(self.as_bob, "activities", is_done="true")) == []
        assert {row["subject"] for row in table(export(self.as_alice, "activities"))} == {"Shown", "Private"}
        problem(self.as_bob.get("/api/activities/export", mood="good"), 400, "unknown_parameter", "/mood")

    def test_in_the_background(self):
        self.activity(deal=self.roof.pk, subject="Shown")

        asked = self.as_bob.post("/api/activities/export?is_done=false")
        run_tasks()

        assert asked.status_code == 202
        made = Export.objects.get(uuid=asked.json()["uuid"])
        assert (made.state, made.rows, made.file_name) == ("done", 1, "activities.csv")

    def test_from_the_list_of_the_admin(self):
        self.activity(deal=self.roof.pk, subject="Shown")
        self.activity(deal=self.roof.pk, subject="Done", done_at=DONE)
        self.bob.member.user.is_staff = True
        self.bob.member.user.save()
        self.client.force_login(self.bob.member.user)

        page = self.client.get(list_url(Activity)).content.decode()
        found = self.client.get(reverse("admin:imports_export_activities"), {"state": "open"})

        assert reverse("admin:imports_export_activities") in page
        assert reverse("admin:imports_import_add") in page
        assert [row["Subject"] for row in table(found.getvalue())] == ["Shown"]


class ImportTests(ActivityFileTestCase):
    def test_the_file_of_another_system(self):
        """Its headers are known, its ids find the deal and the contact, and a second run changes nothing."""
        rows = (
            ["Task ID", "Activity type", "Title", "Due date", "Assigned to", "Deal ID", "Email"],
            ["7", "Phone call", "Ask for the budget", "2027-03-05", "Bob", "d1", ""],
            ["8", "Rendez-vous", "Visit", "", "bob@example.com", "", "ANN@example.com"],
            ["9", "Note", "Likes tea", "", "", "", "new@example.com"],
        )

        first = self.imported(*rows, options={"external_system": "erp"})
        again = self.imported(*rows, options={"external_system": "erp"})

        assert (counts(first), counts(again)) == ((3, 0, 0, 0), (0, 0, 3, 0)), first["refused"]
        call, visit, note = Activity.objects.order_by("id")
        assert (call.type, call.deal, call.contact, call.owner) == ("call", self.roof, None, self.bob.member)
        assert (call.due_on, call.due_at) == (datetime.date(2027, 3, 5), None)
        assert (visit.type, visit.contact, visit.deal) == ("meeting", self.ann, None)
        assert (note.type, note.contact.email, note.is_open) == ("note", "new@example.com", False)
        assert first["summary"]["created_beside"] == {"contact": 1}
        assert Contact.objects.filter(email="new@example.com").count() == 1
        self.roof.refresh_from_db()
        assert self.roof.next_activity == call.uuid

    def test_a_uuid_comes_before_a_reference_and_that_before_an_address(self):
        ben = self.person(first_name="Ben", email="ben@example.com")
        header = ["subject", "contact_uuid", "contact_external_id", "contact_email"]

        self.imported(
            header,
            ["By uuid", str(ben.uuid), "p1", "ann@example.com"],
            ["By reference", "", "p1", "ben@example.com"],
            ["By address", "", "", "ben@example.com"],
        )

        assert dict(Activity.objects.values_list("subject", "contact")) == {
            "By uuid": ben.pk,
            "By reference": self.ann.pk,
            "By address": ben.pk,
        }

    def test_rows_of_others_are_unknown(self):
        private = self.deal(self.alice, is_private=True, external_references=[("default", "hidden")])
        theirs = self.deal(self.charlie, external_references=[("default", "theirs")])
        for key, value in (
            ("deal_external_id", "hidden"),
            ("deal_external_id", "theirs"),
            ("deal_external_id", "nothing"),
            ("contact_external_id", "nothing"),
            ("deal_uuid", str(private.uuid)),
            ("deal_uuid", str(theirs.uuid)),
        ):
            assert self.refused(["subject", key], ["Ask", value]) == {key: "does_not_exist"}, (key, value)
        assert Activity.objects.count() == 0

    def test_every_wrong_cell_is_named(self):
        header = ["type", "subject", "due_on", "done_at", "owner_email", "contact_email"]

        assert self.refused(
            header, ["dance", "A", "31.02.2027", "never", "nobody@x.io", "ann@example.com"]
        ) == {
            "due_on": "invalid",
            "done_at": "invalid",
        }
        found = self.refused(header, ["dance", "A", "", "", "nobody@x.io", "ann@example.com"])
        assert found == {"type": "does_not_exist", "owner_email": "does_not_exist"}
        assert self.refused(header, ["note", "A", "2027-03-05", "", "", "ann@example.com"]) == {
            "due_on": "invalid"
        }
        assert self.refused(header, ["task", "A", "", "2100-01-01", "", "ann@example.com"]) == {
            "done_at": "future"
        }
        assert self.refused(header, ["task", "A", "", "", "", "no address"]) == {"contact_email": "invalid"}
        assert self.refused(["subject"], ["Alone"]) == {"deal_uuid": "required"}

    def test_a_preview_writes_nothing(self):
        rows = (
            ["type", "subject", "contact_email"],
            ["call", "Ask", "new@example.com"],
            ["dance", "A", "a@x.io"],
        )

        result = self.imported(*rows, task="preview")

        assert (result["state"], counts(result)) == ("previewed", (1, 0, 0, 1))
        shown = dict(result["examples"][0]["row"])
        assert (shown["Type"], shown["Subject"]) == ("Call", "Ask")
        assert not Activity.objects.exists()
        assert not Contact.objects.filter(email="new@example.com").exists()
        types = next(field for field in result["values"] if field["field"] == "type")
        assert [value["value"] for value in types["values"]] == ["dance"]

    def test_a_chosen_value_stands_for_an_unknown_type(self):
        rows = (["type", "subject", "contact_email"], ["dance", "A", "ann@example.com"])

        self.imported(*rows, value_choices={"type": {"dance": "meeting"}})

        assert Activity.objects.get().type == "meeting"

    def test_it_is_undone_and_listed(self):
        kept = self.activity(contact=self.ann.pk)
        result = self.imported(["subject", "contact_email"], ["Ask", "ann@example.com"])
        change_set = result["counts"]["change_set"]

        found = self.as_bob.rows("/api/activities", change_set=change_set)
        assert [row["subject"] for row in found] == ["Ask"]
        self.as_bob.post(f"/api/imports/{result['uuid']}/undo")
        run_tasks()
        assert list(Activity.objects.live()) == [kept]

    def test_a_viewer_may_not(self):
        content = csv_file(["subject"], ["Ask"])

        assert upload(self.as_viewer, "activities", content).status_code == 403


class AdminTests(ActivityFileTestCase):
    def test_the_rows_of_an_import_are_listed(self):
        result = self.imported(["subject", "contact_email"], ["Ask", "ann@example.com"])
        self.activity(contact=self.ann.pk, subject="Another")
        self.bob.member.user.is_staff = True
        self.bob.member.user.save()
        self.client.force_login(self.bob.member.user)

        query = urlencode({"change_set": result["counts"]["change_set"]})
        page = self.client.get(f"{list_url(Activity)}?{query}").content.decode()

        assert "Ask" in page
        assert "Another" not in page
