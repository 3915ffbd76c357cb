"""`/api/pipelines/{id}/board`: columns, sums and cards equal a computation over what each person may see."""

import datetime
import random
from collections import defaultdict
from decimal import Decimal
from urllib.parse import urlsplit

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_project.saved_views.services import create_saved_view
from deals.models import Deal, DealAccess
from deals.services import create_deals, trash_deals, update_deals
from tests.api.client import ApiTestCase, problem
from tests.base import stages_of
from tests.factories import CompanyFactory, PersonFactory, StageFactory

DEALS = 120
SIZE = 4
FILTERS = (
    {},
    {"amount_min": "200"},
    {"currency": "EUR"},
    {"q": "roof"},
    {"expected_close_date_after": "2027-02-01", "expected_close_date_before": "2027-06-30"},
    {"probability_min": "40"},
    {"owner": "none"},
    {"status": "won,lost"},
)
ORDERINGS = ("-stage_entered_at", "stage_entered_at", "-amount", "expected_close_date", "-name")


class BoardTestCase(ApiTestCase):
    def board(self, client=None, pipeline=None, **parameters):
        path = f"/api/pipelines/{(pipeline or self.pipeline).pk}/board"
        answer = (client or self.as_bob).get(path, **parameters)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def column(self, stage, client=None, **parameters):
        columns = self.board(client, **parameters)["columns"]
        return next(column for column in columns if column["stage"]["id"] == stage.pk)


