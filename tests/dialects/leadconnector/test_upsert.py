"""LeadConnector's upsert never overwrites another opportunity: an id that is sent decides alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from deals.models import Deal
from tests.base import World
from tests.dialects.base import BaseTestCase, Call, RaceTestCase, secret_of
from tests.dialects.leadconnector.base import LOCATION, REQUEST, LeadConnector, record

UPSERT = "/opportunities/upsert"


class TestUpsert(LeadConnector, BaseTestCase):
    def setUp(self) -> None:
        record(self)
        self.ann = self.person()

    def upsert(self, **body: Any) -> Any:
        base = {"pipelineId": REQUEST["pipelineId"], "locationId": LOCATION, "contactId": str(self.ann.uuid)}
        return self.call("POST", UPSERT, {**base, **body})

    def test_two_ids_of_one_contact_are_two_opportunities(self) -> None:
        for run in ("first", "second"):
            for row_id, name, value in (("A1", "Roof", 1000), ("B1", "Garage", 50)):
                answer = self.upsert(id=row_id, name=name, monetaryValue=value, status="open", followers=[])

                assert answer["new"] is (run == "first")
                assert answer["opportunity"]["id"] == row_id
        roof = self.call("GET", "/opportunities/A1")["opportunity"]
        assert (roof["name"], roof["monetaryValue"]) == ("Roof", 1000)
        assert Deal.objects.count() == 2

    def test_a_blank_name_or_id_says_nothing(self) -> None:
        """Automations send an empty template for a field that is not mapped; so they do for people."""
        roof = self.upsert(name="Roof", status="open")["opportunity"]

        for blank in ("  ", "\u3000", "\n"):
            answer = self.upsert(name=blank, id=blank, status="open")
            assert (answer["new"], answer["opportunity"]["id"]) == (False, roof["id"])
            assert answer["opportunity"]["name"] == "Roof"
            names = {"firstName": blank, "lastName": blank, "companyName": blank}
            self.call("PUT", f"/contacts/{self.ann.uuid}", names)
        name = self.ann.full_name
        self.ann.refresh_from_db()
        assert (self.ann.full_name, self.ann.version) == (name, 1)

    def test_an_unknown_id_leaves_the_open_deal_of_the_contact(self) -> None:
        deal = self.deal(contact=self.ann.pk, name="Hers")

        assert self.upsert(id="theirs", name="Other")["new"] is True

        deal.refresh_from_db()
        assert (deal.name, deal.version, deal.references.count()) == ("Hers", 1, 0)

    def test_without_an_id_a_closing_body_finds_what_is_closed_so(self) -> None:
        first = self.upsert(name="Roof", status="won")
        again = self.upsert(name="Roof", status="won", monetaryValue=5)
        lost = self.upsert(name="Roof", status="lost")

        assert [answer["new"] for answer in (first, again, lost)] == [True, False, True]
        assert again["opportunity"]["id"] == first["opportunity"]["id"]

    def test_without_an_id_nothing_is_reopened(self) -> None:
        for status in ("won", "lost", "abandoned"):
            closed = self.upsert(name="Old", status=status)["opportunity"]

            for body in ({"status": "open"}, {}, {"status": "all"}):
                found = self.upsert(name="Next", **body)

                assert found["opportunity"]["id"] != closed["id"]
            assert self.call("GET", f"/opportunities/{closed['id']}")["opportunity"]["status"] == status

    def test_several_open_ones_stay_ambiguous(self) -> None:
        self.upsert(id="A1"), self.upsert(id="B1")
        body = {
            "pipelineId": REQUEST["pipelineId"],
            "locationId": LOCATION,
            "contactId": str(self.ann.uuid),
            "status": "won",
        }

        answer = self.as_actor(self.bob, Call("POST", UPSERT, body))

        assert (answer.status_code, answer.json()["code"]) == (409, "AMBIGUOUS_MATCH")

    def test_a_status_leaves_a_closing_stage_that_cannot_have_it(self) -> None:
        deal = self.deal(stage=self.won.pk)
        path = f"/opportunities/{deal.uuid}"

        for status, stage in (
            ("lost", self.lost),
            ("abandoned", self.lost),
            ("won", self.won),
            ("open", self.new),
        ):
            shown = self.call("PUT", path, {"status": status})["opportunity"]

            assert (shown["status"], shown["pipelineStageId"]) == (status, self.id_of(stage))
        shown = self.call("PUT", path, {"status": "won"})["opportunity"]
        assert shown["pipelineStageId"] == self.id_of(self.new)

    def id_of(self, stage: Any) -> str:
        return REQUEST["pipelineStageId"] if stage == self.new else str(stage.uuid)

    def test_an_open_opportunity_in_a_won_stage_enters_the_pipeline(self) -> None:
        body = {
            "pipelineId": REQUEST["pipelineId"],
            "pipelineStageId": str(self.won.uuid),
            "locationId": LOCATION,
            "contactId": str(self.ann.uuid),
            "name": "Roof",
            "status": "open",
        }

        answer = self.as_actor(self.bob, Call("POST", "/opportunities/", body))

        assert answer.status_code == 201, answer.content
        assert "pipelineStageId" in answer["X-Ignored-Fields"]
        shown = answer.json()["opportunity"]
        assert (shown["status"], shown["pipelineStageId"]) == ("open", REQUEST["pipelineStageId"])

    def test_the_probability_of_a_won_opportunity_is_ignored_and_named(self) -> None:
        deal = self.deal(stage=self.won.pk)
        call = Call("PUT", f"/opportunities/{deal.uuid}", {"forecastProbability": 35})

        answer = self.as_actor(self.bob, call)

        assert (answer.status_code, answer["X-Ignored-Fields"]) == (200, "forecastProbability")

    def test_no_object_of_the_vendor_is_null(self) -> None:
        """The objects and arrays of the vendor's schemas of opportunities and contacts."""
        deal, contact = self.deal(), self.person()
        opportunity = self.call("GET", f"/opportunities/{deal.uuid}")["opportunity"]
        person = self.call("GET", f"/contacts/{contact.uuid}")["contact"]

        for shown, objects, lists in (
            (opportunity, ("contact",), ("customFields", "followers")),
            (person, ("dndSettings", "inboundDndSettings"), ("tags", "customFields")),
        ):
            assert {name: shown[name] for name in objects} == {name: {} for name in objects}
            assert {name: shown[name] for name in lists} == {name: [] for name in lists}


