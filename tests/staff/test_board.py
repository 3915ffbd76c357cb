"""The board in the admin, without its script: what it shows to whom, its acts as forms, and what the script gets."""

import datetime
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm_project.accounts.rules import Role
from crm_project.journal.models import Event
from crm_project.saved_views.models import SavedView
from crm_project.saved_views.services import create_saved_view
from deals.models import Deal
from deals.services import trash_deals, update_deals
from pipelines.models import Stage
from pipelines.services import update_stage
from tests.base import stages_of
from tests.factories import (
    ActorFactory,
    CompanyFactory,
    LostReasonFactory,
    PersonFactory,
    PipelineFactory,
    StageFactory,
)
from tests.staff.base import StaffTestCase, list_url

LARGEST = 60_000
CARD = re.compile(r'<li id="d(\d+)" data-v="(\d+)">(.*?)</li>', re.DOTALL)
COUNT = re.compile(r'aria-label="(\d+) deals? in the list"')


class BoardTestCase(StaffTestCase):
    def url(self, pipeline=None, query=""):
        path = reverse("admin:deals_deal_board", args=[(pipeline or self.pipeline).pk])
        return f"{path}?{query}" if query else path

    def board(self, query="", pipeline=None):
        return self.page(self.url(pipeline, query))

    def column(self, stage, query=""):
        """(the number that the column names, the ids of its cards)."""
        page = self.board(query)
        part = page.partition(f'data-to="{stage.pk}"')[2].partition("</section>")[0]
        return int(COUNT.search(part)[1]), [int(card[0]) for card in CARD.findall(part)]

    def send(self, act, query="", script=False, **sent):
        url = reverse(f"admin:deals_deal_board_{act}", args=[self.pipeline.pk])
        headers = {"accept": "application/json"} if script else {}
        return self.client.post(f"{url}?{query}" if query else url, sent, headers=headers)

    def move(self, deal, to, version=None, **sent):
        return self.send("move", deal=deal.pk, version=version or deal.version, to=str(to), **sent)

    def script_move(self, deal, to, **sent):
        return self.move(deal, to, script=True, **sent).json()


class PauseTests(BoardTestCase):
    def card_of(self, deal):
        return next(card[2] for card in CARD.findall(self.board()) if card[0] == str(deal.pk))

    def test_a_card_is_marked_when_it_stands_for_too_long_and_says_until_when_it_is_paused(self):
        update_stage(actor=self.alice, stage=self.new, change={"stale_after_days": 5})
        deal, other = self.deal(name="Roof"), self.deal(name="Wall", stage=self.offer.pk)
        old = timezone.now() - datetime.timedelta(days=6)
        Deal.objects.update(stage_entered_at=old)
        mark = re.compile(r'<small class=crm-late title="[^"]+">6 d in stage')

        assert mark.search(self.card_of(deal))
        assert not mark.search(self.card_of(other)), "30 days are its limit"
        update_deals(
            actor=self.bob,
            changes=[(deal, {"paused_until": datetime.date(2999, 1, 31), "pause_reason": '"><b>Budget'})],
        )
        card = self.card_of(deal)
        assert not mark.search(card)
        assert 'title="&quot;&gt;&lt;b&gt;Budget">paused until 31 Jan 2999<' in card
        Deal.objects.filter(pk=deal.pk).update(paused_until=datetime.date(2026, 1, 1))
        assert mark.search(self.card_of(deal))
        assert "paused" not in self.card_of(deal)


