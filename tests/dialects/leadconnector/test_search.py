"""Both searches, both spellings of their parameters, both ways to turn their pages; and the lists beside them."""

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_project.records.services import create_custom_field
from deals.services import create_lost_reason, trash_deals, trash_lost_reason
from tests.dialects.base import BaseTestCase, Call
from tests.dialects.leadconnector.base import LOCATION, REQUEST, LeadConnector, record

SEARCH = "/opportunities/search"


class Searching(LeadConnector):
    def setUp(self) -> None:
        record(self)

    def names(self, **query: str) -> list[str]:
        found = self.call("GET", SEARCH, location_id=LOCATION, **query)
        return [row["name"] for row in found["opportunities"]]

    def by_body(self, **body: Any) -> Any:
        return self.call("POST", SEARCH, {"locationId": LOCATION, **body})

    def refuse(self, status: int, call: Call) -> Any:
        answer = self.as_actor(self.bob, call)
        assert answer.status_code == status, answer.content
        self.check_refusal(answer, status)
        return answer.json()


class TestQuery(Searching, BaseTestCase):
    def test_it_shows_what_the_vendor_shows(self) -> None:
        deal = self.deal(name="One")

        found = self.call("GET", SEARCH, location_id=LOCATION)

        assert [row["id"] for row in found["opportunities"]] == [str(deal.uuid)]
        assert found["aggregations"] == {}
        assert found["meta"] == {
            "total": 1,
            "nextPageUrl": None,
            "startAfterId": str(deal.uuid),
            "startAfter": int(deal.created_at.timestamp() * 1000),
            "currentPage": 1,
            "nextPage": None,
            "prevPage": None,
        }

    def test_both_spellings_mean_the_same(self) -> None:
        person = self.person()
        change = {"stage": self.offer.pk, "contact": person.pk, "owner": self.bob.member.pk}
        self.deal(name="One", **change)
        self.deal(name="Other", pipeline=self.renewals.pk)

        for two, three, value in (
            ("pipeline_id", "pipelineId", REQUEST["pipelineId"]),
            ("pipeline_stage_id", "pipelineStageId", str(self.offer.uuid)),
            ("contact_id", "contactId", str(person.uuid)),
            ("assigned_to", "assignedTo", REQUEST["assignedTo"]),
        ):
            assert self.names(**{two: value}) == self.names(**{three: value}) == ["One"]
        assert self.call("GET", SEARCH, locationId=LOCATION)["meta"]["total"] == 2

    def test_other_filters(self) -> None:
        lost, won = self.deal(name="Lost one", status="lost"), self.deal(name="Won one", status="won")

        assert self.names(status="lost") == ["Lost one"]
        assert self.names(status="all", order="name_asc") == ["Lost one", "Won one"]
        assert self.names(order="name_desc") == ["Won one", "Lost one"]
        assert self.names(order="added_asc") == ["Lost one", "Won one"]
        assert self.names(q="WON") == ["Won one"]
        assert self.names(id=str(lost.uuid)) == ["Lost one"]
        assert self.names(id="unknown") == self.names(pipeline_id=str(self.theirs.uuid)) == []
        day = won.created_at.strftime("%m-%d-%Y")
        assert len(self.names(date=day, endDate=day)) == 2
        assert self.names(endDate="01-31-2020") == self.names(date="4102444800000") == []
        assert self.names(q="", status="") == self.names()

    def test_a_client_of_a_deal_without_contact_is_its_contact_here(self) -> None:
        person = self.person()
        self.deal(name="One", client=person.pk)

        assert self.names(contact_id=str(person.uuid)) == ["One"]

    def test_it_refuses_what_it_does_not_understand(self) -> None:
        for query in (
            {"limit": "101"},
            {"limit": "many"},
            {"page": "0"},
            {"status": "closed"},
            {"order": "random"},
            {"date": "yesterday"},
            {"campaignId": "a"},
            {"q": "x" * 76},
            {"startAfterId": "gone"},
        ):
            self.refuse(422, Call("GET", SEARCH, query={"location_id": LOCATION, **query}))
        self.refuse(422, Call("GET", SEARCH))
        self.refuse(403, Call("GET", SEARCH, query={"location_id": "other"}))

    def test_notes_and_tasks_come_if_asked_for(self) -> None:
        bare, roof, private = self.deal(), self.deal(), self.deal(self.alice, is_private=True)
        note = self.activity(type="note", deal=roof.pk, text="Asks for two variants")
        task = self.activity(type="call", deal=roof.pk, subject="", contact=self.person().pk)
        self.activity(self.alice, deal=private.pk)

        asked = {"getNotes": "true", "getTasks": "true", "getCalendarEvents": "true"}
        found = self.call("GET", SEARCH, location_id=LOCATION, **asked)["opportunities"]

        assert [row["id"] for row in found] == [str(roof.uuid), str(bare.uuid)]
        assert [(row["id"], row["body"], row["contactId"]) for row in found[0]["notes"]] == [
            (str(note.uuid), "Asks for two variants", None)
        ]
        assert [(row["id"], row["title"], row["completed"]) for row in found[0]["tasks"]] == [
            (str(task.uuid), "Call", False)
        ]
        assert found[1]["notes"] == found[1]["tasks"] == found[0]["calendarEvents"] == []
        only = self.call("POST", SEARCH, {"locationId": LOCATION, "additionalDetails": {"tasks": True}})
        assert only["opportunities"][0]["tasks"] == found[0]["tasks"]
        assert "notes" not in only["opportunities"][0]

    def test_pages_by_number_and_by_link(self) -> None:
        for name in "ABCDE":
            self.deal(name=name)

        pages = [self.names(limit="2", page=str(number)) for number in (1, 2, 3, 4)]
        assert pages == [["E", "D"], ["C", "B"], ["A"], []]
        meta = self.call("GET", SEARCH, location_id=LOCATION, limit="2", page="2")["meta"]
        assert (meta["currentPage"], meta["nextPage"], meta["prevPage"]) == (2, 3, 1)
        url, _, query = meta["nextPageUrl"].partition("?")
        assert url.endswith("/dialects/leadconnector/opportunities/search")
        assert self.names(**dict(pair.split("=") for pair in query.split("&")[1:])) == ["A"]

    def test_pages_behind_the_last_row(self) -> None:
        for name in "ABCDE":
            self.deal(name=name)
        for order in ("added_desc", "added_asc", "name_asc", "name_desc"):
            seen: list[str] = []
            behind: dict[str, str] = {}
            for _ in range(3):
                found = self.call("GET", SEARCH, location_id=LOCATION, limit="2", order=order, **behind)
                seen += [row["name"] for row in found["opportunities"]]
                meta = found["meta"]
                behind = {name: str(meta[name]) for name in ("startAfter", "startAfterId")}
            assert meta["total"] == len(seen) == 5
            assert "".join(seen) in ("EDCBA", "ABCDE")
            assert meta["nextPageUrl"] is None

    def test_a_walk_goes_on_where_the_last_row_is_gone(self) -> None:
        first, second = self.deal(name="A"), self.deal(name="B")
        meta = self.call("GET", SEARCH, location_id=LOCATION, limit="1")["meta"]
        trash_deals(actor=self.bob, rows=[second])

        rest = self.names(startAfter=str(meta["startAfter"]), startAfterId=meta["startAfterId"])

        assert rest in ([], [first.name])

    def test_private_deals_of_others_are_not_found(self) -> None:
        self.deal(self.alice, name="Secret", is_private=True)
        self.deal(self.charlie, name="Theirs")

        assert self.names() == []
        assert self.call("GET", SEARCH, location_id=LOCATION)["meta"]["total"] == 0

    def test_the_number_of_queries_is_fixed(self) -> None:
        create_custom_field(
            actor=self.manager, change={"kind": "deal", "key": "size", "label": "Size", "type": "text"}
        )

        def cost() -> int:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                self.names()
            return len(queries)

        self._full_deal()
        few = cost()
        for _ in range(3):
            self._full_deal()
        assert cost() == few

    def _full_deal(self) -> Any:
        return self.deal(
            contact=self.person().pk,
            client=self.person().pk,
            owner=self.bob.member.pk,
            followers=[self.manager.member.pk, self.alice.member.pk],
            status="lost",
            lost_reason=self.reason.pk,
            custom_fields={"size": "L"},
        )


