"""People are found as others type their names and numbers: words, scripts and phone spellings, through every door."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from contacts.redaction import redact_contact
from contacts.services import create_contacts, trash_contacts, update_contacts
from crm_project.accounts.countries import country_of_zone
from crm_project.accounts.services import create_organization, create_token, update_organization
from crm_project.emails import fold_email
from crm_project.journal.models import Event
from crm_project.journal.undo import undo
from crm_project.records.services import change_references
from deals.models import Deal
from deals.services import create_lost_reason, trash_deals, update_lost_reason
from tests.api.client import ApiClient
from tests.base import BaseTestCase, refused
from tests.factories import CompanyFactory
from tests.staff.base import StaffTestCase, list_url

# (first name, last name) and needles that find the person, then some that do not.
NAMES = [
    (
        ("Álvaro", "Trémieux"),
        ["tremieux alvaro", "alvaro  tremieux", "Tremieux, Alvaro", "mieux"],
        ["alvarot"],
    ),
    (("John ", " Smith"), ["John Smith", "smith john", " john   smith ", "Smith;John"], ["john smyth"]),
    (("Łukasz", "Żółć"), ["lukasz", "zolc", "ŻÓŁĆ łukasz", "zolc, lukasz"], ["lukas z0"]),
    (("Søren", "Ærø"), ["soren", "aero", "ærø søren", "AERO"], ["saren"]),
    (("Đorđe", "Ħaż"), ["dorde", "haz", "đorđe haż"], ["dorte"]),
    (("Þór", "Garðarsson"), ["thor", "gardarsson", "Thor GARDARSSON"], ["por"]),
    (("Œdipe", "Cœur"), ["oedipe", "coeur", "cœur oedipe"], ["odipe"]),
    (("Işık", "İnce"), ["isik", "ince", "IŞIK", "ince isik"], ["ısıkk"]),
    (("Jürgen", "Groß"), ["jurgen", "gross", "GROSS jürgen", "großs"[:4]], ["juergen"]),
    (("Nguyễn", "Đức"), ["nguyen", "duc nguyen", "DUC"], ["nguyenduc"]),
    (("Seán", "O’Brien"), ["o'brien", "O`Brien", "oʼbrien", "sean o’brien"], ["o-brien"]),
    (("Jean–Luc", "d’Arc"), ["jean-luc", "jean‑luc", "d'arc jean"], ["jeanluc"]),
    (("小明", "王"), ["王小明", "王 小明", "小明 王", "小明王", "小明"], ["小王明"]),
    (("太郎", "山田"), ["山田太郎", "山田 太郎", "山田"], ["田山"]),
    (("철수", "김"), ["김철수", "김 철수", "철수"], ["수김철"]),
    (("Ольга", "Королёва"), ["ольга", "королева ольга", "КОРОЛЁВА"], ["olga"]),
    (("Ελένη", "Παπαδόπουλος"), ["ελενη", "παπαδοπουλοσ", "ΠΑΠΑΔΌΠΟΥΛΟΣ ελένη"], ["eleni"]),
    (("أحمد", "العلي"), ["احمد", "العلي أحمد", "احـمد"], ["ahmed"]),
    (("שָׁלוֹם", "כהן"), ["שלום", "כהן שלום"], ["shalom"]),
    (("สมชาย", "ใจดี"), ["สมชาย", "ใจดี สมชาย"], ["somchai"]),
    (("अमित", "शर्मा"), ["अमित", "शर्मा अमित"], ["amit"]),
]
# A number as staff typed it, and spellings of it that others search for.
STORED = "+33 1 55 96 02 43"
SPELLINGS = [
    "+33155960243",
    "0033155960243",
    "0155960243",
    "01 55 96 02 43",
    "01.55.96.02.43",
    "+33 (0)1 55-96-02-43",
    "155960243",
    "\u202a+33 1 55 96 02 43\u202c",
]


class WordsTests(BaseTestCase):
    def test_names(self):
        assert sum(len(found) + len(absent) for _, found, absent in NAMES) >= 60
        for (first, last), found, absent in NAMES:
            row = self.person(first_name=first, last_name=last)
            deal = self.deal(name="Offer", contact=row.pk)
            for needle in found:
                with self.subTest(needle):
                    assert row in Contact.objects.visible_to(self.bob.member).matching(needle)
                    assert deal in Deal.objects.visible_to(self.bob.member).matching(f"{needle} offer")
            for needle in absent:
                with self.subTest(needle):
                    assert row not in Contact.objects.visible_to(self.bob.member).matching(needle)

    def test_words_are_in_one_row_but_not_in_one_field(self):
        deal = self.deal(name="Café-rénovation", contact=self.person(first_name="Zofia", last_name="Wąż").pk)
        for needle in ("zofia cafe", "renovation cafe", "waz, café"):
            assert list(Deal.objects.matching(needle)) == [deal], needle
        assert not Deal.objects.matching("zofia kitchen")
        assert list(Deal.objects.matching(" ")) == [deal]
        assert not Deal.objects.matching(",")

    def test_a_deal_is_found_by_its_company(self):
        acme, globex = (
            self.person(kind="company", name=name, first_name="", last_name="", email="")
            for name in ("Acme", "Globex")
        )
        ann = self.person(first_name="Ann", company=acme.pk)
        deal = self.deal(name="One", contact=ann.pk)
        with_client = self.deal(name="Two", contact=ann.pk, client=globex.pk)
        assert list(Deal.objects.matching("acme")) == [deal]
        assert list(Deal.objects.matching("globex ann")) == [with_client]

        update_contacts(actor=self.bob, changes=[(acme, {"name": "Initech"})])
        assert not Deal.objects.matching("acme")
        assert list(Deal.objects.matching("initech")) == [deal]

        update_contacts(actor=self.bob, changes=[(ann, {"company": globex.pk, "phone": "+44 20 7946 0958"})])
        assert not Deal.objects.matching("initech")
        assert set(Deal.objects.matching("02079460958")) == {deal, with_client}
        assert set(Deal.objects.matching("globex")) == {deal, with_client}


class CompanyTests(StaffTestCase):
    """A person is found by the company, too."""

    def found(self, needle):
        names = [row["full_name"] for row in self.api.rows("/api/contacts", q=needle)]
        assert {row.full_name for row in Contact.objects.matching(needle)} == set(names)
        return sorted(names)

    def setUp(self):
        super().setUp()
        self.api = ApiClient(self.bob)

    def test_whatever_happens_to_the_company(self):
        acme, globex = (
            CompanyFactory(actor=self.bob, name=name, email="") for name in ("Acme Łódź", "Globex")
        )
        ann, ben = (self.person(first_name=name, company=acme.pk) for name in ("Ann", "Ben"))
        assert self.found("acme") == ["Acme Łódź", "Ann Sample", "Ben Sample"]
        assert self.found("ann lodz") == ["Ann Sample"]
        update_contacts(actor=self.bob, changes=[(acme, {"name": "Initech"})])
        rename = Event.objects.order_by("sequence").last()
        assert self.found("acme") == []
        assert self.found("initech") == ["Ann Sample", "Ben Sample", "Initech"]
        update_contacts(actor=self.bob, changes=[(ann, {"company": globex.pk}), (ben, {"city": "Paris"})])
        assert self.found("globex") == ["Ann Sample", "Globex"]
        assert self.found("initech ben") == ["Ben Sample"]
        undo(actor=self.alice, sequence=rename.sequence)
        assert self.found("lodz ben") == ["Ben Sample"]
        redact_contact(contact=acme)
        assert self.found("lodz") == []

    def test_the_doors_of_staff(self):
        acme = CompanyFactory(actor=self.bob, name="Acme")
        self.person(first_name="Ann", company=acme.pk)

        for url in (f"{list_url(Contact)}?q=acme+ann", "/admin/search/?s=acme+ann"):
            assert "Ann Sample" in self.page(url), url

    def test_the_queries_do_not_depend_on_the_number_of_rows(self):
        counts = set()
        for size in (2, 4):
            companies = [CompanyFactory(actor=self.bob) for _ in range(size)]
            people = [self.person(company=company.pk) for company in companies]
            deals = [self.deal(contact=person.pk) for person in people]
            with CaptureQueriesContext(connection) as queries:
                update_contacts(actor=self.bob, changes=[(row, {"city": "Paris"}) for row in people])
                names = [(row, {"name": f"New {row.pk}"}) for row in companies]
                update_contacts(actor=self.bob, changes=names)
                trash_deals(actor=self.bob, rows=deals)
                trash_contacts(actor=self.bob, rows=people)
            counts.add(len(queries))
        assert len(counts) == 1


class PhoneTests(StaffTestCase):
    """Each spelling through each door that searches or matches."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        update_organization(actor=None, organization=cls.organization, country="FR")
        for actor in (cls.alice, cls.bob):
            actor.organization.refresh_from_db()
        change_references(actor=cls.alice, row=cls.organization, add=[("leadconnector", "loc")])
        cls.ann = cls.person(cls, first_name="Ann", phone=STORED, email="ann@example.com")
        cls.ben = cls.person(cls, first_name="Ben", mobile="06 12 34 56 78", email="ben@example.com")
        cls.offer_deal = cls.deal(cls, name="Offer", contact=cls.ann.pk)
        cls.deal(cls, name="Other", contact=cls.ben.pk)

    def dialect(self, method, path, body=None, **query):
        _, secret = create_token(actor=self.bob, name="test")
        answer = Client().generic(
            method,
            f"/dialects/{path}",
            json.dumps(body) if body else "",
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}", "Version": "2021-07-28"},
            query_params=query,
        )
        assert answer.status_code in (200, 201), answer.content
        return answer.content.decode()

    def test_every_door(self):
        api = ApiClient(self.bob)
        lead = {"locationId": "loc"}
        doors = {
            "phone filter": lambda text: api.send("GET", "/api/contacts", phone=text).content.decode(),
            "q of contacts": lambda text: api.send("GET", "/api/contacts", q=text).content.decode(),
            "admin": lambda text: self.client.get(list_url(Contact), {"q": text}).content.decode(),
            "palette": lambda text: self.client.get("/admin/search/", {"s": text}).content.decode(),
            "duplicate": lambda text: self.dialect(
                "GET", "leadconnector/contacts/search/duplicate", number=text, **lead
            ),
            "leadconnector": lambda text: self.dialect("GET", "leadconnector/contacts/", query=text, **lead),
            "onlyoffice": lambda text: self.dialect(
                "GET", "onlyoffice/api/2.0/crm/contact/filter", filterValue=text
            ),
            "xalantis": lambda text: self.dialect("GET", "xalantis/api/v1/contacts", search=text),
        }
        for name, ask in doors.items():
            for text in SPELLINGS:
                with self.subTest(door=name, text=text):
                    said = ask(text)
                    assert "ann@example.com" in said or ">Ann" in said or "Ann " in said
                    assert "ben@example.com" not in said
                    assert "Ben " not in said

    def test_intum(self):
        for text in SPELLINGS:
            with self.subTest(text):
                found = json.loads(self.dialect("GET", "intum/crm/deals.json", q=text))
                assert [deal["id"] for deal in found] == [self.offer_deal.pk]

    def test_deals(self):
        api = ApiClient(self.bob)
        for text in SPELLINGS:
            with self.subTest(text):
                found = api.send("GET", "/api/deals", q=text).json()["results"]
                assert [row["uuid"] for row in found] == [str(self.offer_deal.uuid)]

    def test_an_upsert_finds_the_person(self):
        for text in SPELLINGS:
            with self.subTest(text):
                said = json.loads(
                    self.dialect(
                        "POST",
                        "leadconnector/contacts/upsert",
                        {"locationId": "loc", "phone": text, "firstName": "Ann"},
                    )
                )
                assert said["new"] is False
        assert Contact.objects.of(self.organization.pk).count() == 2

    def test_a_deal_takes_the_person_of_the_name_and_number(self):
        for text in SPELLINGS:
            with self.subTest(text):
                deal = self.deal(contact_first_name="Ann", contact_last_name="Sample", contact_phone=text)
                assert deal.contact == self.ann
        assert Contact.objects.of(self.organization.pk).count() == 2

    def test_a_phone_filter_needs_digits(self):
        assert ApiClient(self.bob).send("GET", "/api/contacts", phone="none").status_code == 400

    def test_another_country_reads_the_numbers_again(self):
        cleo = create_contacts(actor=self.bob, changes=[{"first_name": "Cleo", "phone": "020 7946 0958"}])[0]
        version = cleo.version
        update_organization(actor=self.alice, organization=self.organization, country="GB")
        cleo.refresh_from_db()
        assert (cleo.phone_normalized, cleo.version) == ("+442079460958", version)
        assert Contact.objects.matching("+44 20 7946 0958").get() == cleo


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        (" Info@Example.COM ", "info@example.com"),
        ("info@BÜCHER.example", "info@bücher.example"),
        ("info@xn--bcher-kva.example", "info@bücher.example"),
        ("info@XN--BCHER-KVA.example", "info@bücher.example"),
        ("info@bu\u0308cher.example", "info@bücher.example"),
        ("info@straße.example", "info@straße.example"),
        ("nobody", "nobody"),
    ],
)
def test_an_address_has_one_form(typed, folded):
    assert fold_email(typed) == folded
    assert fold_email(folded) == folded


