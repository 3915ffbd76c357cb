"""Deals in the admin: made, changed, refused with nothing lost, acted upon, found again."""

import datetime
import html
import re
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.models import Organization
from crm_project.staff import display
from deals.models import Deal
from deals.services import trash_deals, update_deals
from tests.base import stages_of
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory
from tests.staff.base import StaffTestCase, action_url, add_url, change_url, errors, list_url


class AddTests(StaffTestCase):
    def test_it_works(self):
        response = self.save(add_url(Deal), name="Big one", amount="15000.50", currency="PLN")

        assert response.status_code == 302, errors(response)
        deal = Deal.objects.get(name="Big one")
        assert (deal.amount, deal.currency) == (Decimal("15000.50"), "PLN")
        assert (deal.owner, deal.created_by, deal.stage) == (self.bob.member, self.bob.member, self.new)

    def test_a_closing_stage_gives_its_status(self):
        self.save(add_url(Deal), name="Won at once", stage=self.won.pk)

        assert Deal.objects.get(name="Won at once").status == "won"

    def test_a_contact_is_found_or_made_by_its_address(self):
        self.save(add_url(Deal), name="New", contact_email="Sophie@Example.com", contact_first_name="Sophie")
        self.save(add_url(Deal), name="Again", contact_email="sophie@example.com")

        first, second = Deal.objects.filter(name__in=["New", "Again"]).order_by("pk")
        assert first.contact == second.contact
        assert str(first.contact) == "Sophie"

    def test_a_contact_needs_no_address(self):
        typed = {"contact_first_name": "Nolwenn", "contact_last_name": "Kerdoncuff"}

        self.save(add_url(Deal), name="Call", contact_phone="+33 6 55 00 11 22", **typed)
        self.save(add_url(Deal), name="Again", contact_phone="+33655001122", **typed)
        response = self.save(add_url(Deal), name="Nameless", contact_phone="+33 6 55 00 11 22")

        first, second = Deal.objects.filter(name__in=["Call", "Again"]).order_by("pk")
        assert first.contact == second.contact
        assert (str(first.contact), first.contact.phone) == ("Nolwenn Kerdoncuff", "+33 6 55 00 11 22")
        assert "contact_first_name" in errors(response)
        assert not Deal.objects.filter(name="Nameless").exists()

    def test_a_refusal_is_an_error_of_its_field_and_the_input_stays(self):
        response = self.save(add_url(Deal), name="Kept", amount="1.999", description="long text")

        assert errors(response) == {"amount": ["EUR has 2 decimals; nothing is rounded."]}
        page = response.content.decode()
        assert all(typed in page for typed in ("Kept", "1.999", "long text"))
        assert not Deal.objects.filter(name="Kept").exists()

    def test_a_new_contact_without_a_name_is_an_error(self):
        response = self.save(add_url(Deal), name="X", contact_email="nobody@example.com")

        assert list(errors(response)) == ["contact_first_name"]

    def test_what_is_no_amount_is_refused(self):
        for typed in ("1_000", "１２", "1e3", "1,2,50", "-5", "NaN"):
            assert "amount" in errors(self.save(add_url(Deal), name="X", amount=typed)), typed

    def test_a_viewer_may_not(self):
        self.sign_in(self.viewer)

        assert self.client.get(add_url(Deal)).status_code == 403
        assert self.client.post(add_url(Deal), {"name": "X"}).status_code == 403


class HeaderTests(StaffTestCase):
    def test_it_leads_to_whom_the_deal_is_with(self):
        company = CompanyFactory(actor=self.bob, name="ACME")
        person = self.person(email="ann@acme.example")
        deal = self.deal(client=company.pk, contact=person.pk, url="javascript:alert(1)")

        page = self.page(change_url(deal))

        for link in (change_url(company), change_url(person), "mailto:ann@acme.example"):
            assert f'href="{link}"' in page
        assert 'href="javascript:' not in page

    def test_the_stage_is_readable_on_its_colour(self):
        colors = {"#ffff00": "#000", "#22c55e": "#000", "#1d4ed8": "#fff", "#000000": "#fff"}

        assert {color: display.text_color_on(color) for color in colors} == colors

    def test_a_page_for_a_new_row_offers_no_other_new_one(self):
        assert 'class="crm-button crm-button-primary addlink"' not in self.page(add_url(Deal))


