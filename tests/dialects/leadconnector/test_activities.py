"""Notes and tasks of contacts: the requests of LeadConnector's documentation, and the contract of every dialect."""

import datetime
from typing import Any

from crm_project.accounts.models import Organization
from crm_project.accounts.services import update_member
from crm_project.activities.models import Activity
from crm_project.activities.services import update_activities
from crm_project.journal.models import Event
from tests.dialects.activities import DONE, ActivityContract
from tests.dialects.base import BaseTestCase, Call, load
from tests.dialects.leadconnector.base import REQUEST, LeadConnector, record

NOTE = load(__file__, "create_note.request.json")
TASK = load(__file__, "create_task.request.json")


class ActivityCase(LeadConnector, ActivityContract):
    scope_status = 401
    wrong_verb = "PATCH"
    sent: dict[str, Any]

    def setUp(self) -> None:
        record(self)
        self.ann = self.person(first_name="Ann", external_references=[("leadconnector", "c-ann")])

    @property
    def path(self) -> str:
        return f"/contacts/c-ann/{self.type}s"

    def create_call(self, **body: Any) -> Call:
        return Call("POST", self.path, {**self.sent, **body})

    def row_calls(self, row_id: str) -> list[Call]:
        path = f"{self.path}/{row_id}"
        completion = [Call("PUT", f"{path}/completed", {"completed": True})] if self.type == "task" else []
        return [Call("GET", path), Call("PUT", path, {"body": "B"}), Call("DELETE", path), *completion]

    def list_calls(self) -> list[Call]:
        return [Call("GET", self.path)]

    def create(self, **body: Any) -> Any:
        return self.call("POST", self.path, {**self.sent, **body})[self.type]

    def change(self, row_id: str, **body: Any) -> Any:
        return self.call("PUT", f"{self.path}/{row_id}", body)[self.type]

    def listed(self) -> list[str]:
        return [row["id"] for row in self.call("GET", self.path)[f"{self.type}s"]]

    def test_as_the_documentation_has_it(self) -> None:
        answer = self.call("POST", self.path, self.sent)

        expected = load(__file__, f"create_{self.type}.answer.json")
        variable = {
            name: answer[self.type][name] for name in ("id", "dateAdded") if name in answer[self.type]
        }
        assert answer == {self.type: {**expected[self.type], **variable}}
        row = Activity.objects.get(uuid=answer[self.type]["id"])
        assert (row.type, row.contact, row.deal, row.owner) == (self.type, self.ann, None, self.bob.member)
        assert self.call("GET", f"{self.path}/{row.uuid}") == answer
        assert self.listed() == [str(row.uuid)]

    def test_the_contact_must_be_one_that_the_member_sees(self) -> None:
        stranger, row = self.person(self.charlie), self.own_row()
        other = self.person(first_name="Ben")

        for contact in ("nobody", str(stranger.uuid)):
            for call in (Call("GET", f"/contacts/{contact}/{self.type}s"), self.create_call()):
                path = call.path.replace("c-ann", contact)
                self.refused(self.as_actor(self.bob, Call(call.method, path, call.body)), 404)
        # The note of one contact is none of another one.
        for call in self.row_calls(str(row.uuid)):
            path = call.path.replace("c-ann", str(other.uuid))
            self.refused(self.as_actor(self.bob, Call(call.method, path, call.body)), 404)

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        rows = [
            self.own_row(),
            self.own_row(subject="", text="Only a text\nof two lines"),
            self.own_row(owner=self.bob.member.pk, is_pinned=True, deal=self.deal().pk, result="Reached"),
        ]
        if self.type == "task":
            rows += [
                self.own_row(type="call", subject="", due_on=datetime.date(2027, 3, 5)),
                self.own_row(due_at=datetime.datetime(2027, 3, 5, 11, tzinfo=datetime.UTC), done_at=DONE),
            ]
        else:
            rows.append(self.own_row(type="email", subject="", done_at=DONE))
        events = Event.objects.count()
        for row in rows:
            path = f"{self.path}/{row.uuid}"
            before = self.call("GET", path)[self.type]

            answer = self.as_actor(self.bob, Call("PUT", path, before))

            assert answer.json()[self.type] == before
            assert "X-Ignored-Fields" not in answer
            assert Activity.objects.get(pk=row.pk).version == row.version
        assert Event.objects.exclude(kind="token").count() == events

    def test_null_and_an_empty_string_are_absent(self) -> None:
        whole = self.create()
        for name in self.sent:
            for value in (None, ""):
                assert self.change(whole["id"], **{name: value}) == whole, name

    def test_deleting(self) -> None:
        row = self.create()

        assert self.call("DELETE", f"{self.path}/{row['id']}") == {"succeded": True}
        assert self.listed() == []
        third = Call("DELETE", f"{self.path}/{self.create()['id']}", headers={"Version": "v3"})
        assert self.as_actor(self.bob, third).json()["succeeded"] is True

    def test_an_owner_who_has_left_is_refused(self) -> None:
        update_member(actor=self.alice, member=self.manager.member, is_active=False)
        name = "userId" if self.type == "note" else "assignedTo"

        answer = self.as_actor(self.bob, self.create_call(**{name: str(self.manager.member.uuid)}))

        assert "deactivated" in self.refused(answer, 422).content.decode()