class EmailTests(BaseTestCase):
    def test_one_domain_is_one_contact(self):
        row = self.person(email="info@bücher.example")
        with refused("email_taken"):
            self.person(email="info@xn--bcher-kva.example")
        api = ApiClient(self.bob)
        for email in ("info@xn--bcher-kva.example", "INFO@Bücher.example"):
            found = api.send("GET", "/api/contacts", email=email).json()["results"]
            assert [one["uuid"] for one in found] == [str(row.uuid)]
            assert list(Contact.objects.matching(email)) == [row]

    def test_invisible_characters_are_refused(self):
        for character in "\u202c\u200b\u200d\u2060\ufeff\u00ad\u200e":
            for email in (f"x@ex{character}ampl.com", f"x{character}y@example.com"):
                with refused("invalid", "email"):
                    self.person(email=email)
        with refused("invalid", "email"):
            self.person(email="x@xn--a.example")


class NamesTests(BaseTestCase):
    def test_other_spaces_are_the_same_name(self):
        reason = create_lost_reason(actor=self.alice, change={"name": "Too  dear"})
        for name in (" Too dear", "Too dear", "Too\u00a0dear "):
            with refused("name_taken"):
                create_lost_reason(actor=self.alice, change={"name": name})
        same = update_lost_reason(actor=self.alice, lost_reason=reason, change={"name": "Too   dear "})
        assert (same.version, same.name) == (reason.version, "Too  dear")

    def test_sending_a_name_with_other_spaces_changes_nothing(self):
        row = self.person(first_name="Ann", last_name="Lee")
        for change in ({"first_name": " Ann"}, {"last_name": "Lee\u00a0"}):
            receipt = update_contacts(actor=self.bob, changes=[(row, change)])[0]
            assert (receipt.outcome, receipt.row.version) == ("unchanged", row.version)

    def test_a_tidy_name_replaces_one_that_is_not(self):
        row = self.person(first_name="Ann ", last_name="Lee")
        assert row.full_name == "Ann Lee"
        assert update_contacts(actor=self.bob, changes=[(row, {"first_name": "Ann"})])[0].outcome == "updated"


class CountryTests(BaseTestCase):
    def test_it_is_guessed_from_the_zone(self):
        for zone, country in (
            ("Europe/Paris", "FR"),
            ("America/New_York", "US"),
            ("Asia/Calcutta", "IN"),
            ("UTC", ""),
        ):
            assert country_of_zone(zone) == country
        assert create_organization(name="Paris", time_zone="Europe/Paris").country == "FR"
        assert create_organization(name="Lyon", time_zone="Europe/Paris", country="BE").country == "BE"

    def test_unknown_ones_are_refused(self):
        for fields in ({"country": "XX"}, {"country": "fr"}, {"language": "xx"}, {"language": "??"}):
            with refused("invalid_choice", *fields):
                update_organization(actor=self.alice, organization=self.organization, **fields)

    def test_they_are_in_me(self):
        update_organization(actor=self.alice, organization=self.organization, country="PL", language="pl")
        said = ApiClient(self.alice).send("GET", "/api/me").json()["organization"]
        assert (said["country"], said["language"]) == ("PL", "pl")
