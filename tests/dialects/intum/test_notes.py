"""Notes: the request of Intum's documentation, and the contract of every dialect."""

import datetime
from typing import Any

from crm_project.accounts.models import Organization
from crm_project.accounts.services import create_token
from crm_project.activities.models import Activity
from crm_project.journal.models import Event
from crm_project.records.services import change_references
from tests.dialects.activities import DONE, ActivityContract
from tests.dialects.base import BaseTestCase, Call, bearer, load
from tests.dialects.intum.test_deals import in_body, in_query

REQUEST = load(__file__, "create_note.request.json")
ANSWER = load(__file__, "create_note.answer.json")
LIST = "/crm/notes.json"


class TestNotes(ActivityContract, BaseTestCase):
    system = "intum"
    token_ways = {"bearer": bearer, "query": in_query, "body": in_body}
    wrong_verb = "DELETE"
    unknown_paths = ("/nothing/here", "/crm/notes", "/crm/nothing.json")

    def setUp(self) -> None:
        Organization.objects.update(time_zone="Europe/Warsaw")
        self.organization.refresh_from_db()
        self.ann = self.person(first_name="Ann")
        self.acme = self.person(kind="company", name="Acme", first_name="", last_name="")
        self.roof = self.deal(name="Roof", contact=self.ann.pk)

    def check_refusal(self, answer: Any, status: int) -> None:
        body = answer.json()
        if status == 422:
            assert all(isinstance(messages, list) for messages in body.values())
        else:
            assert list(body) == ["error"]

    def row_id(self, row: Any) -> str:
        return str(row.pk)

    def unknown_id(self) -> str:
        return "999999999"

    def create_call(self, **note: Any) -> Call:
        return Call("POST", LIST, {"note": {**REQUEST["note"], "noteable_id": self.acme.pk, **note}})

    def row_calls(self, row_id: str) -> list[Call]:
        path = f"/crm/notes/{row_id}.json"
        return [Call("GET", path), Call("PATCH", path, {"note": {"name": "x"}}), Call("DELETE", path)]

    def list_calls(self) -> list[Call]:
        of_ann = {"noteable_type": "Crm::Contact", "noteable_id": str(self.ann.pk)}
        return [Call("GET", LIST), Call("GET", LIST, query=of_ann)]

    def invalid_calls(self) -> dict[str, Call]:
        wrong: dict[str, Any] = {
            "noteable_id": {"noteable_id": None},
            "nie istnieje": {"noteable_id": 10**9},
            "noteable_type": {"noteable_type": ""},
            "na liście dopuszczalnych": {"noteable_type": "Crm::Task"},
            "oczekiwano daty i godziny": {"note_at": "wczoraj"},
            "jest z przyszłości": {"note_at": "2100-01-01"},
            "oczekiwano tekstu": {"kind": ["phone"]},
            "name": {"name": " ", "content": None, "kind": None},
        }
        return {word: self.create_call(**note) for word, note in wrong.items()}

    def foreign_calls(self) -> list[Call]:
        theirs, private = self.deal(self.charlie), self.deal(self.alice, is_private=True)
        stranger = self.person(self.charlie)
        return [
            self.create_call(noteable_type="Crm::Deal", noteable_id=theirs.pk),
            self.create_call(noteable_type="Crm::Deal", noteable_id=private.pk),
            self.create_call(noteable_type="Crm::Contact", noteable_id=stranger.pk),
            # A person is no client.
            self.create_call(noteable_id=self.ann.pk),
        ]

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        answer = self.as_actor(self.bob, Call(method, path, body, query=query))
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    def create(self, **note: Any) -> Any:
        return self.call("POST", LIST, self.create_call(**note).body)

    def change(self, row_id: Any, **note: Any) -> Any:
        return self.call("PATCH", f"/crm/notes/{row_id}.json", {"note": note})

    def ids(self, **query: str) -> list[int]:
        return [row["id"] for row in self.call("GET", LIST, **query)]

    def test_as_the_documentation_has_it(self) -> None:
        change_references(actor=self.alice, row=self.acme, add=[("intum", "123")])
        secret = create_token(actor=self.bob, name="test")[1]

        answer = self.send(Call("POST", LIST, {**REQUEST, "api_token": secret}))

        body = answer.json()
        variable = {name: body[name] for name in ("id", "created_at", "updated_at")}
        assert (answer.status_code, body) == (201, {**ANSWER, **variable})
        assert list(body) == list(ANSWER)
        assert "X-Ignored-Fields" not in answer
        row = Activity.objects.get(pk=body["id"])
        assert (row.type, row.contact, row.owner, row.is_open) == ("call", self.acme, self.bob.member, False)
        assert self.call("GET", f"/crm/notes/{row.pk}.json") == body
        assert self.ids() == [row.pk]

    def test_of_a_deal_a_client_and_a_contact(self) -> None:
        notes = {
            kind: self.create(noteable_type=kind, noteable_id=row.pk, kind=None, note_at=None)
            for kind, row in (
                ("Crm::Deal", self.roof),
                ("Crm::Client", self.acme),
                ("Crm::Contact", self.ann),
            )
        }

        for kind, note in notes.items():
            assert (note["noteable_type"], note["kind"]) == (kind, None)
            query = {"noteable_type": kind, "noteable_id": str(note["noteable_id"])}
            assert self.ids(**query) == [note["id"]]
        assert Activity.objects.get(pk=notes["Crm::Deal"]["id"]).deal == self.roof
        assert self.ids(noteable_type="Crm::Deal", noteable_id="999999") == []
        half = self.as_actor(self.bob, Call("GET", LIST, query={"noteable_type": "Crm::Deal"}))
        assert (len(half.json()), half["X-Ignored-Fields"]) == (3, "noteable_type")
        assert self.ids(per_page="1", page="2") == [notes["Crm::Client"]["id"]]

    def test_kinds(self) -> None:
        for kind, expected in (
            ("phone", "call"),
            ("Email", "email"),
            ("meeting", "meeting"),
            ("note", "note"),
        ):
            assert Activity.objects.get(pk=self.create(kind=kind)["id"]).type == expected
        answer = self.as_actor(self.bob, self.create_call(kind="sms"))
        assert (answer.json()["kind"], answer["X-Ignored-Fields"]) == (None, "kind")
        assert self.change(answer.json()["id"], kind="phone")["kind"] == "phone"
        assert self.change(answer.json()["id"], kind=None)["kind"] is None

    def test_a_change_leaves_the_rest(self) -> None:
        note = self.create()

        changed = self.change(note["id"], content="Prosi o trzy")

        assert changed == {**note, "content": "Prosi o trzy", "updated_at": changed["updated_at"]}
        kept = self.change(note["id"], note_at=None)
        assert kept["note_at"] == note["note_at"]
        assert self.change(note["id"], name=None)["name"] is None

    def test_a_note_moves_to_another_row(self) -> None:
        row = self.own_row(deal=self.roof.pk, subject="Of both")
        other = self.deal()

        assert self.change(row.pk, noteable_id=other.pk)["noteable_id"] == other.pk
        row.refresh_from_db()
        assert (row.deal, row.contact) == (other, self.ann)
        moved = self.change(row.pk, noteable_type="Crm::Client", noteable_id=self.acme.pk)
        row.refresh_from_db()
        assert (row.deal, row.contact, moved["noteable_type"]) == (None, self.acme, "Crm::Client")

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        rows = [
            self.own_row(),
            self.own_row(subject="", text="Text", deal=self.roof.pk, is_pinned=True),
            self.own_row(type="email", subject="", done_at=DONE, result="Reached"),
            self.activity(type="note", contact=self.acme.pk, external_references=[("intum", "n-1")]),
        ]
        for row in rows:
            shown = self.call("GET", f"/crm/notes/{row.pk}.json")
            assert shown in self.call("GET", LIST)

            answer = self.as_actor(self.bob, Call("PATCH", f"/crm/notes/{row.pk}.json", {"note": shown}))

            assert answer.json() == shown
            assert "X-Ignored-Fields" not in answer
            assert Activity.objects.get(pk=row.pk).version == row.version
        assert not Event.objects.filter(kind="activity", action="updated").exists()

    def test_deleting_answers_with_the_note(self) -> None:
        note = self.create()

        assert self.call("DELETE", f"/crm/notes/{note['id']}.json") == note
        assert self.ids() == []

    def test_what_is_planned_is_no_note(self) -> None:
        rows = [
            self.own_row(type="task", done_at=DONE),
            self.own_row(type="call", due_on=datetime.date(2027, 3, 5), done_at=DONE),
            self.own_row(type="call"),
        ]

        assert self.ids() == []
        for row in rows:
            self.refused(self.as_actor(self.bob, Call("GET", f"/crm/notes/{row.pk}.json")), 404)

    def test_the_search(self) -> None:
        self.own_row(subject="Pies")
        found = self.own_row(subject="Żółw")

        assert self.ids(q="zolw") == [found.pk]
