"""Tasks and the history, as ONLYOFFICE's clients call them, and the contract of every dialect."""

import datetime
from typing import Any

from crm_project.accounts.models import Organization
from crm_project.activities.models import Activity
from crm_project.journal.models import Event
from tests.dialects.activities import DONE, ActivityContract
from tests.dialects.base import BaseTestCase, Call, load
from tests.dialects.onlyoffice.base import CRM, Onlyoffice

TASK = load(__file__, "create_task.request.json")
EVENT = load(__file__, "create_event.request.json")


class ActivityCase(Onlyoffice, ActivityContract):
    wrong_verb = "PATCH"
    invalid_status = malformed_status = 400
    name: str
    request: dict[str, Any]

    def setUp(self) -> None:
        super().setUp()
        self.roof = self.deal(name="Roof", contact=self.ann.pk)

    def row_id(self, row: Any) -> str:
        return str(row.pk)

    def unknown_id(self) -> str:
        return "999999"

    def body(self, **changes: Any) -> dict[str, Any]:
        own = {"contactid": self.ann.pk, "entityid": self.roof.pk}
        if "responsibleid" in self.request:
            own["responsibleid"] = str(self.bob.member.uuid)
        return {**self.request, **own, **changes}

    def create_call(self, **body: Any) -> Call:
        return Call("POST", f"{CRM}/{self.name}", self.body(**body))

    def create(self, **body: Any) -> Any:
        said = self.call("POST", f"/{self.name}", self.body(**body))
        assert said["statusCode"] == 201, said
        return said["response"]

    def list_calls(self) -> list[Call]:
        of_ann = {"entityType": "contact", "entityid": str(self.ann.pk)}
        return [Call("GET", f"{CRM}/{self.name}/filter", query=query) for query in ({}, of_ann)]

    def listed(self, **query: str) -> list[int]:
        return [row["id"] for row in self.call("GET", f"/{self.name}/filter", **query)["response"]]

    def foreign_calls(self) -> list[Call]:
        stranger = self.person(self.charlie)
        theirs, private = self.deal(self.charlie), self.deal(self.alice, is_private=True)
        return [
            self.create_call(contactid=stranger.pk),
            self.create_call(entityid=theirs.pk),
            self.create_call(entityid=private.pk),
        ]

    def wrong(self) -> dict[str, Any]:
        return {
            "categoryid": {"categoryid": 12},
            "categoryid:": {"categoryid": None},
            "no cases": {"entityType": "case"},
            "entityType": {"entityType": "invoice"},
            "Send entityType": {"entityType": None},
            "entityid": {"entityid": 999999},
            "deal or a contact": {"contactid": 0, "entityid": 0},
        }

    def invalid_calls(self) -> dict[str, Call]:
        return {word: self.create_call(**body) for word, body in self.wrong().items()}

    def test_as_the_vendors_clients_have_it(self) -> None:
        said = self.call("POST", f"/{self.name}", self.body())

        expected = load(__file__, f"create_{'task' if self.name == 'task' else 'event'}.answer.json")
        found = said["response"]
        assert found.keys() == expected["response"].keys()
        variable = {name: found[name] for name, value in expected["response"].items() if value == "…"}
        variable["entity"] = {**expected["response"]["entity"], "entityId": self.roof.pk}
        assert said == {**expected, "response": {**expected["response"], **variable}}
        row = Activity.objects.latest("id")
        assert (found["id"], found["contact"]["id"]) == (row.pk, self.ann.pk)
        assert (row.owner, row.deal, row.contact) == (self.bob.member, self.roof, self.ann)
        person = found.get("responsible") or found["createBy"]
        assert person["displayName"] == "Bob"

    def test_names_in_any_case_and_in_a_form(self) -> None:
        names = {"categoryid": "categoryId", "contactid": "contactId", "entityid": "entityId"}
        body = {names.get(name, name): value for name, value in self.body().items()}

        assert self.call("POST", f"/{self.name}.json", body)["statusCode"] == 201

    def test_filters(self) -> None:
        rows = [self.own_row(deal=self.roof.pk), self.own_row(owner=self.bob.member.pk), self.own_row()]
        other = self.activity(type=self.type, deal=self.deal().pk, subject="Żółw")
        keys = {row.pk for row in rows}

        assert set(self.listed()) == {*keys, other.pk}
        assert set(self.listed(entityType="contact", entityid=str(self.ann.pk))) == keys
        assert self.listed(entityType="opportunity", entityId=str(self.roof.pk)) == [rows[0].pk]
        assert self.listed(filterValue="zolw") == [other.pk]
        person = {"responsibleid" if self.name == "task" else "createBy": str(self.bob.member.uuid)}
        assert self.listed(**person) == [rows[1].pk]
        page = self.call("GET", f"/{self.name}/filter", count="2", startIndex="1")
        assert (page["count"], page["startIndex"], page["total"]) == (2, 1, 4)
        assert self.call("GET", f"/{self.name}/filter", entityid="5")["statusCode"] == 400

    def test_categories(self) -> None:
        where = f"/{self.name}/category"

        titles = {row["id"]: row["title"] for row in self.call("GET", where)["response"]}

        assert titles == {
            **({5: "Task"} if self.name == "task" else {1: "Note"}),
            2: "Email",
            3: "Call",
            4: "Meeting",
        }
        assert self.call("POST", where, {"title": "Visit"})["statusCode"] == 400
        assert self.call("DELETE", f"{where}/3")["statusCode"] == 400


