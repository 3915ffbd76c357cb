"""Tests of the kinds that the recipes make, run in a copy of the code. Texts, since their apps are not in this tree."""

INDUSTRIES = """
from crm_project.journal.models import Event
from industries.models import Industry
from tests.api.client import ApiTestCase
from tests.staff.base import StaffTestCase, add_url, list_url


class ApiTests(ApiTestCase):
    def test_create_journal_and_undo(self):
        row = self.as_manager.post("/api/industries", {"name": "Steel"}).json()
        assert self.as_bob.get("/api/industries").json()["results"][0]["name"] == "Steel"
        assert self.as_charlie.get("/api/industries").json()["results"] == []
        again = self.as_manager.post("/api/industries", {"name": " Steel"})
        assert (again.status_code, again.json()["code"]) == (409, "name_taken")
        events = self.as_bob.get("/api/events").json()["results"]
        event = next(one for one in events if one["kind"] == "industry")
        assert (event["action"], event["row"]) == ("created", row["uuid"])
        assert self.as_bob.get(f"/api/industries/{event['row']}").json() == row
        named = {"system": "erp", "kind": "industry", "external_id": "7", "row": row["id"]}
        assert self.as_manager.post("/api/external-references", named).status_code == 201
        done = self.as_manager.post(f"/api/events/{event['sequence']}/undo")
        assert done.status_code == 409, "the reference came later"
        last = Event.objects.filter(kind="industry").order_by("sequence").last()
        assert self.as_manager.post(f"/api/events/{last.sequence}/undo").status_code == 200
        assert self.as_manager.post(f"/api/events/{event['sequence']}/undo").status_code == 200
        assert Industry.objects.get().deleted_at is not None


class PageTests(StaffTestCase):
    def test_a_row_is_added(self):
        self.sign_in(self.alice)
        assert self.client.get(list_url(Industry)).status_code == 200
        assert self.save(add_url(Industry), name="Steel").status_code == 302
        assert Industry.objects.get().name == "Steel"
"""