class ChangeTests(StaffTestCase):
    def setUp(self):
        super().setUp()
        self.row = self.deal(name="Old", amount="100", description="one\ntwo", owner=self.bob.member.pk)
        self.url = change_url(self.row)

    def stored(self):
        return Deal.objects.get(pk=self.row.pk)

    def test_only_what_was_changed_is_written(self):
        response = self.save(self.url, name="New")

        assert response.status_code == 302
        deal = self.stored()
        assert (deal.name, deal.version, deal.amount, deal.status) == ("New", 2, Decimal(100), "open")

    def test_saving_what_was_read_changes_nothing(self):
        deal = self.deal(
            amount="99.90",
            bid_type="hour",
            bid_value="33.30",
            bid_periods=3,
            tax_rate="23",
            url=" https://example.com ",
            followers=[self.alice.member.pk],
            members=[self.person().pk],
            external_references=[("other: system", "a:b"), ("default", "4711")],
            expected_close_date="2026-05-01",
            probability=70,
        )
        update_deals(actor=self.bob, changes=[(deal, {"status": "won"})])
        deal.refresh_from_db()

        response = self.save(change_url(deal), description=(deal.description or "").replace("\n", "\r\n"))

        assert response.status_code == 302, errors(response)
        assert Deal.objects.get(pk=deal.pk).version == deal.version

    def test_line_breaks_of_a_browser_are_no_change(self):
        self.save(self.url, description="one\r\ntwo")

        assert self.stored().version == 1

    def test_a_move_to_a_won_stage_wins(self):
        self.save(self.url, stage=self.won.pk)

        assert self.stored().status == "won"

    def test_an_instant_before_the_calendar_is_refused(self):
        Organization.objects.update(time_zone="Europe/Paris")

        response = self.save(self.url, status="won", closed_at="0001-01-01T00:00")

        assert errors(response) == {"closed_at": ["This date is out of range."]}

    def test_a_conflict_of_status_and_stage_is_an_error(self):
        response = self.save(self.url, stage=self.won.pk, status="lost")

        assert list(errors(response)) == ["status"]
        assert self.stored().status == "open"

    def test_people_are_written_as_lists(self):
        person = self.person()

        self.save(self.url, members=[person.pk], followers=[self.alice.member.pk, self.bob.member.pk])

        deal = self.stored()
        assert list(deal.members.all()) == [person]
        assert {member.pk for member in deal.followers.all()} == {self.alice.member.pk, self.bob.member.pk}

    def test_references_are_written_and_a_taken_one_is_refused(self):
        self.deal(external_references=[("shop", "1")])

        self.save(self.url, external_references="shop: 2\r\nplain")
        response = self.save(self.url, external_references="shop: 1")

        held = self.row.references.order_by("id").values_list("system", "external_id")
        assert list(held) == [("shop", "2"), ("default", "plain")]
        assert "shop: 1" in response.content.decode()
        assert errors(response)["__all__"] == ["This external reference belongs to another row."]

    def test_custom_fields_are_written_by_their_definitions(self):
        for key, kind, options in (
            ("size", "number", []),
            ("region", "select", ["north", "south"]),
            ("tags", "multiselect", ["a", "b"]),
            ("agreed", "checkbox", []),
            ("since", "date", []),
            ("note", "textarea", []),
        ):
            CustomFieldFactory(actor=self.alice, key=key, type=kind, options=options)
        values = {
            "size": "12.5",
            "region": "north",
            "tags": ["a", "b"],
            "agreed": "on",
            "since": "2026-02-03",
        }

        response = self.save(self.url, **{f"custom_{key}": value for key, value in values.items()})

        assert response.status_code == 302, errors(response)
        expected = {
            "size": 12.5,
            "region": "north",
            "tags": ["a", "b"],
            "agreed": True,
            "since": "2026-02-03",
        }
        assert self.stored().custom_fields == expected
        self.save(self.url, name="Again")
        assert self.stored().custom_fields == expected

    def test_a_custom_field_refuses_at_its_own_place(self):
        CustomFieldFactory(actor=self.alice, key="size", type="number")

        response = self.save(self.url, custom_size="1234567890123456")

        assert list(errors(response)) == ["custom_size"]

    def test_a_viewer_reads_and_writes_nothing(self):
        CustomFieldFactory(actor=self.alice, key="region")
        update_deals(actor=self.bob, changes=[(self.row, {"custom_fields": {"region": "north"}})])
        self.sign_in(self.viewer)

        page = self.page(self.url)

        assert "north" in page
        assert 'name="_save"' not in page
        assert self.client.post(self.url, {"name": "X"}).status_code == 403
        assert self.stored().name == "Old"

    def test_a_viewer_reads_the_same_words_and_figures(self):
        deal = self.deal(amount="12500", tax_rate="20", currency="EUR")
        self.sign_in(self.viewer)

        page = self.page(change_url(deal))

        for text in ("Account", "Primary contact", "12,500 <span>EUR", "15,000 <span>EUR"):
            assert text in page, text
        assert "12500.0000" not in page

    def test_only_insiders_set_the_privacy(self):
        assert 'name="is_private"' in self.page(self.url)
        self.sign_in(self.manager)
        assert 'name="is_private"' not in self.page(self.url)

    def test_the_history_is_listed_and_can_be_undone(self):
        self.save(self.url, name="New")
        page = self.page(self.url)
        sequence = max(int(number) for number in __import__("re").findall(r"/admin/undo/(\d+)/", page))

        response = self.client.post(f"/admin/undo/{sequence}/", {"next": self.url}, follow=True)

        assert "change undone (" in response.content.decode()
        assert self.stored().name == "Old"


