"""A reader of the feed gets every event that it may see, once and in order, however many write at the time."""

import threading
import time
import uuid
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext

from crm_project.journal import feed
from crm_project.journal.models import Counter, Event
from deals.services import create_deals, trash_deals, update_deals
from tests.api.client import ApiClient, problem
from tests.base import BaseTestCase, World

WRITERS = 16
ROUNDS = 4


@pytest.mark.race
class RaceTests(TransactionTestCase):
    def setUp(self):
        self.world = World()
        self.errors: list[BaseException] = []

    def test_nothing_is_missed_and_nothing_comes_twice(self):
        begun = threading.Barrier(WRITERS + 2)
        writing = [threading.Thread(target=self.write, args=(n, begun)) for n in range(WRITERS)]
        done = threading.Event()
        seen: dict[str, list[int]] = {"bob": [], "alice": []}
        reading = [
            threading.Thread(target=self.read, args=(name, seen[name], begun, done)) for name in sorted(seen)
        ]

        for thread in [*writing, *reading]:
            thread.start()
        for thread in writing:
            thread.join()
        done.set()
        for thread in reading:
            thread.join()

        assert self.errors == []
        events = Event.objects.of(self.world.organization.pk)
        numbers = list(events.order_by("sequence").values_list("sequence", flat=True))
        assert numbers == list(range(1, Counter.objects.get(pk=self.world.organization.pk).last + 1))
        for name, actor in (("bob", self.world.bob), ("alice", self.world.alice)):
            visible = events.visible_to(actor.member).order_by("sequence")
            assert seen[name] == list(visible.values_list("sequence", flat=True)), name
        assert len(seen["bob"]) < len(seen["alice"]) == len(numbers)

    def write(self, number: int, begun: threading.Barrier) -> None:
        """Half of the writers write what only Alice may see."""
        world, secret = self.world, number % 2 == 0
        actor = world.alice if secret else world.bob
        try:
            begun.wait()
            for n in range(ROUNDS):
                change = {"name": f"Deal {number}.{n}", "is_private": secret}
                deals = create_deals(actor=actor, changes=[change] * (1 + n))
                update_deals(actor=actor, changes=[(deal, {"stage": world.offer.pk}) for deal in deals])
            trash_deals(actor=actor, rows=deals[:1])
        except BaseException as error:
            self.errors.append(error)
        finally:
            connection.close()

    def read(self, name: str, seen: list[int], begun: threading.Barrier, done: threading.Event) -> None:
        member = {"bob": self.world.bob, "alice": self.world.alice}[name].member
        last = 0
        try:
            begun.wait()
            while True:
                finished = done.is_set()
                page = feed.read(member, after=last, limit=7)
                seen += [event.sequence for event in page.events]
                assert page.last >= last
                last = page.last
                if finished and not page.more and not page.events:
                    return
                time.sleep(0.01)
        except BaseException as error:
            self.errors.append(error)
        finally:
            connection.close()