class PageTests(BoardTestCase):
    def test_a_card(self):
        company = CompanyFactory(actor=self.alice, name="Acme & Sons")
        person = PersonFactory(actor=self.alice, company=company.pk)
        deal = self.deal(
            name="<b>Roof</b>",
            amount="1500.50",
            contact=person.pk,
            owner=self.bob.member.pk,
            expected_close_date="2024-03-01",
        )
        entered = timezone.now() - datetime.timedelta(days=12, hours=1)
        Deal.objects.filter(pk=deal.pk).update(stage_entered_at=entered)

        card = CARD.search(self.board())

        assert (int(card[1]), int(card[2])) == (deal.pk, deal.version)
        assert f'href="../../{deal.pk}/change/"' in card[3]
        for text in (
            "&lt;b&gt;Roof",
            "Acme &amp; Sons",
            "1,500.50 EUR",
            "1 Mar 2024, overdue",
            "Bob",
            "12 d in",
        ):
            assert text in card[3], text

    def test_the_sidebar_leads_to_the_default_pipeline_and_keeps_filters(self):
        other = PipelineFactory(actor=self.alice, name="Other", is_default=True)

        answer = self.client.get(reverse("admin:deals_deal_board_default") + "?q=roof")

        assert answer["Location"] == self.url(other, "q=roof")

    def test_closing_stages_are_columns_only_if_their_deals_are_shown(self):
        won = self.deal(name="Done", status="won")

        assert f'data-to="{self.won.pk}"' not in self.board()
        assert self.column(self.won, "status=any") == (1, [won.pk])
        assert self.column(self.won, "status=won") == (1, [won.pk])
        assert self.column(self.new, "status=won") == (0, [])

    def test_the_filters_are_those_of_the_list_and_the_number_links_to_the_same_deals(self):
        self.deal(name="Small roof", amount="10", owner=self.bob.member.pk, expected_close_date="2027-01-05")
        self.deal(name="Large roof", amount="900", owner=self.bob.member.pk, expected_close_date="2027-02-05")
        self.deal(name="Pool", amount="500", owner=self.alice.member.pk, currency="USD", is_private=True)
        self.deal(name="Won roof", status="won", amount="500")
        queries = (
            "",
            "q=roof",
            f"owner={self.bob.member.pk}",
            "amount_from=400",
            "expected_close_date_from=2027-02-01&expected_close_date_to=2027-02-28",
            "currency=USD",
            "is_private=yes",
            "status=any&amount_to=500",
        )
        counts = {}
        for query in queries:
            for url, count in self.links(self.board(query)):
                listed = re.findall(r'class="field-title', self.page(url))
                assert len(listed) == int(count), (query, url)
                counts[query] = counts.get(query, 0) + int(count)
        assert counts == dict(zip(queries, (3, 1 + 1, 2, 2, 1, 1, 1, 3), strict=True))

    def links(self, page):
        found = re.findall(r'<a href="([^"]+)" aria-label="(\d+) deals? in the list"', page)
        return [(url.replace("&amp;", "&"), count) for url, count in found]

    def test_a_wrong_filter_is_named_and_shows_nothing(self):
        self.deal()

        page = self.board("amount_from=many")

        assert "Amount: Write an amount as 15,000.50." in page
        assert CARD.findall(page) == []

    def test_a_filter_without_a_field_is_a_chip_that_can_be_removed(self):
        page = self.board("currency=EUR&q=roof")

        assert 'href="?q=roof" title="Remove this filter">Currency: EUR' in page
        assert '<input type="hidden" name="currency" value="EUR">' in page

    def test_a_column_is_read_page_by_page(self):
        deals = [self.deal(name=f"Deal {number}") for number in range(45)]
        page, seen = self.board(), []

        while True:
            seen += [int(card[0]) for card in CARD.findall(page)]
            more = re.search(r'data-more="([^"]+)"', page)
            if more is None:
                break
            page = self.page(f"{self.url()}{more[1].replace('&amp;', '&')}")

        assert sorted(seen) == [deal.pk for deal in deals]
        assert len(seen) == 45

    def test_a_viewer_sees_the_cards_and_no_act(self):
        deal = self.deal()
        self.sign_in(self.viewer)

        page = self.board()

        assert CARD.search(page)
        for part in ("data-edit", "<button form", "kb-add", "kb-zones", 'name="deal"'):
            assert part not in page, part
        assert self.move(deal, self.offer.pk).status_code == 403
        assert self.send("add", stage=self.new.pk, name="No", form_key="k").status_code == 403
        assert Deal.objects.get().stage == self.new

    def test_an_inactive_pipeline_takes_no_new_deals(self):
        pipeline = PipelineFactory(actor=self.alice, name="Old", is_active=False)

        assert 'class="kb-add"' not in self.board(pipeline=pipeline)

    def test_others_pipelines_do_not_exist(self):
        for pipeline in (self.theirs.pk, 10**18, 10**30):
            self.page(reverse("admin:deals_deal_board", args=[pipeline]), 404)
        stage = stages_of(self.theirs)[0]
        self.page(reverse("admin:deals_deal_board_cards", args=[self.pipeline.pk, stage.pk]), 404)
        self.page(reverse("admin:deals_deal_board_cards", args=[self.pipeline.pk, self.new.pk]), 404)

    def test_acts_are_posts(self):
        for act in ("move", "add"):
            url = reverse(f"admin:deals_deal_board_{act}", args=[self.pipeline.pk])
            assert self.client.get(url).status_code == 403


