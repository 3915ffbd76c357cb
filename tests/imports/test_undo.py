"""The undo of an import, and the undo of that: all rows or none."""

from unittest import mock

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import Contact
from contacts.services import update_contacts
from crm_project.imports import undoing
from crm_project.imports.models import Import
from crm_project.journal.models import Event
from deals.models import Deal, DealReference
from deals.services import update_deals
from tests.api.client import ApiTestCase, problem
from tests.imports.client import carried_out, counts, csv_file, imported
from tests.imports.test_imports import HEADER, deal_row
from tests.journal.test_undo import picture
from tests.staff.base import StaffTestCase, action_url, add_url, change_url
from tests.tasks import run_tasks


def place(result):
    return f"/api/imports/{result['uuid']}"


class UndoOfDealsTests(ApiTestCase):
    def setUp(self):
        self.old, self.same = (
            self.deal(
                name=f"Deal {key}",
                amount="10.50",
                stage=self.offer.pk,
                owner=self.bob.member.pk,
                external_references=[("default", key)],
            )
            for key in ("1", "2")
        )
        self.before = [picture(row) for row in (self.old, self.same)]

    def run_file(self, **change):
        """One row created with its contact, one updated, one left as it is."""
        rows = (
            deal_row(1, amount="99", stage="Won"),
            deal_row(2),
            deal_row(3, contact_email="new@example.com", contact_first_name="New"),
            *change.pop("rows", ()),
        )
        return imported(self.as_bob, "deals", csv_file(HEADER, *rows), **change)

    def pictures(self):
        return [picture(row) for row in (self.old, self.same)]

    def undone(self, result, client=None):
        return carried_out(client or self.as_bob, place(result), "undo")

    def test_it_works(self):
        result = self.run_file()
        assert counts(result) == (1, 1, 1, 0)

        undone = self.undone(result)

        assert (undone["state"], undone["problem"]) == ("undone", "")
        assert self.pictures() == self.before
        assert not Deal.objects.live().exclude(pk__in=[self.old.pk, self.same.pk]).exists()
        assert not Contact.objects.live().filter(email="new@example.com").exists()
        events = Event.objects.filter(change_set=undone["counts"]["undone_by"])
        assert {str(event.undoes) for event in events} == {result["counts"]["change_set"]}
        assert {event.actor for event in events} == {self.bob.member}

    def test_what_was_undone_comes_back_and_goes_again(self):
        result = self.run_file()
        imported_deals = {row.pk: picture(row) for row in Deal.objects.all()}
        self.undone(result)

        back = self.undone(result)

        assert (back["state"], back["counts"]) == ("done", result["counts"])
        assert {row.pk: picture(row) for row in Deal.objects.live()} == imported_deals
        assert self.undone(result)["state"] == "undone"
        assert self.pictures() == self.before

    def test_the_file_can_be_sent_again(self):
        result = self.run_file()
        self.undone(result)

        assert counts(self.run_file()) == (1, 1, 1, 0)

    def test_good_rows_that_went_in_alone_go_alone(self):
        result = self.run_file(rows=[deal_row(4, amount="ten")], options={"bad_rows": "skip"})
        assert counts(result) == (1, 1, 1, 1)

        undone = self.undone(result)

        assert undone["state"] == "undone"
        assert self.pictures() == self.before
        assert [row["line"] for row in self.as_bob.rows(f"{place(result)}/refused-rows")] == [5]

    def test_a_later_change_of_the_same_field_prevents_it(self):
        result = self.run_file()
        update_deals(actor=self.manager, changes=[(self.old, {"amount": None})])

        problem(self.as_bob.send("POST", f"{place(result)}/undo", dry_run="true"), 409, "undo_conflict")
        refused = self.undone(result)

        assert refused["state"] == "done"
        assert "amount: Deal 1: Mary changed it at" in refused["problem"]
        assert refused["counts"] == result["counts"]
        assert Deal.objects.live().count() == 3

    def test_the_rows_that_were_not_changed_since_can_be_undone(self):
        """The deal that was changed keeps its contact, which the import created too."""
        more = [deal_row(number) for number in (4, 5)]
        result = self.run_file(rows=more)
        changed = Deal.objects.get(name="Deal 3")
        update_deals(actor=self.manager, changes=[(changed, {"amount": None})])
        url = f"{place(result)}/undo"

        problem(self.as_bob.post(url, {"changed_rows": "some"}), 400, "invalid_choice", "/changed_rows")
        undone = carried_out(self.as_bob, place(result), "undo", changed_rows="keep")

        assert (undone["state"], undone["problem"], undone["counts"]["stayed"]) == ("undone", "", 2)
        assert self.pictures() == self.before
        assert set(Deal.objects.live()) == {self.old, self.same, changed}
        changed.refresh_from_db()
        assert changed.contact.deleted_at is None
        assert changed.contact.email == "new@example.com"

        back = self.undone(result)

        assert (back["state"], back["counts"]) == ("done", result["counts"])
        assert Deal.objects.live().count() == 5

    def test_if_all_rows_were_changed_since_nothing_is_undone(self):
        result = imported(self.as_bob, "deals", csv_file(HEADER, deal_row(3)))
        update_deals(actor=self.manager, changes=[(Deal.objects.get(name="Deal 3"), {"amount": None})])

        refused = carried_out(self.as_bob, place(result), "undo", changed_rows="keep")

        assert (refused["state"], refused["counts"]) == ("done", result["counts"])
        assert "amount: Mary changed it at" in refused["problem"]

    def test_a_later_change_of_another_field_stays(self):
        result = self.run_file()
        update_deals(actor=self.manager, changes=[(self.old, {"description": "Mary's"})])

        assert self.undone(result)["state"] == "undone"
        self.old.refresh_from_db()
        assert (str(self.old.amount), self.old.description) == ("10.5000", "Mary's")

    def test_a_new_deal_with_later_changes_is_not_trashed(self):
        result = self.run_file()
        new = Deal.objects.get(name="Deal 3")
        update_deals(actor=self.manager, changes=[(new, {"description": "Called them"})])

        assert self.undone(result)["state"] == "done"
        assert self.pictures() != self.before

    def test_a_dry_run_tries_it_and_leaves_nothing(self):
        result = self.run_file()
        events = Event.objects.count()

        tried = self.as_bob.send("POST", f"{place(result)}/undo", dry_run="true")

        assert (tried.status_code, tried["Dry-Run"], tried.json()["state"]) == (202, "true", "undone")
        assert Import.objects.get().state == "done"
        assert Event.objects.count() == events

    def test_its_actor_is_the_member_who_requested_it(self):
        result = self.run_file()

        undone = self.undone(result, self.as_alice)

        events = Event.objects.filter(change_set=undone["counts"]["undone_by"])
        assert {event.actor for event in events} == {self.alice.member}
        problem(self.as_manager.post(f"{place(result)}/undo"), 404, "not_found")

    def test_one_that_did_nothing_is_undone_at_once(self):
        result = imported(self.as_bob, "deals", csv_file(HEADER, deal_row(2)))
        assert counts(result) == (0, 0, 1, 0)

        assert self.undone(result)["state"] == "undone"
        assert self.undone(result)["state"] == "done"

    def test_what_was_not_imported_cannot_be_undone(self):
        preview = self.run_file(task="preview")

        problem(self.as_bob.post(f"{place(preview)}/undo"), 409, "not_undoable")

    def test_done_is_done(self):
        result = self.run_file()

        problem(self.as_bob.patch(place(result), {"options": {"bad_rows": "skip"}}), 409, "import_done")
        self.undone(result)
        problem(self.as_bob.post(f"{place(result)}/run"), 409, "import_done")

    def test_an_undo_from_a_deals_history_is_the_imports_own(self):
        result = self.run_file(rows=[deal_row(number) for number in range(10, 211)])
        event = Event.objects.filter(change_set=result["counts"]["change_set"], kind="deal").first()

        undone = self.as_manager.post(f"/api/events/{event.sequence}/undo").json()

        shown = self.as_bob.get(place(result)).json()
        assert (shown["state"], shown["counts"]["undone_by"]) == ("undone", undone["change_set"])
        assert self.pictures() == self.before
        # A deal updated, 202 created, a contact.
        assert (undone["count"], len(undone["events"])) == (204, 200)

        event = Event.objects.filter(change_set=undone["change_set"]).first()
        assert self.as_manager.post(f"/api/events/{event.sequence}/undo").status_code == 200
        assert self.as_bob.get(place(result)).json()["state"] == "done"
        again = Event.objects.latest("sequence")
        with mock.patch.object(undoing, "IN_REQUEST", 1):
            problem(self.as_bob.post(f"/api/events/{again.sequence}/undo"), 409, "import_undo")
        assert self.as_manager.post(f"/api/events/{again.sequence}/undo").status_code == 200
        assert self.as_bob.get(place(result)).json()["state"] == "undone"
        assert self.undone(result)["state"] == "done"
        assert self.undone(result)["state"] == "undone"
        assert self.pictures() == self.before

    def test_a_great_one_is_left_to_the_worker(self):
        result = self.run_file()
        event = Event.objects.filter(change_set=result["counts"]["change_set"]).first()
        address = f"/api/events/{event.sequence}/undo"
        with mock.patch.object(undoing, "IN_REQUEST", 1):
            refused = problem(self.as_alice.post(address), 409, "import_undo")
            assert refused["import"] == result["uuid"]
            assert "import" not in problem(self.as_manager.post(address), 409, "import_undo")

            assert self.undone(result)["state"] == "undone"
            event = Event.objects.latest("sequence")
            problem(self.as_bob.post(f"/api/events/{event.sequence}/undo"), 409, "import_undo")

    def test_thousands_of_rows_take_few_queries(self):
        rows = [
            deal_row(n, contact_email=f"p{n % 9}@example.com", contact_first_name="P") for n in range(2500)
        ]
        result = imported(self.as_bob, "deals", csv_file(HEADER, *rows))
        assert self.as_bob.post(f"{place(result)}/undo").status_code == 202

        with CaptureQueriesContext(connection) as queries:
            run_tasks()

        # SQLite takes only so many values in one statement.
        assert len(queries) < 400
        assert self.pictures() == self.before
        assert not DealReference.objects.filter(is_live=True).exclude(row__in=[self.old, self.same]).exists()