class MeanwhileTests(StaffTestCase):
    """Bob has the form open while Alice saves."""

    def setUp(self):
        super().setUp()
        self.row = self.deal(name="Old", amount="100", origin="web")
        self.url = change_url(self.row)
        self.opened = self.form(self.url)

    def alice_saves(self, **change):
        update_deals(actor=self.alice, changes=[(self.row, change)])

    def post(self, **typed):
        return self.client.post(self.url, {**self.opened, **typed})

    def test_both_changes_are_listed_and_nothing_is_saved_yet(self):
        self.alice_saves(amount=Decimal(200))

        response = self.post(name="Mine")

        page = response.content.decode()
        assert "Somebody else has saved changes" in page
        assert all(text in page for text in ("Amount", "100", "200", "Alice", "Mine"))
        assert Deal.objects.get(pk=self.row.pk).name == "Old"

    def test_saving_again_keeps_both(self):
        self.alice_saves(amount=Decimal(200), followers=[self.alice.member.pk])
        shown = self.post(name="Mine")

        from tests.staff.base import typed

        response = self.client.post(self.url, typed(shown))

        deal = Deal.objects.get(pk=self.row.pk)
        assert response.status_code == 302, errors(response)
        assert (deal.name, deal.amount) == ("Mine", Decimal(200))
        assert [member.pk for member in deal.followers.all()] == [self.alice.member.pk]

    def test_my_value_wins_where_both_changed_a_field_and_theirs_is_listed(self):
        self.alice_saves(name="Hers")

        response = self.post(name="Mine")

        told = errors(response)["name"][0]
        assert "Alice changed this from “Old” to “Hers”" in told
        assert 'value="Mine"' in response.content.decode()

    def test_a_version_that_never_was_is_no_500(self):
        for seen in ("0", "-1", "9" * 5000, "x"):
            assert self.client.post(self.url, {**self.form(self.url), "seen": seen}).status_code < 500, seen[
                :9
            ]

    def test_values_that_were_not_typed_are_not_restored(self):
        self.alice_saves(origin="fair")

        from tests.staff.base import typed

        self.client.post(self.url, typed(self.post()))

        assert Deal.objects.get(pk=self.row.pk).origin == "fair"

    def test_a_write_between_reading_and_writing_is_noticed(self):
        from unittest import mock

        from deals import services

        real = services.update_deals

        def slow(**kwargs):
            with mock.patch.object(services, "update_deals", real):
                self.alice_saves(origin="fair")
            return real(**kwargs)

        with mock.patch.object(services, "update_deals", slow):
            response = self.post(name="Mine")

        assert response.status_code == 200
        assert "at the same moment" in response.content.decode()


