"""The upload of exchange rates in the admin."""

import datetime
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm_project.rates.models import ExchangeRate
from crm_project.rates.services import create_exchange_rate
from tests.rates.test_rates import ECB
from tests.staff.base import StaffTestCase, change_url, list_url

pytestmark = pytest.mark.once

URL = "/admin/rates/exchangerate/upload/"
CSV = "currency,date,rate\nUSD,2026-01-05,0.8\nCHF,2026-01-05,1.05\n"


class FormTests(StaffTestCase):
    def test_the_form_of_a_rate_that_is_saved_as_it_is_changes_nothing(self):
        self.sign_in(self.manager)
        change = {"currency": "USD", "date": datetime.date(2024, 1, 1), "rate": Decimal("0.9234")}
        rate = create_exchange_rate(actor=self.manager, change=change)

        assert self.form(change_url(rate))["rate"] == "0.9234"
        self.save(change_url(rate))
        assert ExchangeRate.objects.get().version == 1

        self.save(change_url(rate), date="2024-01-02")
        assert ExchangeRate.objects.get().date == datetime.date(2024, 1, 2)


class UploadTests(StaffTestCase):
    def setUp(self):
        self.sign_in(self.manager)

    def upload(self, content, **more):
        file = SimpleUploadedFile("rates", content if isinstance(content, bytes) else content.encode())
        return self.client.post(URL, {"file": file, **more}, follow=True)

    def stored(self):
        rates = ExchangeRate.objects.live().order_by("currency", "date")
        return [(rate.currency, str(rate.date), rate.rate) for rate in rates]

    def test_a_csv(self):
        answer = self.upload(CSV)

        assert self.stored() == [
            ("CHF", "2026-01-05", Decimal("1.05")),
            ("USD", "2026-01-05", Decimal("0.8")),
        ]
        assert answer.redirect_chain[0][0] == list_url(ExchangeRate)
        self.assertContains(answer, "Rates: 2 created, 0 updated, 0 unchanged.")
        self.assertContains(answer, "Undo</a>")

    def test_the_european_central_bank_s_file_and_a_byte_order_mark(self):
        self.upload(b"\xef\xbb\xbf" + ECB.encode())

        assert [(currency, day) for currency, day, _ in self.stored()] == [
            ("PLN", "2026-01-05"),
            ("USD", "2026-01-02"),
            ("USD", "2026-01-05"),
        ]

    def test_a_file_with_wrong_rates_stores_nothing_and_names_them(self):
        answer = self.upload(CSV + "XXX,2026-01-05,1\nUSD,2099-01-01,1\n")

        assert self.stored() == []
        self.assertContains(answer, "XXX of 2026-01-05: This is not an ISO 4217 currency code.")
        self.assertContains(answer, "USD of 2099-01-01: A rate is of today or of an earlier day.")

    def test_many_errors_are_counted(self):
        lines = "".join(f"USD,2099-01-{day:02},1\n" for day in range(1, 20))

        self.assertContains(self.upload("currency,date,rate\n" + lines), "And 9 more.")

    def test_what_is_no_file_of_rates(self):
        for content, text in (
            (b"\xff\xfe\x00", "This is not a text in UTF-8."),
            ("<a>", "This is not XML."),
            ("name\nx", "The first line has the columns currency, date and rate."),
        ):
            with self.subTest(content=content):
                self.assertContains(self.upload(content), text)

    def test_a_form_that_is_sent_twice_is_stored_once(self):
        for _ in range(2):
            self.assertContains(self.upload(CSV, form_key="a" * 32), "Rates: 2 created")

    def test_the_list_links_to_it(self):
        self.assertContains(self.client.get(list_url(ExchangeRate)), reverse("admin:rates_upload"))

    def test_a_member_who_may_not_edit_rates_has_no_page(self):
        self.sign_in(self.bob)

        assert self.client.get(URL).status_code == 403
        assert self.upload(CSV).status_code == 403
        assert self.stored() == []
