"""Everybody reads the pages in a language and a time zone of their own; what an API answers does not follow them."""

import datetime
import re

from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.models import Member, Organization
from crm_project.journal.models import Event
from deals.models import Deal
from tests.api.client import ApiTestCase
from tests.factories import CustomFieldFactory
from tests.staff.base import StaffTestCase, add_url, change_url, list_url

PATH = "/api/me/preferences"
PAGE = "/admin/preferences/"


class ApiTests(ApiTestCase):
    def test_they_are_read_and_changed(self):
        assert self.as_bob.get(PATH).json() == {"language": "", "time_zone": ""}

        changed = self.as_bob.patch(PATH, {"language": "fr", "time_zone": "Europe/Paris"}).json()

        assert changed == self.as_bob.get(PATH).json() == {"language": "fr", "time_zone": "Europe/Paris"}
        assert self.as_bob.patch(PATH, {"time_zone": None}).json() == {"language": "fr", "time_zone": ""}
        assert self.as_alice.get(PATH).json() == {"language": "", "time_zone": ""}

    def test_every_wrong_value_is_named(self):
        answer = self.as_bob.patch(PATH, {"language": "tlh", "time_zone": "Mars/Base", "colour": "red"})

        assert answer.status_code == 400
        pointers = {error["pointer"] for error in answer.json()["errors"]}
        assert "/colour" in pointers
        answer = self.as_bob.patch(PATH, {"language": "tlh", "time_zone": "Mars/Base"})
        assert {error["pointer"] for error in answer.json()["errors"]} == {"/language", "/time_zone"}

    def test_they_are_no_change_of_the_organizations_data(self):
        before = Event.objects.count(), Member.objects.get(pk=self.bob.member.pk).version

        self.as_bob.patch(PATH, {"language": "fr"})

        assert (Event.objects.count(), Member.objects.get(pk=self.bob.member.pk).version) == before

    def test_the_api_answers_in_english_whoever_asks(self):
        english = self.as_bob.post("/api/deals", {"name": ""}).json()

        self.as_bob.patch(PATH, {"language": "fr"})
        french = self.as_bob.send(
            "POST", "/api/deals", {"name": ""}, headers={"Accept-Language": "fr"}
        ).json()

        assert {**french, "request_id": ""} == {**english, "request_id": ""}


class PageTests(StaffTestCase):
    def read_in(self, language, zone=""):
        Member.objects.filter(pk=self.bob.member.pk).update(language=language, time_zone=zone)

    def test_a_member_chooses_them_on_a_page(self):
        assert '<html lang="en"' in self.page(PAGE)

        answer = self.client.post(PAGE, {"language": "fr", "time_zone": "Asia/Tokyo"}, follow=True)

        assert '<html lang="fr"' in answer.content.decode()
        member = Member.objects.get(pk=self.bob.member.pk)
        assert (member.language, member.time_zone) == ("fr", "Asia/Tokyo")
        assert '<html lang="en"' in self.sign_in(self.alice).get(PAGE).content.decode()

    def test_a_value_that_is_not_offered_is_refused(self):
        answer = self.client.post(PAGE, {"language": "tlh", "time_zone": "Mars/Base"})

        assert set(answer.context["form"].errors) == {"language", "time_zone"}
        assert Member.objects.get(pk=self.bob.member.pk).language == ""

    def test_the_organizations_language_is_the_default(self):
        Organization.objects.filter(pk=self.organization.pk).update(language="pl")
        assert '<html lang="pl"' in self.page("/admin/")

        Organization.objects.filter(pk=self.organization.pk).update(language="de-AT")
        assert '<html lang="en"' in self.page("/admin/")

    def test_the_sign_in_page_speaks_the_browsers_language(self):
        self.client.logout()

        answer = self.client.get("/admin/login/", HTTP_ACCEPT_LANGUAGE="fr-CH, en;q=0.5")

        assert '<html lang="fr"' in answer.content.decode()
        assert "Accept-Language" in answer.headers["Vary"]

    def test_times_are_read_and_typed_in_the_members_zone(self):
        deal = self.deal(status="won")
        self.read_in("en", "Asia/Tokyo")
        url = change_url(deal)

        closed = timezone.now().replace(microsecond=0) - datetime.timedelta(days=1)
        tokyo = closed.astimezone(datetime.timezone(datetime.timedelta(hours=9)))
        self.save(url, closed_at=tokyo.strftime("%Y-%m-%dT%H:%M:%S"))

        assert Deal.objects.get(pk=deal.pk).closed_at == closed

    def test_a_figure_and_a_phone_are_typed_in_french(self):
        Organization.objects.filter(pk=self.organization.pk).update(country="FR")
        self.read_in("fr")
        contact = self.person(phone="+33 1 55 96 02 43")

        self.save(add_url(Deal), name="Toit", amount="12 500,50", contact=contact.pk)

        deal = Deal.objects.get(name="Toit")
        assert f"{deal.amount:f}".rstrip("0") == "12500.5"
        assert self.form(change_url(deal))["amount"] == "12500,50"
        assert "12\u00a0500,50" in self.page(list_url(Deal))
        assert str(contact) in self.page(f"{list_url(Contact)}?q=01 55 96 02 43")
        assert self.filtered("12 500,50").redirect_chain == [(f"{list_url(Deal)}?amount_from=12500.50", 302)]
        assert "Toit" in self.filtered("12 500,50").content.decode()
        assert "Toit" not in self.filtered("12 500,51").content.decode()

    def filtered(self, amount):
        return self.client.get(list_url(Deal), {"amount_from": amount}, follow=True)

    def test_an_address_means_the_same_in_every_language(self):
        self.deal(name="Roof", amount="1.125", currency="KWD")
        self.deal(name="Wall", amount="1125")
        for language, typed in (("es", "1.125"), ("en", "1,125"), ("fr", "1 125")):
            self.read_in(language)
            [(address, _)] = self.filtered(typed).redirect_chain
            for reader in ("en", "fr", "pl", "es", "it"):
                self.read_in(reader)
                page = self.page(address)
                assert "Wall" in page, (language, reader)
                assert "Roof" not in page, (language, reader)
        self.read_in("fr")
        [(address, _)] = self.filtered("1,125").redirect_chain
        self.read_in("es")
        assert "Roof" in self.page(address)

    def test_the_form_of_a_deal_that_is_saved_as_it_is_changes_nothing(self):
        CustomFieldFactory(actor=self.alice, key="area", label="Area", type="number")
        for language in ("en", "fr", "pl", "es", "it"):
            self.read_in(language)
            custom = {"area": 1.125}
            deal = self.deal(name=language, amount="12500.50", currency="KWD", custom_fields=custom)
            page = self.page(change_url(deal))
            [area] = re.findall(r'name="custom_area" value="([^"]+)"', page)
            assert area == ("1.125" if language == "en" else "1,125")

            self.save(change_url(deal), custom_area=area)

            assert Deal.objects.get(pk=deal.pk).version == deal.version, language