class ActTests(StaffTestCase):
    def setUp(self):
        super().setUp()
        self.first, self.second = self.deal(name="First"), self.deal(name="Second")

    def do(self, action, **typed):
        return self.client.post(action_url(action, self.first, self.second), typed, follow=True)

    def statuses(self):
        return list(Deal.objects.order_by("pk").values_list("status", "stage_id"))

    def test_the_lists_menu_leads_to_the_acts_page(self):
        data = {"action": "action_win", "_selected_action": [self.first.pk, self.second.pk]}

        response = self.client.post(list_url(Deal), data, follow=True)

        assert "First" in response.content.decode()
        assert response.request["PATH_INFO"].endswith("/action/win/")

    def test_win(self):
        self.do("win")

        assert self.statuses() == [("won", self.won.pk)] * 2

    def test_lose_with_a_reason(self):
        reason = LostReasonFactory(actor=self.alice, name="Too dear")

        self.do("lose", lost_reason=reason.pk)

        assert self.statuses() == [("lost", self.lost.pk)] * 2
        assert Deal.objects.get(pk=self.first.pk).lost_reason == reason

    def test_reopen(self):
        self.do("win")

        self.do("reopen")

        assert self.statuses() == [("open", self.new.pk)] * 2

    def test_move_to_another_pipeline(self):
        goal = stages_of(self.renewals)[1]

        self.do("move", stage=goal.pk)

        assert self.statuses() == [("open", goal.pk)] * 2

    def test_hand_over(self):
        self.do("hand-over", owner=self.alice.member.pk)

        assert Deal.objects.filter(owner=self.alice.member).count() == 2

    def test_pause_and_resume(self):
        day = timezone.now().date() + datetime.timedelta(days=9)

        answer = self.do("pause", paused_until=day.isoformat(), pause_reason="Budget").content.decode()

        assert [*Deal.objects.values_list("paused_until", "pause_reason")] == [(day, "Budget")] * 2
        assert "paused until" in answer
        assert "Undo" in answer
        self.do("resume")
        assert [*Deal.objects.values_list("paused_until", "pause_reason")] == [(None, "")] * 2

    def test_a_pause_without_a_reason_or_in_the_past_is_an_error_of_its_field(self):
        url = action_url("pause", self.first)

        missing = self.client.post(url, {"paused_until": "2999-01-01", "pause_reason": " "})
        past = self.client.post(url, {"paused_until": "2020-01-01", "pause_reason": "Budget"})

        assert missing.context["form"].errors["pause_reason"]
        assert past.context["form"].errors == {"paused_until": ["A pause ends today or later."]}
        assert not Deal.objects.exclude(paused_until=None).exists()

    def test_the_page_offers_what_fits_and_shows_the_pause(self):
        def offered():
            links = self.client.get(change_url(self.first)).context["row_action_links"]
            return {link["action"].name for link in links} & {"pause", "resume"}

        assert offered() == {"pause"}
        update_deals(
            actor=self.bob,
            changes=[
                (self.first, {"paused_until": datetime.date(2999, 1, 31), "pause_reason": "<b>Budget</b>"})
            ],
        )
        assert offered() == {"pause", "resume"}
        assert "until 31 Jan 2999: &lt;b&gt;Budget&lt;/b&gt;" in self.page(change_url(self.first))
        form = self.client.get(action_url("pause", self.first)).context["form"]
        assert form["pause_reason"].initial == "<b>Budget</b>"
        # A pause that has ended is none.
        Deal.objects.filter(pk=self.first.pk).update(paused_until=datetime.date(2026, 1, 1))
        assert offered() == {"pause"}
        update_deals(actor=self.bob, changes=[(self.first, {"status": "won"})])
        assert offered() == set()

    def test_a_pause_of_a_page_that_is_stale_is_refused(self):
        form = {"chosen": f"{self.first.pk}:{self.first.version}", "paused_until": "2999-01-01"}
        update_deals(actor=self.alice, changes=[(self.first, {"name": "Meanwhile"})])

        answer = self.client.post(action_url("pause", self.first), {**form, "pause_reason": "Budget"})

        assert answer.status_code == 200
        assert answer.context["form"].errors
        assert not Deal.objects.exclude(paused_until=None).exists()

    def test_trash_and_restore(self):
        self.do("trash")

        assert "First" not in self.page(list_url(Deal))
        assert "First" in self.page(f"{list_url(Deal)}?trash=only")
        self.do("restore", stage="")
        assert Deal.objects.live().count() == 2

    def test_a_refusal_is_a_message_of_the_page_and_nothing_is_written(self):
        trash_deals(actor=self.bob, rows=[self.first])
        restored = action_url("restore", self.first)
        from pipelines.services import trash_stage

        Deal.objects.filter(pk=self.second.pk).update(stage=self.offer)
        trash_stage(actor=self.alice, stage=self.new)

        response = self.client.post(restored, {"stage": ""})

        assert response.status_code == 200
        assert "stage is gone" in response.content.decode()

    def test_a_viewer_may_not(self):
        self.sign_in(self.viewer)

        for name in ("win", "lose", "move", "hand-over", "pause", "resume", "trash", "restore"):
            assert self.client.post(action_url(name, self.first)).status_code == 403
        assert "action_win" not in self.page(list_url(Deal))

    def test_the_way_back_is_a_page_of_ours(self):
        response = self.client.post(action_url("win", self.first), {"next": "https://evil.example/"})

        assert response["location"] == list_url(Deal)

    def test_it_needs_a_post(self):
        self.client.get(action_url("win", self.first))

        assert Deal.objects.get(pk=self.first.pk).status == "open"


