"""`/api/activities`: Bob writes them, Alice's private ones are hidden from him, Charlie sees none."""

import datetime

from django.utils import timezone

from crm_project.journal.event_types import known_types
from tests.api.client import ApiTestCase, problem

DAY = datetime.timedelta(days=1)
LIST = "/api/activities"


def day(number):
    return (timezone.now().date() + number * DAY).isoformat()


def subjects(rows):
    return [row["subject"] for row in rows]


class ActivityApiTestCase(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.company = cls.person(cls, kind="company", first_name="", last_name="", name="Acme")
        cls.sam = cls.person(cls, company=cls.company.pk)
        cls.roof = cls.deal(cls, name="Roof", contact=cls.sam.pk)

    def post(self, **body):
        answer = self.as_bob.post(LIST, {"deal_uuid": str(self.roof.uuid), **body})
        assert answer.status_code == 201, answer.content
        return answer.json()


class WriteTests(ActivityApiTestCase):
    def test_a_call_is_planned_read_done_and_deleted(self):
        planned = self.post(
            type="call", subject="Ask", due_on=day(1), owner_uuid=str(self.bob.member.uuid), external_id="7"
        )
        url = f"{LIST}/{planned['uuid']}"
        assert planned["deal"] == {"uuid": str(self.roof.uuid), "name": "Roof"}
        assert planned["owner"]["full_name"] == "Bob"
        assert planned["external_references"] == [{"system": "default", "external_id": "7"}]

        done = self.as_bob.patch(url, {"done_at": timezone.now().isoformat(), "result": "reached"})
        assert (done.status_code, done.json()["result"]) == (200, "reached")
        assert self.as_bob.get(url).json() == done.json()

        assert self.as_bob.delete(url).status_code == 204
        assert self.as_bob.get(url).status_code == 404
        assert self.as_bob.post(f"{url}/restore").status_code == 200

    def test_every_wrong_field_is_named(self):
        answer = self.as_bob.post(LIST, {"type": "visit", "due_on": "tomorrow", "mood": "good"})

        problem(answer, 400, "invalid", "/deal_uuid", "/due_on", "/mood", "/subject", "/type")

    def test_two_due_dates_are_refused(self):
        body = {
            "type": "call",
            "deal_uuid": str(self.roof.uuid),
            "due_on": day(1),
            "due_at": f"{day(1)}T10:00Z",
        }

        problem(self.as_bob.post(LIST, body), 400, "due_conflict", "/due_on")

    def test_it_needs_a_deal_or_a_contact(self):
        problem(self.as_bob.post(LIST, {"type": "call"}), 400, "required", "/deal_uuid")

    def test_what_was_read_may_be_sent_back(self):
        row = self.post(type="meeting", due_at=f"{day(2)}T10:00:00Z")

        answer = self.as_bob.patch(f"{LIST}/{row['uuid']}", row)

        assert answer.json() == row

    def test_a_stale_write_is_refused(self):
        row = self.post(type="call")
        url = f"{LIST}/{row['uuid']}"
        tag = self.as_bob.get(url)["ETag"]
        assert self.as_bob.patch(url, {"result": "one"}, headers={"If-Match": tag}).status_code == 200

        answer = self.as_bob.patch(url, {"result": "two"}, headers={"If-Match": tag})

        assert answer.status_code == 412

    def test_the_same_request_twice_makes_one(self):
        body = {"type": "call", "deal_uuid": str(self.roof.uuid)}
        first, second = (
            self.as_bob.post(LIST, body, headers={"Idempotency-Key": "k-1"}).json() for _ in range(2)
        )

        assert first == second
        assert len(self.as_bob.rows(LIST)) == 1

    def test_a_dry_run_makes_none(self):
        answer = self.as_bob.post(f"{LIST}?dry_run=true", {"type": "call", "deal_uuid": str(self.roof.uuid)})

        assert answer.status_code < 300
        assert self.as_bob.rows(LIST) == []

    def test_an_upsert_by_reference_creates_then_updates(self):
        body = {"type": "call", "deal_uuid": str(self.roof.uuid), "external_id": "9"}
        first = self.as_bob.post(f"{LIST}/upsert", body)
        second = self.as_bob.post(f"{LIST}/upsert", {**body, "result": "reached"})

        assert (first.status_code, first.json()["outcome"]) == (201, "created")
        assert (second.status_code, second.json()["changed"]) == (200, ["result"])
        assert second.json()["uuid"] == first.json()["uuid"]
        found = self.as_bob.get(f"{LIST}/external/default/9")
        assert found.json()["result"] == "reached"

    def test_a_list_of_writes_is_all_or_nothing(self):
        row = self.post(type="call", subject="Old")
        operations = [
            {"op": "create", "data": {"type": "task", "subject": "New", "deal_uuid": str(self.roof.uuid)}},
            {"op": "update", "uuid": row["uuid"], "data": {"subject": "Changed"}},
            {"op": "create", "data": {"type": "task", "subject": "Lost"}},
        ]
        refused = self.as_bob.post(f"{LIST}/bulk", {"operations": operations})
        assert refused.status_code == 400
        assert subjects(self.as_bob.rows(LIST)) == ["Old"]

        answer = self.as_bob.post(f"{LIST}/bulk", {"operations": operations[:2]})

        assert [one["outcome"] for one in answer.json()["results"]] == ["created", "updated"]
        assert sorted(subjects(self.as_bob.rows(LIST))) == ["Changed", "New"]

    def test_a_viewer_reads_and_does_not_write(self):
        row = self.post(type="call")

        assert self.as_viewer.get(f"{LIST}/{row['uuid']}").status_code == 200
        assert self.as_viewer.patch(f"{LIST}/{row['uuid']}", {"result": "x"}).status_code == 403

    def test_its_events_are_in_the_feed_by_their_types(self):
        row = self.post(type="call", subject="Ask")
        self.as_bob.patch(f"{LIST}/{row['uuid']}", {"done_at": timezone.now().isoformat()})
        self.as_bob.delete(f"{LIST}/{row['uuid']}")

        events = [
            one for one in self.as_bob.get("/api/events").json()["results"] if one["kind"] == "activity"
        ]

        assert [one["types"] for one in events] == [
            ["activity.created"],
            ["activity.done", "activity.updated"],
            ["activity.deleted"],
        ]
        assert {"activity.done", "activity.restored", "activity.redacted"} <= {*known_types()}


class VisibilityTests(ActivityApiTestCase):
    def test_one_of_a_hidden_deal_does_not_exist(self):
        secret = self.deal(self.alice, is_private=True)
        body = {"type": "call", "deal_uuid": str(secret.uuid)}
        hidden = self.as_alice.post(LIST, body).json()

        assert len(self.as_alice.rows(LIST)) == 1
        for stranger in (self.as_bob, self.as_charlie):
            assert stranger.rows(LIST) == []
            assert stranger.get(f"{LIST}/{hidden['uuid']}").status_code == 404
            assert stranger.patch(f"{LIST}/{hidden['uuid']}", {"result": "x"}).status_code in (404,)
            problem(stranger.post(LIST, body), 400, "does_not_exist", "/deal_uuid")


class FilterTests(ActivityApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        bob = cls.bob.member.pk
        other = cls.deal(cls, name="Other")
        cls.other = other
        rows = [
            {"subject": "late", "due_on": timezone.now().date() - DAY, "deal": cls.roof.pk, "owner": bob},
            {"subject": "today", "due_on": timezone.now().date(), "deal": other.pk, "owner": bob},
            {"subject": "later", "due_on": timezone.now().date() + DAY, "contact": cls.sam.pk},
            {"subject": "someday", "deal": other.pk, "type": "call", "is_pinned": True},
            {"subject": "done", "deal": other.pk, "done_at": timezone.now() - DAY},
            {"subject": "note", "text": "Blue paint", "deal": other.pk, "type": "note"},
        ]
        for row in rows:
            cls.activity(cls, **row)

    def check(self, query, *expected):
        assert sorted(subjects(self.as_bob.rows(f"{LIST}?{query}"))) == sorted(expected), query

    def test_each_filter_finds_the_right_rows(self):
        self.check("is_done=false", "late", "today", "later", "someday")
        self.check("is_done=true", "done", "note")
        self.check("due_state=overdue", "late")
        self.check("due_state=today", "today")
        self.check("due_state=overdue,today", "late", "today")
        self.check("due_state=planned", "later")
        self.check("due_state=undated", "someday")
        self.check(f"due_before={day(0)}", "late", "today")
        self.check(f"due_after={day(1)}", "later")
        self.check("owner=me", "late", "today")
        self.check("owner=none", "later", "someday", "done", "note")
        self.check("type=call,note", "someday", "note")
        self.check(f"deal={self.roof.uuid}", "late")
        self.check(f"contact={self.sam.uuid}", "later")
        self.check(f"company={self.company.uuid}", "late", "later")
        self.check("is_pinned=true", "someday")
        self.check("q=paint", "note")
        self.check(f"done_at_before={day(-1)}", "done")

    def test_a_wrong_filter_is_refused(self):
        problem(self.as_bob.get(f"{LIST}?due_state=tomorrow&mood=good"), 400, "invalid")

    def test_they_are_ordered_by_due_date_with_those_without_one_last(self):
        assert subjects(self.as_bob.rows(f"{LIST}?ordering=due&is_done=false")) == [
            "late",
            "today",
            "later",
            "someday",
        ]

    def test_a_page_continues_where_the_last_one_ended(self):
        first = self.as_bob.get(f"{LIST}?ordering=due&page_size=4").json()
        second = self.as_bob.get(first["next"].partition("testserver")[2]).json()

        assert len({row["uuid"] for row in first["results"] + second["results"]}) == 6

    def test_a_deal_tells_its_next_step(self):
        step = self.as_bob.get(f"/api/deals/{self.roof.uuid}").json()["next_step"]

        assert step["state"] == "overdue"
        late = self.as_bob.rows(f"{LIST}?due_state=overdue")[0]
        assert step["activity_uuid"] == late["uuid"]
        assert step["due_at"].startswith(day(-1))

    def test_deals_are_found_by_their_next_step(self):
        empty = self.deal(name="Empty")
        for state, expected in (("none", "Empty"), ("overdue", "Roof"), ("today", "Other")):
            assert self.as_bob.names(f"/api/deals?next_step={state}") == [expected]
        assert self.as_bob.names("/api/deals?next_step=planned") == []
        assert self.as_bob.get(f"/api/deals/{empty.uuid}").json()["next_step"] is None

    def test_the_cards_of_the_board_have_it_too(self):
        default = self.as_bob.get(f"/api/deals/{self.roof.uuid}").json()["pipeline"]["id"]
        board = self.as_bob.get(f"/api/pipelines/{default}/board").json()
        cards = {card["name"]: card for column in board["columns"] for card in column["cards"]}

        assert cards["Roof"]["next_step"]["state"] == "overdue"
        assert cards["Other"]["next_step"]["state"] == "today"

    def test_a_next_step_makes_no_card_stale(self):
        url = f"/api/deals/{self.roof.uuid}"
        tag = self.as_bob.get(url)["ETag"]
        self.post(type="call", due_on=day(-3))

        assert self.as_bob.patch(url, {"name": "New"}, headers={"If-Match": tag}).status_code == 200