class UndoOfContactsTests(ApiTestCase):
    def test_people_and_their_new_company_go_and_the_old_ones_are_what_they_were(self):
        old = self.person(email="old@example.com", first_name="Old", phone="1")
        before = picture(old)
        content = csv_file(
            ("email", "first_name", "phone", "company"),
            ("old@example.com", "Old", "2", "Acme"),
            ("new@example.com", "New", "3", "Acme"),
        )
        result = imported(self.as_bob, "contacts", content)
        assert counts(result) == (1, 1, 0, 0)

        undone = carried_out(self.as_bob, place(result), "undo")
        assert undone["state"] == "undone"
        assert picture(old) == before
        assert not Contact.objects.live().filter(email="new@example.com").exists()
        assert not Contact.objects.live().filter(name="Acme").exists()

        assert carried_out(self.as_bob, place(result), "undo")["state"] == "done"
        old.refresh_from_db()
        assert (old.phone, str(old.company)) == ("2", "Acme")

    def test_one_that_a_deal_has_since_keeps_all(self):
        result = imported(
            self.as_bob, "contacts", csv_file(("email", "first_name"), ("new@example.com", "N"))
        )
        person = Contact.objects.get(email="new@example.com")
        self.deal(contact=person.pk)

        refused = carried_out(self.as_bob, place(result), "undo")

        assert refused["state"] == "done"
        assert "This contact is used by 1 deal" in refused["problem"]

    def test_fields_that_two_people_changed_are_named(self):
        old = self.person(email="old@example.com", phone="1")
        content = csv_file(("email", "phone", "city"), ("old@example.com", "2", "Berlin"))
        result = imported(self.as_bob, "contacts", content)
        update_contacts(actor=self.manager, changes=[(old, {"city": "Bonn"})])

        refused = carried_out(self.as_bob, place(result), "undo")

        assert "city: Mary changed it" in refused["problem"]
        assert "phone" not in refused["problem"]


