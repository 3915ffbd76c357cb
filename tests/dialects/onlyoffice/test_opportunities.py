"""ONLYOFFICE's opportunities beyond their creation: read, replace, move, list, members, access, delete."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_project.journal.models import Event
from deals.models import Deal
from deals.services import update_deals
from tests.base import World
from tests.dialects.base import BaseTestCase, Call, RaceTestCase, Racing
from tests.dialects.onlyoffice.base import Onlyoffice
from tests.factories import CompanyFactory, CustomFieldFactory
from tests.mail.server import silent_server
from tests.staff.base import change_url
from tests.tasks import run_tasks

NOBODY = "00000000-0000-0000-0000-000000000000"
UNSET = "0001-01-01T00:00:00.0000000Z"


class OpportunityCase(Onlyoffice, BaseTestCase):
    def read(self, deal: Deal) -> Any:
        return self.call_as(self.alice, "GET", f"/opportunity/{deal.pk}")["response"]


def sent_back(shown: dict[str, Any]) -> dict[str, Any]:
    """What a client that has read an opportunity sends to replace it with the same."""
    return {
        "opportunityid": shown["id"],
        "contactid": shown.get("contact", {}).get("id", 0),
        "members": [row["id"] for row in shown["members"]],
        "title": shown["title"],
        "description": shown["description"],
        "responsibleid": shown["responsible"]["id"],
        "bidType": shown["bidType"],
        "bidValue": shown["bidValue"],
        "bidCurrencyAbbr": shown["bidCurrency"]["abbreviation"],
        "perPeriodValue": shown["perPeriodValue"],
        "stageid": shown["stage"]["id"],
        "successProbability": shown["successProbability"],
        "actualCloseDate": shown["actualCloseDate"],
        "expectedCloseDate": shown["expectedCloseDate"],
        "isPrivate": shown["isPrivate"],
        "accessList": [row["id"] for row in shown.get("accessList", [])],
        "customFieldList": [{"key": row["id"], "value": row["fieldValue"]} for row in shown["customFields"]],
    }


class TestRoundTrip(OpportunityCase):
    def setUp(self) -> None:
        super().setUp()
        for key, kind, options in (
            ("seats", "number", []),
            ("size", "select", ["S", "M"]),
            ("days", "multiselect", ["Mo", "Tu, We"]),
            ("sure", "checkbox", []),
            ("signed", "date", []),
        ):
            CustomFieldFactory(
                actor=self.alice, key=key, type=kind, **({"options": options} if options else {})
            )

    def kinds(self) -> dict[str, Deal]:
        company = CompanyFactory(actor=self.bob)
        values = {
            "city": "Riga",
            "seats": 12.5,
            "size": "M",
            "days": ["Mo", "Tu, We"],
            "sure": False,
            "signed": "2026-01-31",
        }
        deals = {
            "plain": self.deal(),
            "nameless": self.deal(name="", number="R-17"),
            "periodic": self.deal(bid_type="month", bid_value=1000, bid_periods=12),
            "periodic once": self.deal(bid_type="hour", bid_value="80.50"),
            "gross": self.deal(amount=100, amount_gross=123, tax_rate="23"),
            "private": self.deal(self.alice, is_private=True, access_list=[self.bob.member.pk]),
            "private, nobody listed": self.deal(self.alice, is_private=True),
            "abandoned": self.deal(status="abandoned", amount=5),
            "abandoned in a lost stage": self.deal(stage=self.lost.pk, status="abandoned"),
            "won in an open stage": self.deal(status="won"),
            "won": self.deal(stage=self.won.pk),
            "by hand": self.deal(probability=33),
            "contact": self.deal(contact=self.ann.pk),
            "client alone": self.deal(client=company.pk),
            "both": self.deal(contact=self.ann.pk, client=company.pk, members=[company.pk]),
            "owned": self.deal(owner=self.bob.member.pk, followers=[self.alice.member.pk]),
            "custom": self.deal(custom_fields=values),
            "elsewhere": self.deal(stage=self.renewals.stages.in_order()[1].pk),
            "yen": self.deal(currency="JPY", amount=1000),
            "due": self.deal(expected_close_date=datetime.date(2026, 6, 30), origin="fair", number="7"),
        }
        listed = [self.manager.member.pk]
        update_deals(actor=self.alice, changes=[(deals["plain"], {"access_list": listed})])
        return deals

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        for zone in ("UTC", "America/New_York", "Asia/Kolkata"):
            self.organization.time_zone = zone
            self.organization.save()
            for kind, deal in self.kinds().items():
                before, events = Deal.objects.get(pk=deal.pk).version, Event.objects.count()
                shown = self.read(deal)

                said = self.call_as(self.alice, "PUT", f"/opportunity/{deal.pk}", sent_back(shown))

                assert said["statusCode"] == 200, (kind, said)
                assert said["response"] == shown, kind
                assert Deal.objects.get(pk=deal.pk).version == before, kind
                assert Event.objects.filter(kind="deal").count() <= events, kind

    def test_an_instant_may_come_back_with_fewer_digits(self) -> None:
        deal = self.deal(stage=self.won.pk, owner=self.bob.member.pk)
        body = sent_back(self.read(deal))
        body["actualCloseDate"] = body["actualCloseDate"][:23] + "Z"

        self.call("PUT", f"/opportunity/{deal.pk}", body)

        assert Deal.objects.get(pk=deal.pk).version == deal.version


class TestReplace(OpportunityCase):
    def test_it_replaces_all_that_the_vendor_can_say(self) -> None:
        shown = self.create()
        body = {
            "title": "Other",
            "responsibleid": str(self.alice.member.uuid),
            "stageid": self.offer.pk,
            "bidValue": 7,
        }

        said = self.call("PUT", f"/opportunity/{shown['id']}", body)

        deal = Deal.objects.get(pk=shown["id"])
        assert said["statusCode"] == 200
        assert (deal.name, deal.description, deal.owner, deal.stage) == (
            "Other",
            "",
            self.alice.member,
            self.offer,
        )
        assert (deal.bid_type, deal.amount, deal.bid_value) == ("fixed", 7, None)
        assert (deal.contact, deal.expected_close_date, deal.is_private) == (None, None, False)
        assert deal.probability == 0
        assert list(deal.members.all()) == [self.ann]
        assert deal.custom_fields == {"city": "Riga"}

    def test_it_leaves_what_the_vendor_cannot_say(self) -> None:
        deal = self.deal(
            owner=self.bob.member.pk,
            amount=100,
            amount_gross=123,
            number="17",
            followers=[self.alice.member.pk],
        )
        body = {**sent_back(self.read(deal)), "title": "Renamed"}

        self.call("PUT", f"/opportunity/{deal.pk}", body)

        deal = Deal.objects.get(pk=deal.pk)
        assert (deal.name, deal.amount_gross, deal.number) == ("Renamed", 123, "17")
        assert list(deal.followers.all()) == [self.alice.member]

    def test_title_responsible_and_stage_are_needed(self) -> None:
        shown = self.create()
        for name in ("title", "responsibleid", "stageid"):
            body = {key: value for key, value in self.body().items() if key != name}

            said = self.call("PUT", f"/opportunity/{shown['id']}", body)

            assert said["statusCode"] == 400
            assert name in said["error"]["message"]

    def test_a_stage_of_another_kind_takes_the_deal_along(self) -> None:
        deal = self.deal(status="won", owner=self.bob.member.pk)
        body = {**sent_back(self.read(deal)), "stageid": self.offer.pk}

        shown = self.call("PUT", f"/opportunity/{deal.pk}", body)["response"]

        assert shown["stage"]["stageType"] == 0
        assert shown["actualCloseDate"] == UNSET
        assert Deal.objects.get(pk=deal.pk).status == "open"

    def test_the_client_in_the_answer_is_the_contact_that_can_be_removed(self) -> None:
        deal = self.deal(client=CompanyFactory(actor=self.bob).pk, owner=self.bob.member.pk)

        self.call("PUT", f"/opportunity/{deal.pk}", {**sent_back(self.read(deal)), "contactid": 0})

        assert Deal.objects.get(pk=deal.pk).client is None

    def test_who_may_not_see_it_cannot_replace_it(self) -> None:
        private = self.deal(self.alice, is_private=True)

        assert self.call("PUT", f"/opportunity/{private.pk}", self.body())["statusCode"] == 404


class TestMove(OpportunityCase):
    def test_it_takes_the_stages_status_and_probability(self) -> None:
        deal = self.deal(probability=33)

        shown = self.call("PUT", f"/opportunity/{deal.pk}/stage/{self.offer.pk}")["response"]
        assert (shown["stage"]["id"], shown["successProbability"]) == (self.offer.pk, 50)

        shown = self.call("PUT", f"/opportunity/{deal.pk}/stage/{self.won.pk}")["response"]
        assert (shown["stage"]["stageType"], shown["successProbability"]) == (1, 100)
        assert shown["actualCloseDate"] != UNSET

        shown = self.call("PUT", f"/opportunity/{deal.pk}/stage/{self.new.pk}.json")["response"]
        assert (shown["stage"]["stageType"], shown["successProbability"]) == (0, 10)
        assert shown["actualCloseDate"] == UNSET

    def test_a_named_stage_comes_before_the_paths(self) -> None:
        deal = self.deal()

        said = self.call("PUT", f"/opportunity/{deal.pk}/stage/{self.won.pk}", {"stageId": self.offer.pk})

        assert said["response"]["stage"]["id"] == self.offer.pk

    def test_it_reopens_what_was_won_without_a_move(self) -> None:
        deal = self.deal(status="won")

        self.call("PUT", f"/opportunity/{deal.pk}/stage/{self.new.pk}")

        assert Deal.objects.get(pk=deal.pk).status == "open"

    def test_an_unknown_stage_is_not_found(self) -> None:
        deal = self.deal()

        assert self.call("PUT", f"/opportunity/{deal.pk}/stage/999999")["statusCode"] == 404


class TestShown(OpportunityCase):
    def test_the_status_shows_in_the_stage(self) -> None:
        for status, kind, probability in (("won", 1, 100), ("lost", 2, 0), ("abandoned", 2, 0)):
            shown = self.read(self.deal(status=status, stage=self.new.pk))

            assert (shown["stage"]["title"], shown["stage"]["stageType"]) == ("New", kind)
            assert (shown["stage"]["successProbability"], shown["successProbability"]) == (
                probability,
                probability,
            )

    def test_stages_of_other_pipelines_are_distinguished(self) -> None:
        shown = self.read(self.deal(stage=self.renewals.stages.in_order()[1].pk))

        assert shown["stage"]["title"] == "Renewals: Offer"

    def test_an_opportunity_without_a_responsible(self) -> None:
        shown = self.read(self.deal())

        assert shown["responsible"]["id"] == NOBODY
        assert "contact" not in shown
        assert shown["accessList"] == []

    def test_a_client_beside_a_contact_is_a_member(self) -> None:
        acme = self.person(kind="company", name="Acme", first_name="", last_name="")
        deal = self.deal(contact=self.ann.pk, client=acme.pk, owner=self.bob.member.pk)
        shown = self.read(deal)
        path, version = f"/opportunity/{deal.pk}", Deal.objects.get(pk=deal.pk).version

        assert [member["displayName"] for member in shown["members"]] == ["Ann Lee", "Acme"]
        assert {"accessList", "currency"} <= shown["members"][1].keys()
        sent = {
            "title": shown["title"],
            "stageid": self.new.pk,
            "contactid": self.ann.pk,
            "responsibleid": str(self.bob.member.uuid),
            "members": [self.ann.pk, acme.pk],
            "successProbability": shown["successProbability"],
        }
        assert self.call("PUT", path, sent)["statusCode"] == 200
        assert Deal.objects.get(pk=deal.pk).version == version
        assert self.call("DELETE", f"{path}/contact/{acme.pk}")["statusCode"] == 400

    def test_bids_are_multiplied(self) -> None:
        self.create(bidType="PerMonth", bidValue=1000, perPeriodValue=12)

        assert Deal.objects.get().amount == 12_000

    def test_a_fixed_bid_has_no_periods(self) -> None:
        shown = self.create(bidType=0, bidValue=Decimal("99.5").__float__(), perPeriodValue=12)

        assert (shown["bidType"], shown["bidValue"], shown["perPeriodValue"]) == (0, 99.5, 0)
        assert Deal.objects.get().amount == Decimal("99.5")

    def test_what_is_absent_has_the_vendors_default(self) -> None:
        bob = str(self.bob.member.uuid)

        said = self.call("POST", "/opportunity", {"title": "T", "responsibleid": bob, "stageid": self.new.pk})

        shown = said["response"]
        assert (shown["bidCurrency"]["abbreviation"], shown["successProbability"]) == ("EUR", 0)
        assert Deal.objects.get().amount is None

    def test_days_are_days_in_every_zone(self) -> None:
        self.organization.time_zone = "Europe/Riga"
        self.organization.save()
        for text in (
            "2026-06-30",
            "2026-06-30T00:00:00.0000000+03:00",
            "2026-06-30T00:00:00Z",
            "2026-06-29T21:00:00.000Z",
            "2026-06-30T00-00-00",
            "2026-06-30T12:30:00",
        ):
            shown = self.create(expectedCloseDate=text)

            assert shown["expectedCloseDate"] == "2026-06-30T00:00:00.0000000+03:00", text

    def test_a_closing_in_the_past_is_stored(self) -> None:
        shown = self.create(stageid=self.won.pk, actualCloseDate="2025-01-31T10:00:00Z")

        assert shown["actualCloseDate"] == "2025-01-31T10:00:00.0000000Z"

    def test_private_with_an_empty_list_stays_private(self) -> None:
        shown = self.create(accessList=[])

        assert shown["isPrivate"]
        assert shown["accessList"] == []


class TestList(OpportunityCase):
    def ids(self, **query: str) -> list[int]:
        said = self.call("GET", "/opportunity/filter", **query)
        assert said["statusCode"] == 200, said
        return [row["id"] for row in said["response"]]

    def test_pages(self) -> None:
        made = [self.deal(name=f"Deal {n}").pk for n in range(5)]

        said = self.call("GET", "/opportunity/filter", count="2", startIndex="2", sortBy="id")
        assert [row["id"] for row in said["response"]] == made[2:4]
        assert {key: said[key] for key in ("count", "startIndex", "nextIndex", "total")} == {
            "count": 2,
            "startIndex": 2,
            "nextIndex": 4,
            "total": 5,
        }

        said = self.call("GET", "/opportunity/filter.json", count="100")
        assert (said["count"], said["total"]) == (5, 5)
        assert not {"startIndex", "nextIndex"} & said.keys()

        said = self.call("GET", "/opportunity/filter", count="2", startIndex="9")
        assert said == {"startIndex": 9, "total": 5, "status": 0, "statusCode": 200, "response": []}

    def test_orders(self) -> None:
        cheap = self.deal(
            name="B", amount=1, stage=self.offer.pk, expected_close_date=datetime.date(2026, 1, 1)
        )
        dear = self.deal(name="A", amount=2, expected_close_date=datetime.date(2026, 2, 1))

        assert self.ids() == [dear.pk, cheap.pk]
        for name in ("bidvalue", "dateAndTime", "id"):
            assert self.ids(sortBy=name) == [cheap.pk, dear.pk]
        assert self.ids(sortBy="title") == [dear.pk, cheap.pk]
        assert self.ids(sortBy="title", sortOrder="descending") == [cheap.pk, dear.pk]

    def test_what_is_unknown_comes_last_in_both_directions(self) -> None:
        day = datetime.date(2026, 1, 1)
        unknown = self.deal(name="U")
        known = [
            self.deal(amount=number, owner=actor.member.pk, expected_close_date=day.replace(day=number))
            for number, actor in ((1, self.alice), (2, self.bob))
        ]
        first, second = (deal.pk for deal in known)

        for name in ("bidvalue", "dateAndTime", "responsible"):
            assert self.ids(sortBy=name) == [first, second, unknown.pk], name
            assert self.ids(sortBy=name, sortOrder="descending") == [second, first, unknown.pk], name

    def test_filters(self) -> None:
        company = CompanyFactory(actor=self.bob)
        hit = self.deal(
            name="Élan",
            owner=self.bob.member.pk,
            stage=self.offer.pk,
            contact=self.ann.pk,
            members=[company.pk],
            status="abandoned",
        )
        self.deal(name="Other")
        today = timezone.now().date()

        for query in (
            {"responsibleid": str(self.bob.member.uuid)},
            {"opportunityStagesid": str(self.offer.pk)},
            {"stageType": "2"},
            {"stageType": "ClosedAndLost"},
            {"contactid": str(self.ann.pk)},
            {"contactid": str(company.pk), "contactAlsoIsParticipant": "true"},
            {"filterValue": "elan"},
            {"fromDate": str(today), "toDate": str(today + datetime.timedelta(days=1))},
        ):
            assert self.ids(**query) == [hit.pk], query
        for query in (
            {"contactid": str(company.pk)},
            {"contactid": "999999"},
            {"opportunityStagesid": "999999"},
            {"responsibleid": str(self.charlie.member.uuid)},
            {"tags": "vip"},
            {"stageType": "1"},
        ):
            assert self.ids(**query) == [], query

    def test_fields_are_chosen(self) -> None:
        self.deal(name="Deal")

        said = self.call("GET", "/opportunity/filter", fields="ID,title")

        assert [set(row) for row in said["response"]] == [{"id", "title"}]

    def test_its_queries_are_a_fixed_number(self) -> None:
        def make(n: int) -> None:
            for _ in range(n):
                person = self.person()
                self.deal(contact=person.pk, members=[person.pk], custom_fields={"city": "Riga"})

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                self.ids()
            return len(captured)

        make(1)
        queries()  # reads the stages, which are kept
        few = queries()
        make(4)

        assert queries() == few

    def test_by_prefix_and_by_contact(self) -> None:
        hit = self.deal(name="Hôtel", contact=self.ann.pk)
        self.deal(name="Other", description="Hotel")
        self.deal(name="", description="Hotel")

        for path, query in (
            ("/opportunity/byprefix", {"prefix": "hot"}),
            ("/opportunity/byprefix", {"prefix": "hot", "contactID": str(self.ann.pk)}),
            (f"/opportunity/bycontact/{self.ann.pk}", {}),
        ):
            assert [row["id"] for row in self.call("GET", path, **query)["response"]] == [hit.pk]

    def test_it_hides_other_organizations_and_private_deals(self) -> None:
        self.deal(self.charlie)
        self.deal(self.alice, is_private=True)

        assert self.ids() == []

    def test_there_are_no_tags(self) -> None:
        deal = self.deal()

        for path in ("/opportunity/tag", f"/opportunity/tag/{deal.pk}"):
            assert self.call("GET", path)["response"] == []


class TestDelete(OpportunityCase):
    def test_a_deletion_answers_the_row(self) -> None:
        deal = self.deal(name="Gone")

        said = self.call("DELETE", f"/opportunity/{deal.pk}")

        assert said["response"]["title"] == "Gone"
        assert self.call("GET", f"/opportunity/{deal.pk}")["statusCode"] == 404

    def test_several_by_their_ids(self) -> None:
        deals = [self.deal() for _ in range(3)]

        said = self.call("PUT", "/opportunity", {"opportunityids": [deal.pk for deal in deals[:2]]})

        assert [row["id"] for row in said["response"]] == [deal.pk for deal in deals[:2]]
        assert [deal.pk for deal in Deal.objects.live()] == [deals[2].pk]

    def test_an_unknown_one_saves_all(self) -> None:
        deal = self.deal()

        for ids in ([deal.pk, 999999], [], None):
            assert self.call("PUT", "/opportunity", {"opportunityids": ids})["statusCode"] == 400
        assert Deal.objects.live().count() == 1

    def test_all_that_match(self) -> None:
        self.deal(name="Hotel")
        stays = self.deal(name="Other")

        said = self.call("DELETE", "/opportunity/filter", filterValue="hotel")

        assert said["count"] == 1
        assert [deal.pk for deal in Deal.objects.live()] == [stays.pk]

    def test_a_slip_deletes_nothing(self) -> None:
        self.deal()

        for query in ({}, {"responsible": str(self.bob.member.uuid)}, {"count": "5"}):
            assert self.call("DELETE", "/opportunity/filter", **query)["statusCode"] == 400
        assert Deal.objects.live().count() == 1


class TestMembers(OpportunityCase):
    def test_they_come_and_go(self) -> None:
        deal, other = self.deal(contact=self.ann.pk), self.person(last_name="Other")
        path = f"/opportunity/{deal.pk}/contact"

        assert self.call("POST", f"{path}/{other.pk}")["statusCode"] == 201
        assert [row["id"] for row in self.call("GET", path)["response"]] == [self.ann.pk, other.pk]
        assert self.call("DELETE", f"{path}/{other.pk}.json")["response"]["id"] == other.pk
        assert [row["id"] for row in self.call("GET", path)["response"]] == [self.ann.pk]

    def test_the_contact_stays(self) -> None:
        deal = self.deal(contact=self.ann.pk)

        assert self.call("DELETE", f"/opportunity/{deal.pk}/contact/{self.ann.pk}")["statusCode"] == 400

    def test_an_unknown_contact_is_not_found(self) -> None:
        assert self.call("POST", f"/opportunity/{self.deal().pk}/contact/999999")["statusCode"] == 404


class TestAccess(OpportunityCase):
    def test_those_on_the_list_are_notified_after_the_answer(self) -> None:
        people = [str(actor.member.uuid) for actor in (self.manager, self.viewer)]
        with silent_server() as server:
            created = self.create(isPrivate=True, accessList=people, isNotify=True, title="Big one")
            assert server.connections == 0

        run_tasks()

        assert sorted(letter.to[0] for letter in mail.outbox) == ["mary@example.com", "victor@example.com"]
        assert "“Big one”" in mail.outbox[0].subject
        assert change_url(Deal.objects.get(pk=created["id"])) in mail.outbox[0].body

    def test_a_notification_of_a_public_one_is_ignored_and_named(self) -> None:
        access = {"accessList": [str(self.manager.member.uuid)]}
        for values, named in (({"accessList": []}, "isNotify"), (access, "accessList, isNotify")):
            answer = self.as_actor(self.bob, self.create_call(isPrivate=False, isNotify=True, **values))

            assert (answer.status_code, answer["X-Ignored-Fields"]) == (201, named), answer.content
        run_tasks()
        assert mail.outbox == []

    def test_a_probability_beyond_its_range_is_the_nearest_one_and_named(self) -> None:
        for sent, shown in ((101, 100), (-5, 0)):
            answer = self.as_actor(self.bob, self.create_call(successProbability=sent))

            assert answer.json()["response"]["successProbability"] == shown
            assert answer["X-Ignored-Fields"] == "successProbability"

    def test_of_one_with_oneself_on_the_list(self) -> None:
        deal = self.deal()
        body = {"isPrivate": True, "accessList": [str(self.manager.member.uuid)]}

        shown = self.call("PUT", f"/opportunity/{deal.pk}/access", body)["response"]
        assert shown["isPrivate"]
        assert {row["displayName"] for row in shown["accessList"]} == {"Bob", "Mary"}

        shown = self.call("PUT", f"/opportunity/{deal.pk}/access", {"isPrivate": False})["response"]
        assert not shown["isPrivate"]
        assert self.manager.member not in Deal.objects.get(pk=deal.pk).access_list.all()

    def test_of_several_and_of_all_that_match(self) -> None:
        deals = [self.deal(name="Hotel") for _ in range(2)]
        body = {"opportunityid": [deal.pk for deal in deals], "isPrivate": True}

        assert self.call("PUT", "/opportunity/access", body)["count"] == 2
        assert Deal.objects.filter(is_private=True).count() == 2
        assert self.call("PUT", "/opportunity/filter/access", {"isPrivate": False})["statusCode"] == 400
        said = self.call("PUT", "/opportunity/filter/access", {"isPrivate": False, "filterValue": "hotel"})
        assert said["count"] == 2
        assert not Deal.objects.filter(is_private=True).exists()

    def test_only_insiders_set_it(self) -> None:
        deal = self.deal(self.alice)

        said = self.call("PUT", f"/opportunity/{deal.pk}/access", {"isPrivate": True})

        assert (said["statusCode"], said["error"]["message"]) == (403, "Access denied")


@pytest.mark.race
class TestRaces(Onlyoffice, Racing, RaceTestCase):
    deal = World.deal
    person = World.person

    def test_many_deletions_at_once_delete_once(self) -> None:
        deal = self.deal()

        answers = self.race(Call("DELETE", f"{self.path}/{deal.pk}"), self.bob)

        assert sorted(answer.status_code for answer in answers) == [200] + [404] * (self.callers - 1)

    def test_many_identical_replacements_at_once_change_once(self) -> None:
        deal = self.deal(owner=self.bob.member.pk)
        body = self.body(contactid=0, members=[], isPrivate=False, accessList=[])

        answers = self.race(Call("PUT", f"{self.path}/{deal.pk}", body), self.bob)

        assert {answer.status_code for answer in answers} == {200}
        assert Deal.objects.get(pk=deal.pk).version == deal.version + 1