class FeedTests(BaseTestCase):
    def setUp(self):
        self.client = ApiClient(self.bob)
        self.client.get("/api/me")
        self.start = self.client.get("/api/events", limit=200).json()["last"]

    def read(self, **asked: Any) -> Any:
        return self.client.get("/api/events", **{"after": self.start, **asked}).json()

    def test_it_names_actor_action_and_row(self):
        deal = self.deal(name="Big one")

        page = self.read()

        event = page["results"][0]
        assert (event["kind"], event["action"], event["row"]) == ("deal", "created", str(deal.uuid))
        assert (event["actor"]["full_name"], event["version"]) == ("Bob", 1)
        assert {"field": "name", "from": None, "to": "Big one"} in event["changes"]
        assert page["last"] == event["sequence"]
        assert page["more"] is False

    def test_hidden_events_leave_gaps_and_are_passed_over(self):
        for _ in range(3):
            self.deal(actor=self.alice, is_private=True)
        open_one = self.deal()

        page = self.read(limit=1)

        assert [event["row"] for event in page["results"]] == [str(open_one.uuid)]
        after = self.read(after=page["last"])
        assert (after["results"], after["last"]) == ([], page["last"])

    def test_a_page_of_hidden_events_advances(self):
        self.deal(actor=self.alice, is_private=True)

        page = self.read()

        assert page["results"] == []
        assert page["last"] == self.start + 1

    def test_a_reader_who_may_see_little_gets_on_in_strides(self):
        for _ in range(4):
            self.deal(actor=self.alice, is_private=True)
        deal = self.deal()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(feed, "STRIDE", 2)
            page, pages = self.read(), 1
            while not page["results"]:
                assert page["more"]
                page, pages = self.read(after=page["last"]), pages + 1

        assert page["results"][0]["row"] == str(deal.uuid)
        assert pages == 3

    def test_by_kind_and_by_row(self):
        deal, person = self.deal(), self.person()

        kinds = [event["kind"] for event in self.read(kind="contact")["results"]]
        rows = [event["row"] for event in self.read(row=str(deal.uuid))["results"]]

        assert kinds == ["contact"]
        assert rows == [str(deal.uuid)]
        several = [event["kind"] for event in self.read(kind="contact,deal")["results"]]
        assert several == ["deal", "contact"]
        assert self.read(row=str(person.uuid), kind="deal")["results"] == []

    def test_a_hidden_row_is_no_row(self):
        private = self.deal(actor=self.alice, is_private=True)

        assert self.read(row=str(private.uuid))["results"] == []

    def test_nothing_new_records_no_event(self):
        page = self.client.get("/api/events", after=self.start)
        tag = {"If-None-Match": page["ETag"]}

        assert self.client.get("/api/events", after=self.start, headers=tag).status_code == 304
        self.deal()
        assert self.client.get("/api/events", after=self.start, headers=tag).status_code == 200

    def test_it_hides_other_organizations(self):
        self.deal()
        theirs = ApiClient(self.charlie).get("/api/events", limit=200).json()

        organizations = {event["row"] for event in theirs["results"] if event["kind"] == "organization"}
        assert organizations == {str(self.charlie.organization.uuid)}
        assert "deal" not in {event["kind"] for event in theirs["results"]}

    def test_tokens_of_others_are_hidden(self):
        ApiClient(self.alice)

        kinds = [event["kind"] for event in self.read()["results"]]
        assert kinds == []

    def test_it_refuses_what_it_does_not_understand(self):
        for asked in (
            {"after": "-1"},
            {"after": "x"},
            {"after": "١"},
            {"limit": "0"},
            {"limit": "201"},
            {"kind": "invoice"},
            {"kind": "deal,invoice"},
            {"kind": "deal,"},
            {"kind": ""},
            {"row": ""},
            {"epoch": ""},
            {"cursor": ""},
            {"row": "1"},
            {"epoch": "1"},
            {"page_sizes": "1"},
        ):
            assert self.client.get("/api/events", **asked).status_code == 400, asked

    def test_a_position_beyond_the_end_is_refused(self):
        end = self.read(limit=200)["last"]

        assert self.client.get("/api/events", after=end).status_code == 200
        answer = self.client.get("/api/events", after=end + 1)

        body = problem(answer, 409, "position_unknown")
        assert (body["last"], body["epoch"]) == (end, self.read()["epoch"])

    def test_a_cursor_is_epoch_and_position_in_one(self):
        deal = self.deal()
        page = self.client.get("/api/events", limit=1).json()
        rest = self.client.get("/api/events", cursor=page["next_cursor"]).json()

        assert page["next_cursor"] == f"{page['epoch']}.{page['last']}"
        assert rest == self.client.get("/api/events", epoch=page["epoch"], after=page["last"]).json()
        assert str(deal.uuid) in {event["row"] for event in rest["results"]}

    def test_a_cursor_of_another_epoch_or_with_another_position_is_refused(self):
        epoch = self.client.get("/api/events").json()["epoch"]
        stranger = self.client.get("/api/events", cursor=f"{uuid.uuid4()}.0")
        problem(stranger, 409, "position_unknown")
        problem(self.client.get("/api/events", cursor="7"), 400, "invalid", "/cursor")
        problem(self.client.get("/api/events", cursor=f"{epoch}.0", after=0), 400, "invalid", "/cursor")

    def test_a_position_of_another_epoch_is_refused(self):
        before = self.read()
        kept = {"after": before["last"], "epoch": before["epoch"]}
        assert self.client.get("/api/events", **kept).status_code == 200

        call_command("new_epoch", stdout=StringIO())

        body = problem(self.client.get("/api/events", **kept), 409, "position_unknown")
        assert body["epoch"] == self.read()["epoch"] != before["epoch"]
        assert body["last"] == before["last"]
        resumed = {"after": body["last"], "epoch": body["epoch"]}
        self.deal()
        assert len(self.client.get("/api/events", **resumed).json()["results"]) == 1

    def test_a_restored_backup_is_noticed_after_its_numbers_have_caught_up(self):
        consumer = self.read()
        position = {"after": consumer["last"], "epoch": consumer["epoch"]}
        self.deal()

        call_command("new_epoch", stdout=StringIO())

        problem(self.client.get("/api/events", **position), 409, "position_unknown")
        # Without an epoch the number alone counts, as before.
        assert self.client.get("/api/events", after=position["after"]).status_code == 200

    def test_every_organization_has_an_epoch_of_its_own(self):
        assert call_command("new_epoch", stdout=StringIO()) is None

        epochs = {self.read()["epoch"], ApiClient(self.charlie).get("/api/events").json()["epoch"]}
        assert len(epochs) == 2
        assert not Counter.objects.filter(epoch=None).exists()

    def test_an_organization_without_events_has_an_epoch(self):
        Counter.objects.filter(organization=self.organization).delete()
        epoch, last = feed.end_of(self.organization)
        assert (epoch, last) == (self.organization.uuid, 0)

        feed.draw_epochs()

        assert feed.end_of(self.organization)[0] != epoch

    def test_its_queries_do_not_depend_on_how_much_happened(self):
        counts = []
        for _ in range(2):
            for _ in range(4):
                deal = self.deal(
                    owner=self.bob.member.pk, contact_email="a@b.example", contact_first_name="A"
                )
                update_deals(actor=self.bob, changes=[(deal, {"stage": self.won.pk, "amount": Decimal(5)})])
            with CaptureQueriesContext(connection) as queries:
                self.read()
            counts.append(len(queries))

        assert counts[0] == counts[1] <= 9
