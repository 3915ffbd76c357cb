"""A status alone moves a deal, through the service, the API and the admin."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from deals.models import Deal
from deals.services import move_deals, update_deals
from pipelines.services import trash_stage
from tests.api.client import ApiTestCase, problem
from tests.base import BaseTestCase
from tests.dialects.base import Call
from tests.dialects.test_pairs import APIS, SystemClient
from tests.imports.client import counts, csv_file, imported
from tests.staff.base import StaffTestCase, action_url, change_url


class ServiceTests(BaseTestCase):
    def write(self, deal, **change):
        update_deals(actor=self.bob, changes=[(deal, change)])
        return Deal.objects.get(pk=deal.pk)

    def test_reopening_goes_back_to_the_last_open_stage(self):
        deal = self.write(self.deal(), stage=self.offer.pk)
        for status, stage in (("won", self.won), ("lost", self.lost), ("open", self.offer)):
            deal = self.write(deal, status=status)
            assert (deal.status, deal.stage) == (status, stage)

    def test_the_stage_must_be_live_and_of_the_present_pipeline(self):
        moved = self.write(self.deal(), stage=self.offer.pk)
        won = next(stage for stage in self.renewals.stages.in_order() if stage.kind == "won")
        moved = self.write(moved, stage=won.pk)
        first = next(stage for stage in self.renewals.stages.in_order() if stage.kind == "open")
        assert self.write(moved, status="open").stage == first

        gone = self.write(self.write(self.deal(), stage=self.offer.pk), status="won")
        trash_stage(actor=self.alice, stage=self.offer)
        assert self.write(gone, status="open").stage == self.new

    def test_only_where_needed(self):
        needed = {"status_moves": "if_needed"}
        deal = self.write(self.deal(), status="won", **needed)
        assert (deal.status, deal.stage) == ("won", self.new)
        move_deals(actor=self.bob, deals=[deal], stage=self.won)
        assert self.write(deal, status="lost", **needed).stage == self.lost

    def test_a_look_up_happens_only_for_a_deal_that_reopens(self):
        deal = self.write(self.deal(), status="won")
        for change, reads in (({"status": "lost"}, 0), ({"status": "open"}, 1)):
            with self.subTest(change=change), self.assertNumQueriesOn("last_open", reads):
                self.write(deal, **change)

    def assertNumQueriesOn(self, text, count):
        return _Reads(text, count)


class _Reads:
    """Expects a number of queries whose SQL has a text."""

    def __init__(self, text, count):
        self.text, self.count, self.captured = text, count, CaptureQueriesContext(connection)

    def __enter__(self):
        self.captured.__enter__()

    def __exit__(self, *error):
        self.captured.__exit__(*error)
        found = [query["sql"] for query in self.captured if self.text in query["sql"]]
        assert error[0] or len(found) == self.count, found


class ApiTests(ApiTestCase):
    def test_every_door(self):
        for deal, method, path, body in (
            (a := self.deal(), "PATCH", f"/api/deals/{a.uuid}", {"status": "won"}),
            (b := self.deal(), "POST", "/api/deals/upsert", {"uuid": str(b.uuid), "status": "won"}),
            (
                c := self.deal(),
                "POST",
                "/api/deals/bulk",
                {
                    "atomic": True,
                    "operations": [{"op": "update", "uuid": str(c.uuid), "data": {"status": "won"}}],
                },
            ),
        ):
            with self.subTest(path=path):
                assert self.as_bob.send(method, path, body).status_code == 200
                assert Deal.objects.get(pk=deal.pk).stage == self.won
        answer = self.as_bob.post("/api/deals", {"name": "A", "status": "lost"}).json()
        assert answer["stage"]["id"] == self.lost.pk

    def test_the_probability_of_a_closed_deal(self):
        deal = self.deal(status="won")
        path = f"/api/deals/{deal.uuid}"

        problem(self.as_bob.patch(path, {"probability": 0}), 400, "invalid", "/probability")
        assert self.as_bob.patch(path, {"probability": 100}).json()["probability"] == 100
        assert Deal.objects.get(pk=deal.pk).version == deal.version
        reopened = self.as_bob.patch(path, {"status": "open", "probability": 40}).json()
        assert (reopened["probability"], reopened["stage"]["id"]) == (40, self.new.pk)


class OtherDoorsTests(ApiTestCase):
    """A status alone moves the deal through an import and through Xalantis's API, too."""

    def test_an_import(self):
        deal = self.deal(stage=self.offer.pk, external_references=[("default", "1")])
        for status, stage in (
            ("won", self.won),
            ("abandoned", self.lost),
            ("open", self.offer),
            ("lost", self.lost),
        ):
            content = csv_file(("external_id", "name", "status"), ("1", "A", status), ("", "New", status))
            assert counts(imported(self.as_bob, "deals", content)) == (1, 1, 0, 0)
            row = Deal.objects.get(pk=deal.pk)
            assert (row.status, row.stage) == (status, stage)
            new = Deal.objects.latest("id")
            assert (new.status, new.stage) == (status, self.new if status == "open" else stage)

    def test_xalantis(self):
        deal = self.deal(stage=self.offer.pk)
        client = SystemClient(next(api for api in APIS if api.system == "xalantis"))
        for status, stage in (("won", self.won), ("lost", self.lost), ("open", self.offer)):
            call = Call("PATCH", f"/api/v1/deals/{deal.uuid}", {"status": status})
            assert client.as_actor(self.bob, call).status_code == 200
            row = Deal.objects.get(pk=deal.pk)
            assert (row.status, row.stage) == (status, stage)


class AdminTests(StaffTestCase):
    def test_win_and_reopen(self):
        deal = self.deal(stage=self.offer.pk)
        for name, stage in (("win", self.won), ("reopen", self.offer), ("lose", self.lost)):
            self.client.post(action_url(name, deal), {"lost_reason": ""})
            assert Deal.objects.get(pk=deal.pk).stage == stage

    def test_the_form(self):
        deal = self.deal(stage=self.offer.pk)
        self.save(change_url(deal), status="won")
        assert Deal.objects.get(pk=deal.pk).stage == self.won