class TestTasks(ActivityCase, BaseTestCase):
    name = type = "task"
    request = TASK

    def row_calls(self, row_id: str) -> list[Call]:
        one = f"{CRM}/task/{row_id}"
        return [
            Call("GET", one),
            Call("GET", f"{one}.json"),
            Call("PUT", one, self.body()),
            Call("PUT", f"{one}/close"),
            Call("PUT", f"{one}/reopen"),
            Call("DELETE", one),
        ]

    def wrong(self) -> dict[str, Any]:
        return {
            **super().wrong(),
            "title": {"title": ""},
            "deadline": {"deadline": None},
            "deadline:": {"deadline": "soon"},
            "responsibleid": {"responsibleid": str(self.charlie.member.uuid)},
        }

    def sent_back(self, shown: dict[str, Any]) -> dict[str, Any]:
        """Parameters are flat where answers are nested."""
        return {
            "title": shown["title"],
            "description": shown["description"],
            "deadline": shown["deadLine"],
            "responsibleid": shown.get("responsible", {}).get("id"),
            "categoryid": shown["category"]["id"],
            "contactid": shown.get("contact", {}).get("id", 0),
            "entityType": shown.get("entity", {}).get("entityType"),
            "entityid": shown.get("entity", {}).get("entityId", 0),
            "isNotify": False,
            "alertValue": shown["alertValue"],
        }

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        Organization.objects.update(time_zone="Europe/Warsaw")
        midnight = datetime.datetime(2027, 3, 4, 23, tzinfo=datetime.UTC)
        rows = [
            self.own_row(),
            self.own_row(subject="", text="Only a text\nof two lines", result="Reached"),
            self.own_row(type="call", subject="", due_on=datetime.date(2027, 3, 5), deal=self.roof.pk),
            self.own_row(
                type="email", due_at=midnight, done_at=DONE, owner=self.bob.member.pk, is_pinned=True
            ),
            self.activity(type="meeting", deal=self.roof.pk, due_at=midnight),
        ]
        events = Event.objects.exclude(kind="token").count()
        for row in rows:
            before = self.call("GET", f"/task/{row.pk}")

            after = self.call("PUT", f"/task/{row.pk}", self.sent_back(before["response"]))

            assert after == before
            assert Activity.objects.get(pk=row.pk).version == row.version, row.subject
        assert Event.objects.exclude(kind="token").count() == events

    def test_a_replacement_is_whole(self) -> None:
        row = self.create()

        sparse = {"title": "Other", "deadline": "2027-03-06", "categoryid": 5}
        said = self.call("PUT", f"/task/{row['id']}", {**sparse, "contactid": self.ann.pk})["response"]

        assert (said["title"], said["description"], said["category"]["title"]) == ("Other", "", "Task")
        assert "entity" not in said
        assert "responsible" not in said
        stored = Activity.objects.get(pk=row["id"])
        assert (stored.due_on, stored.due_at, stored.deal, stored.owner) == (
            datetime.date(2027, 3, 6),
            None,
            None,
            None,
        )

    def test_it_is_closed_and_opened_again(self) -> None:
        row = self.create()
        assert Activity.objects.get().deal.next_activity == Activity.objects.get().uuid

        closed = self.call("PUT", f"/task/{row['id']}/close")["response"]
        first = Activity.objects.get().done_at
        assert self.call("PUT", f"/task/{row['id']}/close")["response"] == closed == {**row, "isClosed": True}
        assert Activity.objects.get().done_at == first
        assert Activity.objects.get().deal.next_activity is None
        assert self.listed(isClosed="true") == [row["id"]]
        assert self.listed(isClosed="false") == []

        assert self.call("PUT", f"/task/{row['id']}/reopen")["response"] == row
        assert self.call("DELETE", f"/task/{row['id']}")["response"] == row
        assert self.listed() == []

    def test_lists_by_deadline(self) -> None:
        undated = self.own_row()
        late = self.own_row(due_on=datetime.date(2027, 3, 6))
        early = self.own_row(due_at=datetime.datetime(2027, 3, 5, 11, tzinfo=datetime.UTC))

        assert self.listed() == [early.pk, late.pk, undated.pk]
        assert self.listed(sortOrder="descending") == [undated.pk, late.pk, early.pk]
        assert self.listed(fromDate="2027-03-06", toDate="2027-03-07") == [late.pk]
        assert self.listed(categoryid="3") == []

    def test_what_has_no_place_is_named(self) -> None:
        answer = self.as_actor(self.bob, self.create_call(isNotify=True, alertValue=30))

        assert answer.status_code == 201
        assert set(answer["X-Ignored-Fields"].split(", ")) == {"alertValue", "isNotify"}

    def test_a_contact_has_the_number_of_its_open_tasks(self) -> None:
        ben = self.person(first_name="Ben")
        self.own_row(due_at=DONE)
        self.own_row()
        self.own_row(done_at=DONE)
        self.hidden_row()

        rows = self.call("GET", "/contact/filter")["response"]

        found = {row["id"]: (row["taskCount"], row["haveLateTasks"]) for row in rows}
        assert (found[self.ann.pk], found[ben.pk]) == ((2, True), (0, False))
        assert self.call("GET", f"/contact/{self.ann.pk}")["response"]["taskCount"] == 2
        assert self.call("GET", f"/opportunity/{self.roof.pk}/contact")["response"][0]["taskCount"] == 2

    def test_notes_and_logged_calls_are_none(self) -> None:
        note = self.own_row(type="note")
        self.own_row(type="call", done_at=DONE)
        call = self.own_row(type="call")

        assert self.listed() == [call.pk]
        assert self.call("GET", f"/task/{note.pk}")["statusCode"] == 404
        assert self.call("PUT", f"/task/{call.pk}/close")["response"]["isClosed"] is True