VISITS = '''
from crm_project.journal.models import Event
from tests.api.client import ApiTestCase, document, problem
from tests.staff.base import StaffTestCase, action_url, add_url, change_url, list_url
from visits.models import Visit
from visits.services import create_visits

LIST = "/api/visits"
NOBODY = "01234567-89ab-4def-8123-456789abcdef"


def subjects(rows):
    return [row["subject"] for row in rows]


class VisitTestCase(ApiTestCase):
    """Bob has a deal that all see and a private one; Charlie is in another organization."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.roof = cls.deal(cls, name="Roof")
        cls.cellar = cls.deal(cls, name="Cellar", is_private=True)

    def body(self, deal, subject="Measure", **more):
        return {"subject": subject, "held_on": "2026-01-31", "deal_uuid": str(deal.uuid), **more}

    def visit(self, deal, subject="Measure", **more):
        answer = self.as_bob.post(LIST, self.body(deal, subject, **more))
        assert answer.status_code == 201, answer.content
        return answer.json()

    def place(self, row):
        return f"{LIST}/{row['uuid']}"


class VisibilityTests(VisitTestCase):
    def test_a_visit_of_a_private_deal_is_as_private(self):
        row = self.visit(self.cellar, external_id="V-1")
        assert self.as_bob.get(self.place(row)).json() == row
        assert subjects(self.as_bob.rows(LIST)) == ["Measure"]
        for other, write in ((self.as_manager, 404), (self.as_viewer, 403), (self.as_charlie, 404)):
            assert other.get(self.place(row)).status_code == 404
            assert other.get(f"{LIST}/external/default/V-1").status_code == 404
            assert other.patch(self.place(row), {"subject": "Mine"}).status_code == write
            assert other.delete(self.place(row)).status_code == write
            assert other.rows(LIST) == []
            assert other.rows("/api/external-references", kind="visit") == []
            assert [one for one in other.get("/api/events").json()["results"] if one["kind"] == "visit"] == []

    def test_a_visit_of_a_deal_that_all_see_is_seen_by_all(self):
        row = self.visit(self.roof, owner_uuid=str(self.bob.member.uuid))
        for colleague in (self.as_alice, self.as_manager, self.as_viewer):
            assert colleague.get(self.place(row)).json() == row
            [event] = [one for one in colleague.get("/api/events").json()["results"] if one["kind"] == "visit"]
            assert (event["action"], event["row"]) == ("created", row["uuid"])
        assert self.as_charlie.get(self.place(row)).status_code == 404

    def test_nobody_adds_one_to_a_deal_that_they_do_not_see(self):
        for other, deal in ((self.as_manager, self.cellar), (self.as_charlie, self.roof)):
            problem(other.post(LIST, self.body(deal)), 400, "does_not_exist", "/deal_uuid")

    def test_it_leaves_and_returns_with_its_deal(self):
        row = self.visit(self.roof, external_id="V-1")
        self.as_bob.delete(f"/api/deals/{self.roof.uuid}")
        assert self.as_bob.get(self.place(row)).status_code == 404
        assert self.as_bob.rows(LIST) == []
        assert self.as_bob.rows("/api/external-references", kind="visit") == []
        self.as_bob.post(f"/api/deals/{self.roof.uuid}/restore")
        assert self.as_bob.get(self.place(row)).json() == row


class WriteTests(VisitTestCase):
    def test_wrong_values_are_refused_by_name(self):
        body = {**self.body(self.roof, ""), "held_on": "soon", "colour": "red"}
        answer = self.as_bob.post(LIST, {**body, "deal_uuid": NOBODY, "owner_uuid": NOBODY})
        wrong = ("/colour", "/deal_uuid", "/held_on", "/owner_uuid", "/subject")
        assert sorted(error["pointer"] for error in answer.json()["errors"]) == list(wrong)
        assert answer.status_code == 400
        missing = self.as_bob.post(LIST, {})
        problem(missing, 400, "required", "/deal_uuid", "/held_on", "/subject")
        problem(self.as_bob.post(LIST, self.body(self.roof, " ")), 400, "blank", "/subject")
        row = self.visit(self.roof)
        problem(self.as_bob.patch(self.place(row), {"deal_uuid": None}), 400, "null", "/deal_uuid")
        assert len(self.as_bob.rows(LIST)) == 1

    def test_a_stale_change_is_refused(self):
        row = self.visit(self.roof)
        tag = {"headers": {"If-Match": self.as_bob.get(self.place(row))["ETag"]}}
        assert self.as_bob.patch(self.place(row), {"subject": "First"}, **tag).status_code == 200
        problem(self.as_bob.patch(self.place(row), {"subject": "Second"}, **tag), 412, "precondition_failed")
        problem(self.as_bob.delete(self.place(row), **tag), 412, "precondition_failed")
        assert subjects(self.as_bob.rows(LIST)) == ["First"]

    def test_the_filters(self):
        early = self.visit(self.roof, "Early")
        late = self.visit(self.cellar, "Late", held_on="2026-03-31", owner_uuid=str(self.bob.member.uuid))
        for name, value in (
            ("held_on_after", "2026-02-01"),
            ("deal", self.cellar.uuid),
            ("owner", "me"),
            ("owner_empty", "false"),
            ("uuid", late["uuid"]),
            ("uuid_not", early["uuid"]),
        ):
            assert subjects(self.as_bob.rows(LIST, **{name: value})) == ["Late"], name
        assert subjects(self.as_bob.rows(LIST, ordering="-held_on")) == ["Late", "Early"]
        problem(self.as_bob.get(LIST, held_on_after="soon"), 400, "invalid")

    def test_an_upsert_and_a_list_of_writes(self):
        body = self.body(self.roof, external_id="V-1")
        answers = [
            self.as_bob.post(f"{LIST}/upsert", {**body, "subject": text}) for text in ("One", "Two", "Two")
        ]
        assert [answer.status_code for answer in answers] == [201, 200, 200]
        outcomes = [answer.json()["outcome"] for answer in answers]
        assert outcomes == ["created", "updated", "unchanged"]
        row = self.as_bob.get(f"{LIST}/external/default/V-1").json()
        operations = [
            {"op": "create", "data": self.body(self.roof, "New")},
            {"op": "update", "uuid": row["uuid"], "data": {"subject": "Three"}},
            {"op": "upsert", "data": self.body(self.roof, "Lost", external_id="V-2", held_on=None)},
        ]
        assert self.as_bob.post(f"{LIST}/bulk", {"operations": operations}).status_code == 400
        done = self.as_bob.post(f"{LIST}/bulk", {"operations": operations[:2]})
        assert [one["outcome"] for one in done.json()["results"]] == ["created", "updated"]
        assert sorted(subjects(self.as_bob.rows(LIST))) == ["New", "Three"]

    def test_each_write_is_undone(self):
        row = self.visit(self.roof, "Before", external_id="V-1")
        self.as_bob.patch(self.place(row), {"subject": "After", "held_on": "2026-02-01"})
        self.as_bob.delete(self.place(row))
        events = Event.objects.filter(kind="visit").order_by("sequence")
        assert [event.action for event in events] == ["created", "updated", "trashed"]
        for event in reversed(events):
            assert self.as_bob.post(f"/api/events/{event.sequence}/undo").status_code == 200, event
            if event.action == "trashed":
                assert self.as_bob.get(self.place(row)).json()["subject"] == "After"
            if event.action == "updated":
                restored = self.as_bob.get(self.place(row)).json()
                assert (restored["subject"], restored["held_on"]) == ("Before", "2026-01-31")
        assert Visit.objects.get().deleted_at is not None
        assert self.as_bob.post(f"{self.place(row)}/restore").json()["external_references"]

    def test_the_document_has_it(self):
        described = document()
        assert {"get", "post"} <= described["paths"][LIST].keys()
        assert {"Visit", "UpsertVisitRequest", "VisitReceipt"} <= described["components"]["schemas"].keys()


class PageTests(StaffTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.cellar = cls.deal(cls, name="Cellar", is_private=True)
        change = {"subject": "Zyxvisit", "held_on": "2026-01-31", "deal": cls.cellar.pk}
        [cls.row] = create_visits(actor=cls.bob, changes=[change])

    def test_the_pages_show_it_to_those_who_see_the_deal(self):
        places = (list_url(Visit), "/admin/search/?s=yxvisi&extended=1")
        for who, shown in ((self.bob, True), (self.manager, False), (self.viewer, False), (self.charlie, False)):
            self.sign_in(who)
            assert [("Zyxvisit" in self.page(place)) for place in places] == [shown, shown], who
            assert (self.client.get(change_url(self.row)).status_code == 200) is shown

    def test_a_rep_adds_changes_and_trashes_it(self):
        typed = {"subject": "Typed", "held_on": "2026-02-01", "deal": self.cellar.pk}
        assert self.save(add_url(Visit), **typed).status_code == 302
        row = Visit.objects.get(subject="Typed")
        assert self.save(change_url(row), subject="Changed").status_code == 302
        assert self.client.post(action_url("trash", row)).status_code == 302
        self.page(list_url(Visit))  # with the messages, which name it
        assert "Changed" not in self.page(list_url(Visit))
        assert "Changed" in self.page(f"{list_url(Visit)}?trash=only")
        assert self.client.post(action_url("restore", row)).status_code == 302
        assert Visit.objects.live().filter(subject="Changed").exists()
'''