class ViewTests(BoardTestCase):
    """Saved views on the board: the same deals as in the list under the same view."""

    def saved(self, actor=None, **change):
        change = {"name": "Large", "list": "deals", "filters": {"amount_min": "100"}, **change}
        return create_saved_view(actor=actor or self.bob, change=change)

    def setUp(self):
        super().setUp()
        self.small = self.deal(name="Small", amount="10", owner=self.bob.member.pk)
        self.large = self.deal(name="Large one", amount="900", owner=self.bob.member.pk)
        self.secret = self.deal(
            name="Secret", amount="500", owner=self.alice.member.pk, is_private=True, actor=self.alice
        )
        self.done = self.deal(name="Done", amount="700", status="won")

    def test_the_board_offers_the_views_that_the_member_sees(self):
        view, shared = self.saved(), self.saved(self.alice, name="Ours", is_shared=True)
        self.saved(self.alice, name="Hers")
        self.saved(list="contacts", name="People", filters={"kind": "person"})

        page = self.board(f"view={view.uuid}")

        menu = re.search(r'<details class="kb-views[^>]*>(.*?)</details>', page, re.DOTALL)[1]
        links = re.findall(r'<a href="([^"]+)"( aria-current="page")?>([^<]+)', menu)
        assert links == [
            ("?", "", "Without a view"),
            (f"?view={view.uuid}", ' aria-current="page"', "Large"),
            (f"?view={shared.uuid}", "", "Ours "),
        ]

    def test_every_role_sees_the_figures_of_the_list_that_a_column_links_to(self):
        views = [
            self.saved(is_shared=True),
            self.saved(is_shared=True, filters={"status": "won,lost"}),
            self.saved(is_shared=True, filters={"status": "open", "owner": str(self.bob.member.uuid)}),
            self.saved(is_shared=True, filters={"pipeline": str(self.pipeline.pk)}, ordering="-amount"),
        ]
        counts = {}
        for actor in (self.viewer, self.bob, self.manager, self.alice):
            self.sign_in(actor)
            for number, view in enumerate(views):
                for query in (f"view={view.uuid}", f"view={view.uuid}&q=o"):
                    page = self.board(query)
                    for url, count in re.findall(r'<a href="([^"]+)" aria-label="(\d+) deals? in the', page):
                        listed = re.findall(r'class="field-title', self.page(url.replace("&amp;", "&")))
                        assert len(listed) == int(count), (actor, query, url)
                        key = (actor.member.role, number, query.endswith("q=o"))
                        counts[key] = counts.get(key, 0) + int(count)
        assert [counts["rep", number, False] for number in range(4)] == [1, 1, 2, 2]
        assert [counts["admin", number, False] for number in range(4)] == [2, 1, 2, 3]

    def test_the_order_of_a_view_applies_until_another_is_chosen(self):
        view = self.saved(filters={"status": "open"}, ordering="amount")

        def cards(query):
            return self.column(self.new, query)[1]

        assert cards(f"view={view.uuid}") == [self.small.pk, self.large.pk]
        assert cards(f"view={view.uuid}&sort=-amount") == [self.large.pk, self.small.pk]
        assert "Smallest amount first" in self.board(f"view={view.uuid}")

    def test_what_does_not_apply_to_the_board_is_named(self):
        filters = {"pipeline": str(self.renewals.pk)}
        view = self.saved(filters=filters, ordering="-closed_at", columns=["name"])

        page = self.board(f"view={view.uuid}")

        for text in (
            "Cards cannot be sorted as this view is: by “closed at”.",
            "The columns of this view are those of the list",
            "This view leaves out the pipeline Sales",
        ):
            assert text in page, text
        assert f'href="{self.url(self.renewals)}?view={view.uuid}"' in page

    def test_a_view_that_one_may_not_see_is_an_error_and_shows_nothing(self):
        view = self.saved(self.alice)

        page = self.board(f"view={view.uuid}")

        assert "There is no such view of this list." in page
        assert CARD.findall(page) == []

    def test_the_filters_are_saved_as_a_view_of_the_same_deals(self):
        assert "Save this view" not in self.board()
        query = f"owner={self.bob.member.pk}&amount_from=100&sort=-amount"
        url = re.search(r'href="([^"]*savedview/add/[^"]*)"', self.board(query))[1].replace("&amp;", "&")

        form = self.form(url)
        self.client.post(url, {**form, "name": "Mine, large"})

        view = SavedView.objects.get()
        assert view.filters == {
            "owner": str(self.bob.member.uuid),
            "amount_min": "100",
            "status": "open",
        }
        assert view.ordering == "-amount"
        assert self.column(self.new, f"view={view.uuid}") == (1, [self.large.pk])

    def test_a_view_with_further_filters_is_saved_as_another(self):
        view = self.saved()
        page = self.board(f"view={view.uuid}&owner={self.bob.member.pk}")
        url = re.search(r'href="([^"]*savedview/add/[^"]*)"', page)[1].replace("&amp;", "&")

        lines = parse_qs(urlsplit(url).query)["filters"][0].splitlines()

        assert sorted(lines) == ["amount_min=100", f"owner={self.bob.member.uuid}", "status=open"]
        assert "savedview/add" not in self.board(f"view={view.uuid}")
        assert "savedview/add" not in self.board(f"view={view.uuid}&amount_from=500")

    def test_list_and_board_lead_to_each_other_under_a_view(self):
        view = self.saved(filters={"pipeline": str(self.renewals.pk)})

        listed = self.page(f"{list_url(Deal)}?view={view.uuid}")
        board = self.board(f"view={view.uuid}", self.renewals)

        assert f'href="{self.url(self.renewals)}?view={view.uuid}"' in listed
        back = re.search(r'kb-list" href="([^"]+)"', board)[1].replace("&amp;", "&")
        assert parse_qs(urlsplit(back).query) == {
            "view": [str(view.uuid)],
            "status": ["open"],
            "pipeline": [str(self.renewals.pk)],
        }

    def test_a_card_that_is_moved_stays_under_the_view(self):
        view = self.saved()

        reply = self.send(
            "move",
            f"view={view.uuid}",
            script=True,
            deal=self.large.pk,
            version=self.large.version,
            to=self.offer.pk,
        ).json()

        assert '"1 deal in the list"' in reply["heads"][str(self.offer.pk)]
        assert f"view={view.uuid}" in reply["heads"][str(self.offer.pk)]