class EqualityTests(BoardTestCase):
    """Random deals of everybody, a third of them private, some with an access list."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.random = random.Random(7)
        cls.actors = (cls.alice, cls.manager, cls.bob)
        stages = [*stages_of(cls.pipeline), *stages_of(cls.renewals)]
        cls.deals = []
        for number in range(DEALS):
            actor = cls.random.choice(cls.actors)
            change = cls.change(number, cls.random.choice(stages))
            cls.deals += create_deals(actor=actor, changes=[change])
        trash_deals(actor=cls.alice, rows=cls.deals[:5])
        for deal in Deal.objects.filter(pk__in=[deal.pk for deal in cls.deals]):
            entered = timezone.now() - datetime.timedelta(hours=cls.random.randrange(2000))
            Deal.objects.filter(pk=deal.pk).update(stage_entered_at=entered)

    @classmethod
    def change(cls, number, stage):
        members = [None, *(actor.member.pk for actor in (*cls.actors, cls.viewer))]
        private = cls.random.random() < 0.33
        return {
            "name": f"{cls.random.choice(('Roof', 'Pool', 'Barn'))} {cls.random.randrange(50)}",
            "amount": cls.random.choice((None, Decimal(cls.random.randrange(1000)))),
            "currency": cls.random.choice(("EUR", "EUR", "USD", "JPY")),
            "stage": stage.pk,
            "owner": cls.random.choice(members),
            "probability": cls.random.choice((None, 33, 77)) if stage.kind == "open" else None,
            "expected_close_date": cls.random.choice(
                (None, datetime.date(2027, 1, 1) + datetime.timedelta(days=number * 2))
            ),
            "is_private": private,
            "access_list": [cls.viewer.member.pk] if private and number % 3 == 0 else [],
        }

    def people(self):
        roles = (self.as_viewer, self.viewer), (self.as_bob, self.bob)
        return (*roles, (self.as_manager, self.manager), (self.as_alice, self.alice))

    def visible(self, actor):
        """What the member may see, by hand."""
        listed = set(DealAccess.objects.filter(member=actor.member).values_list("deal", flat=True))
        rows = Deal.objects.filter(organization=self.organization, deleted_at=None).select_related("stage")
        own = actor.member.pk
        return [
            deal
            for deal in rows
            if actor.member.role == "admin"
            or not deal.is_private
            or own in (deal.owner_id, deal.created_by_id)
            or deal.pk in listed
        ]

    def test_every_role_sees_what_a_loop_over_its_deals_finds(self):
        for client, actor in self.people():
            by_stage = defaultdict(list)
            for deal in self.visible(actor):
                if deal.status == "open":
                    by_stage[deal.stage_id].append(deal)
            for pipeline in (self.pipeline, self.renewals):
                board = self.board(client, pipeline, page_size=SIZE)
                assert [column["stage"]["name"] for column in board["columns"]] == [
                    stage.name for stage in stages_of(pipeline)
                ]
                for column in board["columns"]:
                    self.check(column, by_stage[column["stage"]["id"]])

    def check(self, column, deals):
        assert column["count"] == len(deals)
        totals = defaultdict(lambda: [0, Decimal(0), Decimal(0)])
        for deal in deals:
            total = totals[deal.currency]
            total[0] += 1
            total[1] += deal.amount or 0
            total[2] += (deal.amount or Decimal(0)) * deal.effective_probability / 100
        found = {
            total["currency"]: (total["count"], Decimal(total["amount"]), Decimal(total["weighted_amount"]))
            for total in column["totals"]
        }
        places = {"EUR": "0.01", "USD": "0.01", "JPY": "1"}
        assert found == {
            currency: (count, amount, weighted.quantize(Decimal(places[currency]), "ROUND_HALF_UP"))
            for currency, (count, amount, weighted) in totals.items()
        }
        latest = sorted(deals, key=lambda deal: (deal.stage_entered_at, deal.pk), reverse=True)
        assert [card["uuid"] for card in column["cards"]] == [str(deal.uuid) for deal in latest[:SIZE]]
        assert (column["next"] is not None) == (len(deals) > SIZE)

    def test_sums_equal_the_summary_of_the_list_with_the_same_filters(self):
        for client, _ in self.people():
            for filters in FILTERS:
                for column in self.board(client, page_size=1, **filters)["columns"]:
                    listed = {"status": "open", **filters, "stage": column["stage"]["id"]}
                    summary = client.get("/api/deals/summary", **listed).json()
                    assert column["count"] == summary["count"], filters
                    names = ("currency", "count", "amount", "weighted_amount", "amount_base", "without_rate")
                    if "," in listed["status"]:
                        continue  # the summary is by status, too
                    assert column["totals"] == [
                        {name: total[name] for name in names} for total in summary["totals"]
                    ], filters

    def test_sums_under_a_saved_view_equal_the_summary_of_the_list_under_it(self):
        stored = [
            {"q": "roof"},
            {"status": "open", "amount_min": "200", "currency": "EUR"},
            {"owner": str(self.bob.member.uuid), "status": "won"},
            {"pipeline": str(self.renewals.pk)},
            {"stage": str(self.new.pk), "probability_min": "40"},
        ]
        views = [
            create_saved_view(
                actor=self.manager,
                change={"name": "V", "list": "deals", "is_shared": True, "filters": filters},
            )
            for filters in stored
        ]
        names = ("currency", "count", "amount", "weighted_amount", "amount_base", "without_rate")
        for client, _ in self.people():
            for filters, view in zip(stored, views, strict=True):
                shown = {} if "status" in filters else {"status": "open"}
                found = {"view": str(view.uuid)}
                for pipeline in (self.pipeline, self.renewals):
                    for column in self.board(client, pipeline, page_size=1, **found)["columns"]:
                        stage = column["stage"]["id"]
                        if "stage" in filters and str(stage) != filters["stage"]:
                            assert column["count"] == 0
                            continue
                        listed = {**found, **shown, "stage": stage}
                        summary = client.get("/api/deals/summary", **listed).json()
                        assert column["count"] == summary["count"], filters
                        assert column["totals"] == [
                            {name: total[name] for name in names} for total in summary["totals"]
                        ], filters

    def test_the_pages_of_a_column_have_every_card_once_and_in_order(self):
        for ordering in ORDERINGS:
            for column in self.board(page_size=SIZE, ordering=ordering)["columns"]:
                cards, url = list(column["cards"]), column["next"]
                while url:
                    page = self.as_bob.get(url.removeprefix("http://testserver")).json()
                    assert page["results"]
                    cards, url = cards + page["results"], page["next"]
                filters = {"status": "open", "stage": column["stage"]["id"], "page_size": 200}
                if ordering.strip("-") == "stage_entered_at":
                    assert len(cards) == column["count"]
                    entered = [card["stage_entered_at"] for card in cards]
                    assert entered == sorted(entered, reverse=ordering.startswith("-"))
                else:
                    listed = self.as_bob.rows("/api/deals", ordering=ordering, **filters)
                    assert [card["uuid"] for card in cards] == [deal["uuid"] for deal in listed], ordering


class CardTests(BoardTestCase):
    def test_a_card(self):
        company = CompanyFactory(actor=self.alice, name="Acme")
        person = PersonFactory(actor=self.alice, first_name="Ann", company=company.pk)
        deal = self.deal(
            name="Roof",
            amount="100",
            stage=self.offer.pk,
            contact=person.pk,
            owner=self.bob.member.pk,
            expected_close_date="2024-03-01",
        )
        entered = timezone.now() - datetime.timedelta(days=12, hours=1)
        Deal.objects.filter(pk=deal.pk).update(stage_entered_at=entered)

        (card,) = self.column(self.offer)["cards"]

        assert card["uuid"] == str(deal.uuid)
        assert card["version"] == deal.version
        assert (card["name"], card["amount"], card["currency"]) == ("Roof", "100.00", "EUR")
        assert card["customer"] == {"uuid": str(company.uuid), "full_name": "Acme", "kind": "company"}
        assert card["owner"]["full_name"] == "Bob"
        assert (card["expected_close_date"], card["is_overdue"]) == ("2024-03-01", True)
        assert card["days_in_stage"] == 12

    def test_the_customer_is_the_client_else_the_company_else_the_contact(self):
        company, other = (CompanyFactory(actor=self.alice, name=name) for name in ("Acme", "Other"))
        person = PersonFactory(actor=self.alice, first_name="Ann", last_name="Lee", company=company.pk)
        alone = PersonFactory(actor=self.alice, first_name="Zoe", last_name="Day")
        self.deal(name="client", contact=person.pk, client=other.pk)
        self.deal(name="company", contact=person.pk)
        self.deal(name="contact", contact=alone.pk)
        self.deal(name="nobody")

        cards = self.column(self.new)["cards"]

        assert {card["name"]: card["customer"] and card["customer"]["full_name"] for card in cards} == {
            "client": "Other",
            "company": "Acme",
            "contact": "Zoe Day",
            "nobody": None,
        }

    def test_a_card_is_moved_with_its_version(self):
        deal = self.deal(name="Roof", stage=self.new.pk)
        (card,) = self.column(self.new)["cards"]
        update_deals(actor=self.alice, changes=[(deal, {"stage": self.offer.pk})])

        headers = {"headers": {"If-Match": f'"{card["version"]}"'}}
        stale = self.as_bob.send("PATCH", f"/api/deals/{card['uuid']}", {"status": "won"}, **headers)
        (card,) = self.column(self.offer)["cards"]
        headers = {"headers": {"If-Match": f'"{card["version"]}"'}}
        moved = self.as_bob.send("PATCH", f"/api/deals/{card['uuid']}", {"status": "won"}, **headers)

        problem(stale, 412, "precondition_failed")
        assert moved.json()["stage"]["name"] == "Won"


class ParameterTests(BoardTestCase):
    def test_closed_deals_are_shown_on_demand(self):
        self.deal(name="Lost one", status="lost")
        self.deal(name="Open one")

        assert self.column(self.lost)["count"] == 0
        assert self.column(self.lost, status="lost")["count"] == 1
        assert self.column(self.new, status="lost")["count"] == 0
        assert self.column(self.new, status="open,lost")["count"] == 1

    def test_wrong_parameters_are_named(self):
        path = f"/api/pipelines/{self.pipeline.pk}/board"
        wrong = {"page_size": "0", "ordering": "uuid", "amount_min": "x", "nothing": "1"}

        answer = self.as_bob.get(path, **wrong)

        problem(answer, 400, "invalid", *(f"/{name}" for name in wrong))
        assert self.as_bob.get(path, cursor="x").status_code == 400

    def test_a_saved_view_filters_and_sorts_the_board_and_its_columns(self):
        for number in range(4):
            self.deal(name=f"Roof {number}", amount=number * 100)
        change = {"name": "V", "list": "deals", "filters": {"amount_min": "100"}, "ordering": "-amount"}
        view = create_saved_view(actor=self.bob, change=change)

        column = self.column(self.new, view=str(view.uuid), page_size=2)

        assert [card["name"] for card in column["cards"]] == ["Roof 3", "Roof 2"]
        page = self.as_bob.get(column["next"].removeprefix("http://testserver")).json()
        assert [card["name"] for card in page["results"]] == ["Roof 1"]
        path = f"/api/pipelines/{self.pipeline.pk}/board"
        problem(self.as_alice.get(path, view=str(view.uuid)), 400, "invalid", "/view")

    def test_an_order_that_boards_do_not_have_is_left_out(self):
        deals = [self.deal(name=name) for name in ("Roof", "Pool")]
        change = {"name": "V", "list": "deals", "filters": {"status": "open"}, "ordering": "updated_at"}
        view = str(create_saved_view(actor=self.bob, change=change).uuid)

        cards = self.column(self.new, view=view)["cards"]
        path = f"/api/pipelines/{self.pipeline.pk}/board/{self.new.pk}"
        page = self.as_bob.get(path, view=view).json()["results"]

        latest = [str(deal.uuid) for deal in reversed(deals)]
        assert [card["uuid"] for card in cards] == [card["uuid"] for card in page] == latest

    def test_a_column_of_another_pipeline_is_not_found(self):
        stage = stages_of(self.renewals)[0]
        trashed = StageFactory(actor=self.alice, pipeline=self.pipeline.pk)
        self.as_alice.delete(f"/api/stages/{trashed.pk}")

        for other in (stage, trashed, stages_of(self.theirs)[0]):
            answer = self.as_bob.get(f"/api/pipelines/{self.pipeline.pk}/board/{other.pk}")
            problem(answer, 404, "not_found")

    def test_the_next_page_keeps_the_filters(self):
        for number in range(6):
            self.deal(name=f"Roof {number}", amount=number * 100)

        column = self.column(self.new, q="roof", amount_min="200", page_size=2)

        url = urlsplit(column["next"])
        page = self.as_bob.get(f"{url.path}?{url.query}").json()
        assert (len(column["cards"]), len(page["results"]), page["next"]) == (2, 2, None)

    def test_the_number_of_queries_is_the_same_for_any_number_of_stages_and_cards(self):
        path = f"/api/pipelines/{self.pipeline.pk}/board"
        self.deal(contact=self.person().pk)
        few = self.count(path), self.count(f"{path}/{self.new.pk}")
        for _ in range(12):
            stage = StageFactory(actor=self.alice, pipeline=self.pipeline.pk)
            for number in range(3):
                self.deal(name=f"{stage.name} {number}", stage=stage.pk, contact=self.person().pk)
                self.deal(contact=self.person().pk, owner=self.alice.member.pk)

        assert (self.count(path), self.count(f"{path}/{self.new.pk}")) == few

    def count(self, path):
        self.as_bob.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert self.as_bob.get(path).status_code == 200
        return len(queries)