class TestBody(Searching, BaseTestCase):
    def test_it_finds_by_text_and_filters(self) -> None:
        self.deal(name="Big", amount=900, stage=self.offer.pk)
        self.deal(name="Small", amount=5, status="lost")

        def found(**body: Any) -> list[str]:
            answer = self.by_body(**body)
            assert answer["total"] == len(answer["opportunities"])
            assert answer["aggregations"] == {}
            return [row["name"] for row in answer["opportunities"]]

        pipeline = {"field": "pipeline_id", "operator": "eq", "value": REQUEST["pipelineId"]}
        status = {"field": "status", "operator": "not_eq", "value": "lost"}
        stages = {"field": "pipelineStageId", "operator": "eq", "value": [str(self.offer.uuid), "unknown"]}
        either = {"group": "OR", "filters": [status, {"field": "name", "operator": "eq", "value": "Small"}]}
        amounts = {"field": "monetary_value", "operator": "range", "value": {"gte": 10}}
        added = {"field": "date_added", "operator": "range", "value": {"gte": "2020-01-01"}}
        assert found(query="big") == ["Big"]
        assert found() == found(query="", filters=[pipeline]) == ["Small", "Big"]
        assert (
            found(filters=[pipeline, status])
            == found(filters=[stages])
            == found(filters=[amounts])
            == ["Big"]
        )
        assert found(filters=[either, added]) == ["Small", "Big"]
        assert found(sort=[{"field": "name", "direction": "asc"}]) == ["Big", "Small"]

    def test_it_goes_on_behind_the_last_row(self) -> None:
        for name in "ABC":
            self.deal(name=name)

        first = self.by_body(limit=2, page=1, searchAfter=[], query="", additionalDetails={"notes": True})
        last = first["opportunities"][-1]
        second = self.by_body(limit=2, searchAfter=last["sort"])

        assert [row["name"] for row in first["opportunities"]] == ["C", "B"]
        assert last["notes"] == []
        assert [row["name"] for row in second["opportunities"]] == ["A"]
        assert second["total"] == 3

    def test_it_refuses_what_it_does_not_understand(self) -> None:
        for body in (
            {"filters": [{"field": "colour", "operator": "eq", "value": 1}]},
            {"filters": [{"field": "status", "operator": "like", "value": "o"}]},
            {"filters": [{"field": "date_added", "operator": "range", "value": {"near": 1}}]},
            {"filters": "all"},
            {"sort": [{"field": "colour"}]},
            {"searchAfter": [1]},
            {"limit": 500},
        ):
            self.refuse(422, Call("POST", SEARCH, {"locationId": LOCATION, **body}))

    def test_a_token_to_read_may_search(self) -> None:
        call = Call("POST", SEARCH, {"locationId": LOCATION})

        assert self.as_actor(self.viewer, call, "read").status_code == 200