class TestHistory(ActivityCase, BaseTestCase):
    name, type = "history", "note"
    request = EVENT

    def row_calls(self, row_id: str) -> list[Call]:
        return [Call("DELETE", f"{CRM}/history/{row_id}")]

    def wrong(self) -> dict[str, Any]:
        return {
            **super().wrong(),
            "content": {"content": ""},
            "content:": {"content": " "},
            "created": {"created": "2100-01-01"},
            "fileId": {"fileId": [5]},
        }

    def test_a_call_is_logged(self) -> None:
        row = self.create(categoryid=3, created=None, notifyUserList=[])

        stored = Activity.objects.get(pk=row["id"])
        assert (stored.type, stored.text, stored.is_open, stored.due_at) == (
            "call",
            EVENT["content"],
            False,
            None,
        )
        assert self.listed(categoryid="3") == [row["id"]]
        assert self.call("DELETE", f"/history/{row['id']}")["response"] == row
        assert self.listed() == []

    def test_the_newest_come_first(self) -> None:
        late, early = self.own_row(), self.own_row(done_at=DONE, subject="Title", text="Text")

        assert self.listed() == [late.pk, early.pk]
        assert self.listed(sortBy="created") == [early.pk, late.pk]
        assert self.listed(toDate="2026-03-03") == [early.pk]
        first = self.call("GET", "/history/filter", toDate="2026-03-03")["response"][0]
        assert first["content"] == "Title\nText"

    def test_a_row_of_nobody_is_not_found(self) -> None:
        for kind in ("contact", "opportunity"):
            said = self.call("GET", "/history/filter", entityType=kind, entityid="999999")
            assert said["statusCode"] == 404

    def test_tasks_are_none(self) -> None:
        task = self.own_row(type="task", done_at=DONE)
        call = self.own_row(type="call", due_at=DONE, done_at=DONE)

        assert self.listed() == []
        for row in (task, call):
            assert self.call("DELETE", f"/history/{row.pk}")["statusCode"] == 404