@pytest.mark.once
class SizeTests(BoardTestCase):
    def test_five_columns_of_twenty_cards_are_sixty_kilobytes_at_most(self):
        names = ("Nouveau lead", "Qualification", "Proposition", "Négociation", "Contrat envoyé")
        stages = [{"name": name} for name in names]
        pipeline = PipelineFactory(actor=self.alice, name="Vente Standard", stages=stages)
        company = CompanyFactory(actor=self.alice, name="Wdrożenia Kowalscy sp. z o.o.")
        entered = timezone.now() - datetime.timedelta(days=12)
        Deal.objects.bulk_create(
            Deal(
                organization=self.organization,
                name=f"Abonnement annuel 2026-{number}",
                amount=20300 + number,
                currency=("EUR", "CHF", "PLN", "USD")[number % 4],
                stage=stage,
                client=company,
                owner=self.alice.member,
                expected_close_date=datetime.date(2026, 10, 12),
                stage_entered_at=entered,
            )
            for stage in stages_of(pipeline)
            for number in range(25)
        )
        for number in range(8):
            ActorFactory(
                organization=self.organization,
                role=Role.REP,
                full_name=f"Inês Carvalho {number}",
                email=f"{number}@example.com",
            )
            LostReasonFactory(actor=self.alice, name=f"Fonctionnalité manquante {number}")
        self.sign_in(self.alice)

        page = self.board(pipeline=pipeline)

        assert len(CARD.findall(page)) == 100
        assert len(page.encode()) <= LARGEST, len(page.encode())

    def test_the_number_of_queries_does_not_grow(self):
        self.deal(contact=self.person().pk)
        few = self.count()
        for _ in range(10):
            stage = StageFactory(actor=self.alice, pipeline=self.pipeline.pk)
            for _ in range(3):
                self.deal(stage=stage.pk, contact=self.person().pk, owner=self.manager.member.pk)

        # One of them is for the bell of the header.
        assert self.count() == few == 12

    def count(self):
        with CaptureQueriesContext(connection) as queries:
            self.board()
        return len(queries)


