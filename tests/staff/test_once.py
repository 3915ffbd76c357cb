"""Forms of the admin that are sent twice are carried out once; addresses and the palette say what they do."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from crm_project.accounts.models import ApiToken, User
from crm_project.api.models import IdempotencyKey
from deals.models import Deal
from tests.base import World
from tests.staff.base import StaffTestCase, action_url, add_url, change_url, list_url, typed

KEY = {"form_key": "a" * 32}


class FormTests(StaffTestCase):
    def test_a_new_deal_that_is_sent_thrice_is_one_deal(self):
        data = {**self.form(add_url(Deal)), "name": "Roof", **KEY}

        answers = [self.client.post(add_url(Deal), data) for _ in range(3)]

        assert Deal.objects.filter(name="Roof").count() == 1
        assert {answer["location"] for answer in answers} == {change_url(Deal.objects.get(name="Roof"))}

    def test_the_last_answer_has_the_message_of_the_first(self):
        data = {**self.form(add_url(Deal)), "name": "Roof", **KEY}
        self.client.post(add_url(Deal), data)
        self.client.get("/admin/")

        page = self.client.post(add_url(Deal), data, follow=True).content.decode()

        assert "was added successfully" in page

    def test_a_form_that_was_sent_before_with_other_values_asks_before_it_adds_another_row(self):
        data = {**self.form(add_url(Deal)), "name": "Roof", **KEY}
        self.client.post(add_url(Deal), data)

        refused = self.client.post(add_url(Deal), {**data, "name": "Wall"})
        again = {**typed(refused), "name": "Wall", "form_key": refused.context["form_key"]}
        self.client.post(add_url(Deal), again)

        assert "was sent before, with other values" in refused.content.decode()
        assert sorted(Deal.objects.values_list("name", flat=True)) == ["Roof", "Wall"]

    def test_a_change_that_is_sent_twice_is_no_conflict_with_oneself(self):
        deal = self.deal(name="Roof")
        data = {**self.form(change_url(deal)), "name": "Roof of the barn", **KEY}

        answers = [self.client.post(change_url(deal), data) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [302, 302]
        deal.refresh_from_db()
        assert (deal.name, deal.version) == ("Roof of the barn", 2)

    def test_a_refused_form_can_be_sent_again_with_its_key(self):
        data = {**self.form(add_url(Deal)), "name": "Roof", **KEY}

        refused = self.client.post(add_url(Deal), {**data, "amount": "12.345"})
        saved = self.client.post(add_url(Deal), data)

        assert (refused.status_code, saved.status_code) == (200, 302)
        assert not IdempotencyKey.objects.exclude(key=f"form:{KEY['form_key']}").exists()

    def test_an_act_that_is_sent_twice_is_one_event_and_reports_alike(self):
        deal = self.deal(name="Roof")
        url = action_url("win", deal)

        pages = [self.client.post(url, KEY, follow=True).content.decode() for _ in range(2)]

        deal.refresh_from_db()
        assert (deal.status, deal.version) == ("won", 2)
        assert all("won." in page and "/admin/undo/" in page for page in pages)

    def test_a_secret_is_shown_once_and_its_token_made_once(self):
        data = {**self.form(add_url(ApiToken)), "name": "shop", **KEY}

        first = self.client.post(add_url(ApiToken), data)
        again = self.client.post(add_url(ApiToken), data, follow=True)

        assert "token-secret" in first.content.decode()
        assert "is not shown again" in again.content.decode()
        assert ApiToken.objects.filter(name="shop").count() == 1

    def test_the_key_of_one_member_is_not_that_of_another(self):
        data = {**self.form(add_url(Deal)), "name": "Roof", **KEY}
        self.client.post(add_url(Deal), data)
        self.sign_in(self.alice)
        self.client.post(add_url(Deal), data)

        assert Deal.objects.filter(name="Roof").count() == 2


class AddressTests(StaffTestCase):
    def test_unknown_and_repeated_parameters_are_named_inside_the_page(self):
        page = self.page(f"{list_url(Deal)}?ordering=-created_at&q=a&q=b", status=400)

        assert "<dt>ordering</dt><dd>There is no such parameter. Known: amount_from" in page
        assert "<dt>q</dt><dd>Send this parameter only once." in page
        assert "nav-sidebar" in page

    def test_a_cursor_that_is_none_begins_the_list_again(self):
        page = self.client.get(f"{list_url(Deal)}?p=nonsense", follow=True).content.decode()

        assert "is not valid any more" in page


class PaletteTests(StaffTestCase):
    def found(self, text, url="/"):
        page = self.client.get(
            "/admin/search/",
            {"s": text, "extended": 1},
            headers={"hx-current-url": f"http://testserver{url}"},
        )
        return page.content.decode()

    def test_it_offers_new_rows_by_name(self):
        assert add_url(Deal) in self.found("new deal")
        assert add_url(Deal) in self.found("add")
        assert add_url(Deal) not in self.found("deal of the year")

    def test_it_offers_acts_on_the_row_whose_page_is_open(self):
        deal = self.deal(name="Roof")

        assert "/action/win/" in self.found("win", change_url(deal))
        assert "/action/win/" not in self.found("win")

    def test_an_outsider_is_offered_no_act(self):
        deal = self.deal(name="Roof")
        self.sign_in(self.charlie)

        assert "/action/win/" not in self.found("win", change_url(deal))


class InstallTests(StaffTestCase):
    def test_the_manifest_needs_no_session(self):
        answer = Client().get("/admin/manifest.webmanifest")

        assert answer.status_code == 200
        assert answer["content-type"] == "application/manifest+json"
        assert {icon["sizes"] for icon in answer.json()["icons"]} == {"any", "192x192", "512x512"}


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_parallel_posts_of_one_form_make_one_deal():
    world = World()
    User.objects.update(is_staff=True)
    user = world.bob.member.user
    client = Client()
    client.force_login(user)
    data = {**typed(client.get(add_url(Deal))), "name": "Roof", **KEY}

    def post(_):
        own = Client()
        own.cookies = client.cookies
        try:
            return own.post(add_url(Deal), data)["location"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        places = set(pool.map(post, range(5)))

    deal = Deal.objects.get(name="Roof")
    assert places == {change_url(deal)}