class Synchronizing(LeadConnector):
    """Mix into a test case whose `setUp` records the ids of the document."""

    def synchronize(self, count: int, *, runs: int, callers: int = 1) -> None:
        """The same deals by id, then without ids, `runs` times each; the callers share them out."""
        world: Any = self
        # Of each four, the open deal has a contact of its own; the closed ones share another.
        people = [world.person() for _ in range(count // 2)]
        rows = [
            {
                "pipelineId": REQUEST["pipelineId"],
                "locationId": LOCATION,
                "id": f"x{number}",
                "name": f"Deal {number}",
                "contactId": str(people[number // 4 * 2 + (number % 4 > 0)].uuid),
                "status": ("open", "won", "lost", "abandoned")[number % 4],
                "monetaryValue": number,
            }
            for number in range(count)
        ]
        # One token for all requests: thousands of tokens cost as much as the upserts.
        secret = secret_of(world.bob)

        def upsert(row: dict[str, Any]) -> Any:
            answer = self.send(self.with_token(Call("POST", UPSERT, row), secret))
            assert answer.status_code == 200, answer.content
            return answer.json()

        def share(caller: int) -> None:
            """Whole contacts, so that the callers meet in the pipeline and the journal alone."""
            own = [row for number, row in enumerate(rows) if number // 4 % callers == caller]
            states = {}
            for run in range(runs):
                for row in own:
                    answer = upsert(row)
                    assert (answer["new"], answer["opportunity"]["id"]) == (run == 0, row["id"])
                    states[row["id"]] = answer["opportunity"]
            for _ in range(runs):
                for row in own:
                    answer = upsert({name: value for name, value in row.items() if name != "id"})
                    assert (answer["new"], answer["opportunity"]) == (False, states[row["id"]])

        if callers == 1:
            share(0)
        else:
            with ThreadPoolExecutor(callers) as threads:
                list(threads.map(closing_connections(share), range(callers)))
        written = Deal.objects.values_list("version", "status", "name").order_by("id")
        assert sorted(written) == sorted((1, row["status"], row["name"]) for row in rows)


class TestSynchronization(Synchronizing, BaseTestCase):
    def setUp(self) -> None:
        record(self)

    def test_a_synchronization_merges_and_reopens_nothing(self) -> None:
        self.synchronize(40, runs=2)


@pytest.mark.long
class TestLongSynchronization(Synchronizing, RaceTestCase):
    """In transactions that are committed: thousands of writes in a single one cost more with each of them."""

    person = World.person

    def setUp(self) -> None:
        super().setUp()
        record(self)

    def test_two_callers_merge_and_reopen_nothing(self) -> None:
        self.synchronize(2000, runs=1, callers=2)


def closing_connections(function: Callable[[int], None]) -> Callable[[int], None]:
    """The function for a thread, which has a connection of its own."""

    def run(number: int) -> None:
        try:
            function(number)
        finally:
            connection.close()

    return run