class PhoneTests(StaffTestCase):
    def test_whoever_rings_is_found_by_digits(self):
        Organization.objects.update(country="FR")
        person = self.person(first_name="Zoé", phone="+33 1 55 96 02 43")
        self.deal(name="Roof", contact=person.pk)

        for typed in ("0155960243", "155960243", "01 55 96 02 43", "+33155960243", "96 02 43"):
            query = urlencode({"q": typed})
            for model, name in ((Contact, "Zoé"), (Deal, "Roof")):
                assert name in self.page(f"{list_url(model)}?{query}"), (typed, model)
            palette = self.page(f"/admin/search/?{urlencode({'s': typed, 'extended': 1})}")
            assert "Zoé" in palette, typed
            assert "Roof" in palette, typed


class ListTests(StaffTestCase):
    def names(self, query=""):
        response = self.client.get(f"{list_url(Deal)}{query}")
        assert response.status_code == 200, query
        return [deal.name for deal in response.context["cl"].result_list]

    def test_filters(self):
        CustomFieldFactory(actor=self.alice, key="size", type="number")
        self.deal(name="small", amount="10", owner=self.bob.member.pk, custom_fields={"size": 3})
        self.deal(name="large", amount="5000", expected_close_date="2026-03-01", stage=self.offer.pk)
        self.deal(name="won", status="won")
        elsewhere = stages_of(self.renewals)[0]
        self.deal(name="renewal", stage=elsewhere.pk, is_private=True)

        for query, found in (
            ("?status=won", ["won"]),
            (f"?pipeline={self.renewals.pk}", ["renewal"]),
            (f"?stage={self.offer.pk}", ["large"]),
            (f"?owner={self.bob.member.pk}", ["small"]),
            ("?amount_from=10&amount_to=10.00", ["small"]),
            ("?amount_from=11", ["large"]),
            ("?expected_close_date_from=2026-03-01&expected_close_date_to=2026-03-01", ["large"]),
            ("?custom_size=3", ["small"]),
            ("?is_private=yes", ["renewal"]),
            ("?q=LARGE", ["large"]),
            ("?q=%C4%BAarge", ["large"]),
        ):
            assert self.names(query) == found, query

    def test_a_value_that_is_not_understood_shows_nothing(self):
        self.deal(name="small", amount="10")

        for query in (
            "?amount_from=abc",
            "?status=nonsense",
            "?owner=x",
            "?expected_close_date_from=2026-13-01",
        ):
            assert self.names(query) == [], query
        assert "Amount: Write an amount as 15,000.50." in self.page(f"{list_url(Deal)}?amount_from=5,00,0")

    def test_odd_requests_are_no_500(self):
        self.deal(name="small", amount="10")

        for query in (
            "?p=0",
            "?p=999999999999999999999",
            "?p=x",
            "?o=99.-x",
            "?q=%00",
            "?status=%00",
            "?e=1",
            "?stage=9" * 9,
            "?created_at_from=0001-01-01&created_at_to=9999-12-31",
        ):
            assert self.client.get(f"{list_url(Deal)}{query}").status_code in (200, 302, 400), query
            exported = self.client.get(f"{reverse('admin:imports_export_deals')}{query}")
            assert exported.status_code in (200, 302, 400), query
        for ids in ("", "x", "1,2,99999999999999999999", "-1", "9" * 5000):
            assert self.client.get(f"/admin/deals/deal/action/win/?ids={ids}").status_code in (200, 302), ids
        assert self.client.get("/admin/deals/deal/%00/change/").status_code in (302, 404)
        assert self.client.get("/admin/deals/deal/99999999999999999999/change/").status_code in (302, 404)

    def test_sorting_is_the_same_on_both_databases(self):
        for name, amount in (("a", "10"), ("b", None), ("c", "5")):
            self.deal(name=name, amount=amount)

        assert self.names("?o=2") == ["c", "a", "b"]
        assert self.names("?o=-2") == ["a", "c", "b"]

    def test_pages_without_a_count(self):
        for number in range(53):
            self.deal(name=f"{number:02}")

        newest = self.names()
        first = self.page(list_url(Deal))
        last = self.page(list_url(Deal) + way(first, "next"))

        assert len(newest) == 50
        assert self.names(way(first, "next")) == ["02", "01", "00"]
        assert way(first, "prev") is None
        assert way(last, "next") is None
        assert self.names(way(last, "prev")) == newest

    def test_every_row_comes_once_in_each_order_despite_inserts(self):
        for number in range(103):
            amount = str(number % 7) if number % 5 else None
            self.deal(name=f"deal {number}", amount=amount, expected_close_date=amount and "2026-03-01")

        for query in ("", "?o=2", "?o=-2", "?o=7&status=open", "?o=-7", "?q=deal"):
            seen, here = [], query
            while here is not None:
                seen += self.names(here)
                here = way(self.page(list_url(Deal) + here), "next")
                self.deal(name="comes meanwhile", amount="3")

            seen = [name for name in seen if name != "comes meanwhile"]
            assert len(seen) == len(set(seen)) == 103, query

    def test_another_order_begins_at_the_first_page(self):
        for number in range(53):
            self.deal(name=f"{number:02}", amount=number)
        second = way(self.page(list_url(Deal)), "next")

        assert self.client.get(f"{list_url(Deal)}{second}&o=-2").status_code == 302
        assert self.names("?p=2") == self.names()


def way(page, direction):
    """The query of the link to the next or the previous page, if there is one."""
    found = re.search(rf'rel="{direction}" href="([^"]*)"', page)
    return html.unescape(found[1]) if found else None