class TestNotes(ActivityCase, BaseTestCase):
    sent = NOTE

    def invalid_calls(self) -> dict[str, Call]:
        wrong: dict[str, Any] = {
            "body should not be empty": {"body": " "},
            "title": {"title": "x" * 256},
            "userId": {"userId": "nobody"},
            "pinned": {"pinned": "perhaps"},
        }
        calls = {word: self.create_call(**body) for word, body in wrong.items()}
        return {**calls, "body should": Call("POST", self.path, {"title": "No body"})}

    def foreign_calls(self) -> list[Call]:
        return [self.create_call(userId=str(self.charlie.member.uuid))]

    def test_a_change_leaves_the_rest(self) -> None:
        row = self.create()

        assert self.change(row["id"], body="Wants three") == {**row, "body": "Wants three"}
        assert self.change(row["id"], pinned=False, userId=REQUEST["followers"])["pinned"] is False
        stored = Activity.objects.get(uuid=row["id"])
        assert (stored.subject, stored.owner, stored.is_open) == (NOTE["title"], self.manager.member, False)

    def test_a_colour_is_named_as_ignored(self) -> None:
        answer = self.as_actor(self.bob, self.create_call(color="#FFAA00"))

        assert (answer.status_code, answer["X-Ignored-Fields"]) == (201, "color")

    def test_logged_calls_are_notes_and_planned_ones_are_not(self) -> None:
        logged = self.activity(type="call", contact=self.ann.pk, done_at=DONE, text="Reached")
        self.activity(type="call", contact=self.ann.pk)
        task = self.activity(contact=self.ann.pk, done_at=DONE)

        assert self.listed() == [str(logged.uuid)]
        assert self.change(str(logged.uuid), body="Not reached")["body"] == "Not reached"
        assert Activity.objects.get(pk=logged.pk).type == "call"
        self.refused(self.as_actor(self.bob, Call("GET", f"{self.path}/{task.uuid}")), 404)


class TestTasks(ActivityCase, BaseTestCase):
    type = "task"
    sent = TASK

    def invalid_calls(self) -> dict[str, Call]:
        wrong: dict[str, Any] = {
            "title should not be empty": {"title": " "},
            "dueDate": {"dueDate": "tomorrow"},
            "dueDate:": {"dueDate": "2027-02-30"},
            "completed": {"completed": "perhaps"},
            "assignedTo": {"assignedTo": "nobody"},
        }
        calls = {word: self.create_call(**body) for word, body in wrong.items()}
        return {**calls, "dueDate should not be empty": self.create_call(dueDate=None)}

    def foreign_calls(self) -> list[Call]:
        return [self.create_call(assignedTo=str(self.charlie.member.uuid))]

    def test_it_is_done_and_opened_again(self) -> None:
        row = self.create()
        path = f"{self.path}/{row['id']}/completed"

        done = self.call("PUT", path, {"completed": True})["task"]
        first = Activity.objects.get(uuid=row["id"]).done_at
        again = self.call("PUT", path, {"completed": True})["task"]

        assert done == again == {**row, "completed": True}
        assert first is not None
        assert Activity.objects.get(uuid=row["id"]).done_at == first
        assert self.call("PUT", path, {"completed": False})["task"] == row
        assert self.change(row["id"], completed=True)["completed"] is True
        self.refused(self.as_actor(self.bob, Call("PUT", path, {})), 422)

    def test_due_dates(self) -> None:
        """A day ends in the time zone of the organization."""
        Organization.objects.update(time_zone="Europe/Warsaw")
        cases = {
            "2027-03-05T11:00:00+02:00": "2027-03-05T09:00:00.000Z",
            "2027-03-05T11:00:00.250Z": "2027-03-05T11:00:00.250Z",
            "2027-03-05T11:00:00": "2027-03-05T10:00:00.000Z",
            "2027-03-05": "2027-03-05T22:59:59.999Z",
        }
        for sent, expected in cases.items():
            row = self.create(dueDate=sent)
            assert row["dueDate"] == expected, sent
        assert Activity.objects.get(uuid=row["id"]).due_on == datetime.date(2027, 3, 5)

        assert self.change(row["id"], dueDate="2027-03-05T23:59:59.999+01:00") == row
        assert Activity.objects.get(uuid=row["id"]).due_on == datetime.date(2027, 3, 5)
        moved = self.change(row["id"], dueDate="2027-03-06T10:00:00Z")
        assert moved["dueDate"] == "2027-03-06T10:00:00.000Z"
        assert Activity.objects.get(uuid=row["id"]).due_on is None

    def test_planned_calls_are_tasks_and_notes_are_not(self) -> None:
        call = self.activity(type="call", subject="", contact=self.ann.pk)
        note = self.activity(type="note", contact=self.ann.pk)
        self.activity(type="call", contact=self.ann.pk, done_at=DONE)

        assert self.listed() == [str(call.uuid)]
        done = self.call("PUT", f"{self.path}/{call.uuid}/completed", {"completed": True})["task"]
        assert (done["title"], done["completed"], done["dueDate"]) == ("Call", True, None)
        self.refused(self.as_actor(self.bob, Call("GET", f"{self.path}/{note.uuid}")), 404)

    def test_the_next_step_of_a_deal_follows(self) -> None:
        deal = self.deal(contact=self.ann.pk)
        row = self.activity(deal=deal.pk, contact=self.ann.pk)
        update_activities(actor=self.bob, changes=[(row, {"due_on": datetime.date(2027, 3, 5)})])
        deal.refresh_from_db()
        assert deal.next_activity == row.uuid

        self.call("PUT", f"{self.path}/{row.uuid}/completed", {"completed": True})

        deal.refresh_from_db()
        assert deal.next_activity is None