class TestCatalogue(Searching, BaseTestCase):
    def test_pipelines_with_their_stages(self) -> None:
        answer = self.call("GET", "/opportunities/pipelines", locationId=LOCATION)
        found = answer["pipelines"]

        assert answer["traceId"]
        assert [row["name"] for row in found] == ["Sales", "Renewals"]
        assert found[0]["id"] == REQUEST["pipelineId"]
        assert found[0]["locationId"] == LOCATION
        assert [stage["position"] for stage in found[0]["stages"]] == [0, 1, 2, 3]
        assert found[0]["stages"][0] == {
            "id": REQUEST["pipelineStageId"],
            "name": "New",
            "position": 0,
            "showInFunnel": True,
            "showInPieChart": True,
            "stageWinProbability": 10,
        }

    def test_pipelines_are_asked_for_in_a_location(self) -> None:
        body = self.refuse(422, Call("GET", "/opportunities/pipelines"))

        assert body["code"] == "COMMON_LOCATION_ID_UNDEFINED"

    def test_lost_reasons(self) -> None:
        gone = create_lost_reason(actor=self.manager, change={"name": "Gone"})
        trash_lost_reason(actor=self.manager, lost_reason=gone)

        found = self.call("GET", "/opportunities/lost-reason", locationId=LOCATION)
        assert found["total"] == 1
        assert found["lostReasons"][0]["id"] == REQUEST["lostReasonId"]
        assert found["lostReasons"][0]["name"] == "Price"
        for query, names in (
            ({"query": "pri"}, ["Price"]),
            ({"name": "Other"}, []),
            ({"skip": "1"}, []),
            ({"deleted": "true"}, ["Gone"]),
        ):
            rows = self.call("GET", "/opportunities/lost-reason", locationId=LOCATION, **query)["lostReasons"]
            assert [row["name"] for row in rows] == names

    def test_users(self) -> None:
        found = self.call("GET", "/users", locationId=LOCATION)["users"]

        assert {"id": REQUEST["followers"], "name": "Mary"}.items() <= found[1].items()
        assert "charlie@example.org" not in str(found)
        assert self.call("GET", f"/users/{REQUEST['followers']}") == found[1]
        searched = self.call("GET", "/users/search", companyId="agency", locationId=LOCATION, query="MARY")
        assert searched == {"users": [found[1]], "count": 1}
        emails = {"companyId": "agency", "emails": "MARY@example.com, charlie@example.org", "deleted": False}
        assert self.call("POST", "/users/search/filter-by-email", emails) == searched
        for wrong in ({}, {"emails": "\x00"}, {"emails": "\ud800"}, {"emails": "x", "deleted": True}):
            self.refuse(422, Call("POST", "/users/search/filter-by-email", wrong))
        self.refuse(404, Call("GET", f"/users/{self.charlie.member.uuid}"))

    def test_the_location(self) -> None:
        path = f"/locations/{LOCATION}"

        location = self.call("GET", path)["location"]

        assert self.call("GET", "/locations/search", limit="5") == {"locations": [location]}
        assert self.call("GET", "/locations/search", skip="1") == {"locations": []}
        assert (location["id"], location["name"], location["timezone"]) == (LOCATION, "Alice and Co", "UTC")
        assert "Europe/Rome" in self.call("GET", f"{path}/timezones")["timeZones"]
        assert self.call("GET", f"{path}/tags") == {"tags": []}
        for tags in (["vip", "It"], ["vip"], "text", None):
            kept = {"custom_fields": {"tags": tags}, "free_custom_fields": True} if tags else {}
            self.person(**kept)
        self.person(self.charlie, custom_fields={"tags": ["secret"]}, free_custom_fields=True)
        used = self.call("GET", f"{path}/tags")["tags"]
        assert used == [{"id": tag, "name": tag, "locationId": LOCATION} for tag in ("It", "vip")]
        for place in ("", "/timezones", "/tags"):
            self.refuse(403, Call("GET", f"/locations/{self.charlie.organization.uuid}{place}"))

    def test_custom_fields(self) -> None:
        choice = {"kind": "deal", "key": "size", "label": "Size", "type": "select", "options": ["S", "L"]}
        create_custom_field(actor=self.manager, change=choice)

        path = f"/locations/{LOCATION}/customFields"
        found = self.call("GET", path, model="opportunity")["customFields"]

        assert [(row["fieldKey"], row["dataType"], row["picklistOptions"]) for row in found] == [
            ("opportunity.size", "SINGLE_OPTIONS", ["S", "L"])
        ]
        assert self.call("GET", f"{path}/{found[0]['id']}") == {"customField": found[0]}
        assert self.call("GET", path)["customFields"] == []
        self.refuse(403, Call("GET", "/locations/other/customFields"))

    def test_custom_fields_are_declared_changed_and_deleted(self) -> None:
        path = f"/locations/{LOCATION}/customFields"
        size = {"name": "Taille d'été", "dataType": "SINGLE_OPTIONS", "model": "opportunity"}

        def write(method: str, place: str, body: Any = None, status: int = 200) -> Any:
            answer = self.as_actor(self.manager, Call(method, place, body))
            assert answer.status_code == status, answer.content
            return answer.json()

        made = write("POST", path, {**size, "options": ["S", "L"]}, 201)["customField"]
        other = write("POST", path, {**size, "textBoxListOptions": [{"label": "S"}]}, 201)["customField"]
        plain = write("POST", path, {"name": "Shoe", "dataType": "NUMERICAL", "placeholder": ""}, 201)
        assert size.items() <= made.items()
        assert (made["fieldKey"], made["picklistOptions"], made["position"]) == (
            "opportunity.taille_d_ete",
            ["S", "L"],
            0,
        )
        assert (other["fieldKey"], other["position"]) == ("opportunity.taille_d_ete_2", 1)
        assert plain["customField"]["fieldKey"] == "contact.shoe"
        assert write("PUT", f"{path}/{made['id']}", made) == {"customField": made}
        changed = write("PUT", f"{path}/{made['id']}", {"name": "Size", "options": ["M"]})["customField"]
        assert (changed["name"], changed["picklistOptions"]) == ("Size", ["M"])
        for wrong in (
            {"dataType": "SIGNATURE"},
            {"options": "S"},
            {"options": []},
        ):
            write("POST", path, {**size, **wrong}, 422)
        write("PUT", f"{path}/{made['id']}", {"model": "contact"}, 422)
        assert write("DELETE", f"{path}/{made['id']}") == {"succeded": True}
        write("GET", f"{path}/{made['id']}", status=404)
        self.refuse(403, Call("POST", path, size))
