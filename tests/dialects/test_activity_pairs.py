"""A note or a task that is written through one API has the same facts in all others that can express them."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crm_project.activities.models import Activity
from tests.dialects.base import BaseTestCase, Call
from tests.dialects.test_pairs import CANONICAL, VERSION, Api, SystemClient

DUE = "2027-03-05T11:00:00"
TEXT = 'Żółw & "Łódź"'


@dataclass(frozen=True)
class Writer:
    """How an API writes an activity of `case.ann`, and the facts that it reads of one."""

    system: str
    note: Callable[[Any], Call]
    show_note: Callable[[Any, Activity], Call]
    note_in: Callable[[Any], dict[str, Any]]
    task: Callable[[Any], Call] | None = None
    show_task: Callable[[Any, Activity], Call] | None = None
    task_in: Callable[[Any], dict[str, Any]] | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def client(self) -> SystemClient:
        return SystemClient(Api(self.system, None, None, None, self.headers))  # type: ignore[arg-type]


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text[:19]).replace(tzinfo=datetime.UTC)


CANONICAL_WRITER = Writer(
    CANONICAL.system,
    lambda case: Call(
        "POST", "/activities", {"type": "note", "text": TEXT, "contact_uuid": str(case.ann.uuid)}
    ),
    lambda case, row: Call("GET", f"/activities/{row.uuid}"),
    lambda body: {"text": body["text"], "contact": body["contact"]["uuid"]},
    lambda case: Call(
        "POST", "/activities", {"subject": TEXT, "due_at": f"{DUE}Z", "contact_uuid": str(case.ann.uuid)}
    ),
    lambda case, row: Call("GET", f"/activities/{row.uuid}"),
    lambda body: {
        "title": body["subject"],
        "due": instant(body["due_at"]),
        "contact": body["contact"]["uuid"],
        "done": body["done_at"] is not None,
    },
)
LEADCONNECTOR = Writer(
    "leadconnector",
    lambda case: Call("POST", f"/contacts/{case.ann.uuid}/notes", {"body": TEXT}),
    lambda case, row: Call("GET", f"/contacts/{case.ann.uuid}/notes/{row.uuid}"),
    lambda body: {"text": body["note"]["body"], "contact": body["note"]["contactId"]},
    lambda case: Call(
        "POST", f"/contacts/{case.ann.uuid}/tasks", {"title": TEXT, "dueDate": f"{DUE}Z", "completed": False}
    ),
    lambda case, row: Call("GET", f"/contacts/{case.ann.uuid}/tasks/{row.uuid}"),
    lambda body: {
        "title": body["task"]["title"],
        "due": instant(body["task"]["dueDate"]),
        "contact": body["task"]["contactId"],
        "done": body["task"]["completed"],
    },
    VERSION,
)
OFFICE = "/api/2.0/crm"
ONLYOFFICE = Writer(
    "onlyoffice",
    lambda case: Call(
        "POST", f"{OFFICE}/history", {"content": TEXT, "categoryid": 1, "contactid": case.ann.pk}
    ),
    lambda case, row: Call("GET", f"{OFFICE}/history/filter"),
    lambda body: {"text": body["response"][0]["content"], "contact": body["response"][0]["contact"]["id"]},
    lambda case: Call(
        "POST",
        f"{OFFICE}/task",
        {"title": TEXT, "deadline": f"{DUE}.0000000Z", "categoryid": 5, "contactid": case.ann.pk},
    ),
    lambda case, row: Call("GET", f"{OFFICE}/task/{row.pk}"),
    lambda body: {
        "title": body["response"]["title"],
        "due": instant(body["response"]["deadLine"]),
        "contact": body["response"]["contact"]["id"],
        "done": body["response"]["isClosed"],
    },
)
INTUM = Writer(
    "intum",
    lambda case: Call(
        "POST",
        "/crm/notes.json",
        {"note": {"content": TEXT, "noteable_type": "Crm::Contact", "noteable_id": case.ann.pk}},
    ),
    lambda case, row: Call("GET", f"/crm/notes/{row.pk}.json"),
    lambda body: {"text": body["content"], "contact": body["noteable_id"]},
)
WRITERS = (CANONICAL_WRITER, LEADCONNECTOR, ONLYOFFICE, INTUM)


class TestActivityPairs(BaseTestCase):
    def setUp(self) -> None:
        self.ann = self.person(first_name="Ann")

    def written(self, call: Call, writer: Writer) -> Activity:
        answer = writer.client().as_actor(self.bob, call)
        assert answer.status_code == 201, (writer.system, answer.content)
        return Activity.objects.latest("id")

    def read(self, call: Call, reader: Writer) -> Any:
        answer = reader.client().as_actor(self.bob, call)
        assert answer.status_code == 200, (reader.system, answer.content)
        return answer.json()

    def same(self, facts: dict[str, Any], expected: dict[str, Any], pair: str) -> None:
        contact = {self.ann.pk, str(self.ann.uuid)}
        assert facts.pop("contact") in contact, pair
        assert facts == expected, pair

    def test_a_note_reads_alike_in_all(self) -> None:
        for writer in WRITERS:
            row = self.written(writer.note(self), writer)
            for reader in WRITERS:
                facts = reader.note_in(self.read(reader.show_note(self, row), reader))
                self.same(facts, {"text": TEXT}, f"{writer.system} → {reader.system}")

    def test_a_task_reads_alike_in_all(self) -> None:
        expected = {"title": TEXT, "due": instant(DUE), "done": False}
        with_tasks = [writer for writer in WRITERS if writer.task]
        for writer in with_tasks:
            assert writer.task is not None
            row = self.written(writer.task(self), writer)
            for reader in with_tasks:
                assert reader.show_task is not None
                assert reader.task_in is not None
                facts = reader.task_in(self.read(reader.show_task(self, row), reader))
                self.same(facts, dict(expected), f"{writer.system} → {reader.system}")
        assert {writer.system for writer in with_tasks} == {"canonical", "leadconnector", "onlyoffice"}