class MoveTests(BoardTestCase):
    def test_the_select_of_a_card_works_without_a_script(self):
        deal = self.deal(name="Roof")
        page = self.board(f"q=roof&move={deal.pk}")
        form = re.search(r'<li id="d\d+".*?(<form.*?</form>)', page, re.DOTALL)[1]
        assert f'<option value="{self.new.pk}" data-kind="open" selected>New' in form
        assert 'action="move/?q=roof"' in form

        answer = self.send("move", "q=roof", deal=deal.pk, version=deal.version, to=self.offer.pk)

        assert answer["Location"] == self.url(query="q=roof")
        deal.refresh_from_db()
        assert deal.stage == self.offer
        assert "moved to Offer." in self.page(answer["Location"])

    def test_a_move_and_its_undo(self):
        deal = self.deal(name="Roof", amount="100")

        reply = self.script_move(deal, self.offer.pk)

        assert (reply["is_done"], reply["stage"], reply["deal"]) == (True, self.offer.pk, deal.pk)
        assert "100 EUR" in reply["heads"][str(self.offer.pk)]
        assert '"0 deals in the list"' in reply["heads"][str(self.new.pk)]
        assert CARD.search(reply["card"])[2] == str(deal.version + 1)
        undo = re.search(r'crm-undo-now" href="([^"]+)"', reply["message"])[1]
        answer = self.client.post(undo.partition("?")[0], {"next": self.url()})
        assert answer["Location"] == self.url()
        deal.refresh_from_db()
        assert deal.stage == self.new

    def test_won_and_lost_go_through_the_service(self):
        won, lost = self.deal(name="Roof"), self.deal(name="Pool")
        reason = LostReasonFactory(actor=self.alice, name="Price")

        wins = self.script_move(won, "won")
        loses = self.script_move(lost, "lost", lost_reason=reason.pk)

        assert (wins["is_done"], wins["card"], wins["stage"]) == (True, "", None)
        assert loses["is_done"]
        won.refresh_from_db()
        lost.refresh_from_db()
        assert (won.status, won.stage) == ("won", self.won)
        assert (lost.status, lost.stage, lost.lost_reason) == ("lost", self.lost, reason)

    def test_without_a_script_lost_leads_to_the_page_that_asks_for_the_reason(self):
        deal = self.deal()

        answer = self.move(deal, self.lost.pk)

        assert answer["Location"].startswith(reverse("admin:deals_deal_action", args=["lose"]))
        assert "Reason" in self.page(answer["Location"])
        deal.refresh_from_db()
        assert deal.status == "open"

    def test_a_stale_card_is_put_where_the_deal_is_and_the_message_names_who_moved_it(self):
        deal = self.deal(name="Roof")
        update_deals(actor=self.alice, changes=[(deal, {"stage": self.offer.pk})])
        at = timezone.localtime(Event.objects.latest("sequence").at)
        update_deals(actor=self.manager, changes=[(deal, {"description": "Called."})])

        reply = self.script_move(deal, "won")

        assert (reply["is_done"], reply["stage"]) == (False, self.offer.pk)
        assert ": Moved from New to Offer." in reply["message"]
        assert f"{at.day} {at:%b %Y %H:%M}" in reply["message"]
        assert CARD.search(reply["card"])[2] == str(deal.version + 2)
        deal.refresh_from_db()
        assert deal.status == "open"
        assert self.script_move(deal, "won")["is_done"]

    def test_a_stale_card_whose_deal_was_edited_names_that_change(self):
        deal = self.deal(name="Roof")
        update_deals(actor=self.alice, changes=[(deal, {"name": "<i>Pool</i>"})])

        reply = self.script_move(deal, self.offer.pk)

        assert " by Alice on " in reply["message"]
        assert "&lt;i&gt;Pool" in reply["message"]
        assert "<i>Pool" not in reply["message"] + reply["card"]

    def test_a_refused_move_shows_the_refusal_of_the_service(self):
        deal = self.deal(name="Roof")
        stage = StageFactory(actor=self.alice, pipeline=self.pipeline.pk, name="Gone")
        page = self.board()
        assert "Gone" in page
        self.client.force_login(self.bob.member.user)
        Stage.objects.filter(pk=stage.pk).update(deleted_at=timezone.now(), position=None)

        reply = self.script_move(deal, stage.pk)

        assert (reply["is_done"], reply["stage"]) == (False, self.new.pk)
        assert reply["message"] == "This stage was removed. Reload the board."

    def test_a_trashed_or_hidden_deal_is_no_longer_here(self):
        trashed, hidden = self.deal(), self.deal(self.alice, is_private=True)
        trash_deals(actor=self.alice, rows=[trashed])

        for deal in (trashed, hidden):
            reply = self.script_move(deal, self.offer.pk)
            assert (reply["is_done"], reply["card"]) == (False, "")
            assert "no longer here" in reply["message"]

    def test_others_deals_cannot_be_moved(self):
        theirs = self.deal(self.charlie)

        reply = self.script_move(theirs, self.offer.pk)

        assert not reply["is_done"]
        assert "no longer here" in reply["message"]

    def test_another_organizations_reason_is_not_stored(self):
        deal = self.deal()
        reason = LostReasonFactory(actor=self.charlie, name="Theirs")

        assert self.script_move(deal, "lost", lost_reason=reason.pk)["is_done"]

        deal.refresh_from_db()
        assert deal.lost_reason is None


