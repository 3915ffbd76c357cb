"""People named by an e-mail address or a phone number, and companies named by their name."""

from contacts.models import Contact
from contacts.services import find_or_create_company, update_contacts, upsert_person
from tests.base import BaseTestCase, refused
from tests.factories import CompanyFactory

# As a company is stored, and as somebody else writes its name.
SPELLINGS = (
    ("Café Crème", "CAFE CREME"),
    ("Łódź  Sp. z o.o.", " lodz sp. z o.o. "),
    ("Straße & Söhne", "STRASSE & SOHNE"),
    ("Sœurs Œuvre", "soeurs oeuvre"),
    ("L’Oréal-Test", "L'Oreal‑Test"),
    ("Ørsted", "orsted"),
    ("Kilim Isparta", "KILIM ISPARTA"),
    ("İstanbul A.Ş.", "istanbul a.s."),
    ("ﬁnance ＡＢＣ", "Finance ABC"),
    ("株式会社　山田", "株式会社 山田"),
    ("Ελλάς", "ΕΛΛΑΣ"),
    ("Ёлка", "ЁЛКА"),
    ("Cafe\u0301 Bar", "Café Bar"),
)


class TestPeople(BaseTestCase):
    def upsert(self, **change: str) -> tuple[Contact, str]:
        receipt = upsert_person(actor=self.bob, change=change)
        return receipt.row, receipt.outcome

    def test_the_email_comes_before_the_phone_number(self) -> None:
        by_email, by_phone = self.person(email="ann@x.io"), self.person(phone="+33 1 23")

        assert self.upsert(email=" ANN@x.io ", phone="+33 1 23", first_name="Ann") == (by_email, "updated")
        assert self.upsert(email=by_phone.email) == (by_phone, "unchanged")

    def test_a_phone_number_names_a_person_too(self) -> None:
        person = self.person(mobile="+33 1 23")

        assert self.upsert(phone="+33 1 23", first_name="Ann") == (person, "updated")
        assert self.upsert(phone="+33 1 2", first_name="Ben")[1] == "created"

    def test_a_number_names_nobody_of_another_email(self) -> None:
        """An office has one number and many people."""
        ann = self.person(first_name="Ann", last_name="", email="ann@x.io", phone="+33 1 23")

        ben, outcome = self.upsert(first_name="Ben", email="ben@x.io", phone="+33 1 23")

        ann.refresh_from_db()
        assert (outcome, ann.email, ann.first_name, ann.version) == ("created", "ann@x.io", "Ann", 1)
        assert self.upsert(first_name="Ben", email="ben@x.io", phone="+33 1 23") == (ben, "unchanged")

    def test_a_number_names_a_person_without_email(self) -> None:
        ann = self.person(first_name="Ann", last_name="", email="", phone="+33 1 23")

        assert self.upsert(email="ann@x.io", phone="+33123") == (ann, "updated")

    def test_of_several_with_a_number_the_name_decides(self) -> None:
        ann = self.person(first_name="Ann", last_name="Lee", email="ann@x.io", phone="+33 1 23")
        ben = self.person(first_name="Ben", last_name="Lee", email="ben@x.io", phone="+33 1 23")

        assert self.upsert(first_name="béN", last_name="Lee", phone="+33 1 23", city="Rome")[0] == ben
        cleo, outcome = self.upsert(first_name="Cleo", phone="+33 1 23", city="Rome")

        assert outcome == "created"
        assert self.upsert(first_name="Cleo", phone="+33 1 23", city="Rome") == (cleo, "unchanged")
        ann.refresh_from_db()
        assert (ann.first_name, ann.city, ann.version) == ("Ann", "", 1)

    def test_whom_nothing_names_is_created(self) -> None:
        self.person(self.charlie, email="ann@x.io", phone="1")

        assert self.upsert(email="ann@x.io", phone="1", first_name="Ann")[1] == "created"
        assert self.upsert(first_name="Ann")[1] == "created"

    def test_a_company_is_no_person(self) -> None:
        find_or_create_company(actor=self.bob, name="Acme")
        self.person(kind="company", name="Office", first_name="", last_name="", email="ann@x.io")

        assert self.upsert(email="ann@x.io", first_name="Ann")[1] == "created"


class TestCompanies(BaseTestCase):
    def test_a_company_is_found_by_its_name_or_created(self) -> None:
        self.person(first_name="Acme", last_name="")

        acme = find_or_create_company(actor=self.bob, name="Acme")

        assert acme.kind == "company"
        assert find_or_create_company(actor=self.bob, name="ACME") == acme
        assert find_or_create_company(actor=self.bob, name="Acme Ltd") != acme
        assert find_or_create_company(actor=self.charlie, name="Acme") != acme

    def test_spellings_of_one_name_are_one_company(self) -> None:
        for stored, sent in SPELLINGS:
            with self.subTest(stored=stored, sent=sent):
                company = CompanyFactory(actor=self.bob, name=stored)

                assert find_or_create_company(actor=self.bob, name=sent) == company
                assert find_or_create_company(actor=self.bob, name=stored) == company

    def test_a_renamed_company_is_found_by_its_new_name(self) -> None:
        company = CompanyFactory(actor=self.bob, name="Café Łódź")
        update_contacts(actor=self.bob, changes=[(company, {"name": "Bäckerei"})])

        assert find_or_create_company(actor=self.bob, name="BACKEREI") == company
        assert find_or_create_company(actor=self.bob, name="cafe lodz") != company

    def test_of_several_companies_the_one_of_the_exact_name_is_found_then_the_oldest(self) -> None:
        cafe = CompanyFactory(actor=self.bob, name="Café")
        plain = CompanyFactory(actor=self.bob, name="Cafe")

        assert find_or_create_company(actor=self.bob, name="Cafe") == plain
        assert find_or_create_company(actor=self.bob, name=" Café ") == cafe
        assert find_or_create_company(actor=self.bob, name="CAFÉ") == cafe

    def test_a_name_longer_than_its_folded_column_is_compared_whole(self) -> None:
        """The ligature is folded to eighteen letters."""
        first = CompanyFactory(actor=self.bob, name="\ufdfa" * 100 + "a")

        assert find_or_create_company(actor=self.bob, name="\ufdfa" * 100 + "b") != first
        assert find_or_create_company(actor=self.bob, name="\ufdfa" * 100 + "A") == first

    def test_a_name_without_letters_is_a_name(self) -> None:
        mark = CompanyFactory(actor=self.bob, name="\u0301")

        assert find_or_create_company(actor=self.bob, name="\u0301") == mark
        assert find_or_create_company(actor=self.bob, name="\u0300") != mark

    def test_a_company_of_the_previous_release_is_found_by_its_name(self) -> None:
        """While servers are replaced, the previous release inserts rows without the folded name."""
        acme = CompanyFactory(actor=self.bob, name="Acme")
        Contact.objects.update(name_folded="")

        assert find_or_create_company(actor=self.bob, name="Acme") == acme

    def test_a_viewer_makes_none(self) -> None:
        with refused("forbidden"):
            find_or_create_company(actor=self.viewer, name="Acme")