class UndoPageTests(StaffTestCase):
    def test_the_buttons(self):
        file = SimpleUploadedFile("deals.csv", csv_file(("name",), ("A",)), "text/csv")
        self.client.post(add_url(Import), {"kind": "deals", "file": file})
        source = Import.objects.get()
        form = self.client.get(change_url(source)).context["form"]
        given = {field.html_name: field.value() or "" for field in form}
        self.client.post(reverse("admin:imports_run", args=[source.pk]), given)
        run_tasks()
        undo, redo = action_url("undo", source), action_url("redo", source)
        assert "Undo this import (1 deal)" in self.page(change_url(source))

        event = Event.objects.latest("sequence")
        with mock.patch.object(undoing, "IN_REQUEST", 0):
            told = self.client.get(reverse("admin:undo", args=[event.sequence]), follow=True)
        assert f'<a class="crm-link" href="{change_url(source)}">' in told.content.decode()

        self.client.post(undo)
        assert "Undoing" in self.page(change_url(source))
        run_tasks()
        assert "Import undone" in self.page(change_url(source))
        assert not Deal.objects.live().exists()

        refused = self.client.post(undo)
        assert "undone or redone in the meantime" in refused.content.decode()
        self.client.post(redo)
        run_tasks()
        assert "Undo this import" in self.page(change_url(source))
        assert Deal.objects.live().count() == 1

    def test_the_other_rows_after_a_refusal(self):
        file = SimpleUploadedFile("deals.csv", csv_file(("name",), ("A",), ("B",)), "text/csv")
        self.client.post(add_url(Import), {"kind": "deals", "file": file})
        source = Import.objects.get()
        form = self.client.get(change_url(source)).context["form"]
        given = {field.html_name: field.value() or "" for field in form}
        self.client.post(reverse("admin:imports_run", args=[source.pk]), given)
        run_tasks()
        changed = Deal.objects.get(name="A")
        update_deals(actor=self.manager, changes=[(changed, {"name": "A, changed"})])
        assert "Undo the other rows" not in self.page(change_url(source))

        self.client.post(action_url("undo", source))
        run_tasks()
        page = self.page(change_url(source))
        assert "name: A, changed: Mary changed it at" in page
        assert "Undo the other rows" in page

        self.client.post(action_url("undo-unchanged", source))
        run_tasks()
        page = self.page(change_url(source))
        assert "1 row that had been changed since, or belonged to such a row, stayed as it was." in page
        assert list(Deal.objects.live()) == [changed]