class AddTests(BoardTestCase):
    def add(self, script=True, query="", **sent):
        sent = {"stage": self.offer.pk, "name": "Roof", "form_key": "one", **sent}
        return self.send("add", query, script=script, **sent)

    def test_a_name_is_enough(self):
        reply = self.add().json()

        deal = Deal.objects.get()
        assert (reply["is_done"], reply["stage"]) == (True, self.offer.pk)
        assert (deal.name, deal.stage, deal.owner, deal.amount) == ("Roof", self.offer, self.bob.member, None)
        assert "added to Offer." in reply["message"]

    def test_with_amount_and_a_contact_that_was_found(self):
        person = PersonFactory(actor=self.alice)

        assert self.add(amount="1500.50", contact=person.pk, contact_text="Whatever").json()["is_done"]

        deal = Deal.objects.get()
        assert (str(deal.amount), deal.contact) == ("1500.5000", person)

    def test_with_a_new_contact_by_name_and_address(self):
        assert self.add(contact_text="Sophie Anne Martin sophie@example.com").json()["is_done"]

        contact = Deal.objects.get().contact
        assert (contact.first_name, contact.last_name) == ("Sophie", "Anne Martin")
        assert contact.email == "sophie@example.com"

    def test_a_known_address_is_enough_and_a_new_one_needs_a_name(self):
        person = PersonFactory(actor=self.alice, email="known@example.com")

        assert self.add(contact_text="known@example.com").json()["is_done"]
        refused = self.add(contact_text="new@example.com", form_key="two").json()

        assert Deal.objects.get().contact == person
        assert not refused["is_done"]

    def test_a_form_that_is_sent_thrice_makes_one_deal(self):
        first, second, third = (self.add().json() for _ in range(3))

        assert Deal.objects.count() == 1
        assert first["deal"] == second["deal"] == third["deal"]
        assert self.add(name="Other").json()["is_done"] is False
        assert self.add(name="Other", form_key="two").json()["is_done"]
        assert Deal.objects.count() == 2

    def test_wrong_values_are_named_and_nothing_is_written(self):
        for wrong, text in (
            ({"name": ""}, "Name: This field is required."),
            ({"amount": "1,5,0"}, "Amount: Write an amount as 15,000.50."),
            ({"amount": "1.234"}, "nothing is rounded"),
            ({"stage": stages_of(self.renewals)[0].pk}, "This stage was removed."),
            ({"form_key": ""}, "This form has no key."),
            ({"contact": 10**9}, "There is no such row."),
        ):
            reply = self.add(**wrong).json()
            assert not reply["is_done"]
            assert text in reply["message"], (wrong, reply["message"])
        assert not Deal.objects.exists()

    def test_a_deal_that_the_filters_hide_is_reported(self):
        reply = self.add(query="q=pool").json()

        assert (reply["is_done"], reply["card"]) == (True, "")
        assert "The filters hide it." in reply["message"]

    def test_without_a_script_the_link_leads_to_the_form_of_a_deal_in_this_stage(self):
        link = re.search(rf'href="([^"]+\?stage={self.offer.pk})"', self.board())[1]

        assert f'<option value="{self.offer.pk}" selected>' in self.page(link)

    def test_a_form_that_is_sent_without_the_script_is_answered_by_the_board(self):
        answer = self.add(script=False)

        assert answer["Location"] == self.url()
        assert "added to Offer." in self.page(answer["Location"])


class LinkTests(BoardTestCase):
    def test_the_list_has_a_link_to_the_board_with_its_filters(self):
        page = self.page(f"{list_url(Deal)}?q=roof&pipeline={self.renewals.pk}")

        assert f"{self.url(self.renewals)}?q=roof" in page
