"""The page of reports: each number leads to the list of exactly these deals; CSV; nothing of others."""

import csv
import datetime
import io
import random
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

from django.urls import reverse
from django.utils import timezone

from deals import metrics
from deals.admin.reports import SECTIONS
from deals.models import Deal
from deals.services import create_lost_reason
from tests.staff.base import StaffTestCase

REPORTS = "/admin/deals/deal/reports/"


class ReportTests(StaffTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        chance = random.Random(3)
        reason = create_lost_reason(actor=cls.alice, change={"name": "=Price"})
        today = timezone.now()
        for number in range(40):
            status = chance.choice(["open", "open", "won", "lost", "abandoned"])
            closing = {"status": status, "closed_at": today - datetime.timedelta(days=chance.randint(0, 150))}
            cls.deal(
                cls,
                chance.choice([cls.alice, cls.bob]),
                name=f"{number}",
                pipeline=chance.choice([cls.pipeline, cls.renewals]).pk,
                amount=chance.choice([None, Decimal("12.34"), Decimal(100)]),
                currency=chance.choice(["EUR", "EUR", "USD"]),
                forecast_category=chance.choice([None, "commit", "best_case", "omitted"]),
                is_private=chance.random() < 0.3,
                owner=chance.choice([None, cls.alice.member.pk, cls.bob.member.pk]),
                expected_close_date=today.date() + datetime.timedelta(days=chance.randint(-100, 100)),
                **(closing if status != "open" else {}),
                **({"lost_reason": chance.choice([None, reason.pk])} if status == "lost" else {}),
            )
        theirs = {"status": "won", "amount": Decimal(999), "owner": cls.charlie.member.pk}
        cls.deal(cls, cls.charlie, **theirs)

    def sections(self, query=""):
        response = self.client.get(f"{REPORTS}?{query}")
        assert response.status_code == 200
        return response.context["sections"]

    def test_each_number_is_that_of_the_list_that_its_link_opens(self):
        links = 0
        for who in (self.alice, self.manager, self.bob, self.viewer):
            self.sign_in(who)
            for query in (
                "",
                f"pipeline={self.renewals.pk}",
                "since=2020-01-01&until=2020-02-01",
                f"owner={self.bob.member.pk}",
                f"owner={self.bob.member.pk}&pipeline={self.renewals.pk}",
            ):
                for section in self.sections(query):
                    for cell in (cell for row in section.rows for cell in row if cell.url):
                        rows = self.client.get(cell.url).context["cl"].queryset
                        assert rows.count() == cell.plain, (section.name, cell)
                        links += 1
        assert links > 50

    def test_wrong_parameters_are_those_of_the_default(self):
        default = [section.rows for section in self.sections()]

        for query in (
            "since=x&until=y",
            "since=2020-01-01&until=2026-01-01",
            "pipeline=999999",
            f"owner={self.charlie.member.pk}",
            "until=9999-12-31",
        ):
            assert [section.rows for section in self.sections(query)] == default

    def test_the_deals_of_one_owner(self):
        self.sign_in(self.alice)

        sections = {section.name: section for section in self.sections(f"owner={self.bob.member.pk}")}

        won = Deal.objects.filter(status="won", owner=self.bob.member, closed_at__date__gte=self.since())
        assert sections["results"].rows[0][1].plain == won.count() > 0
        assert [row[0].text for row in sections["members"].rows] == ["Bob"]

    def since(self):
        """The first day of the default period."""
        return metrics.month_start(timezone.now().date(), -3)

    def test_a_period_of_the_form(self):
        page = self.page(f"{REPORTS}?since=2024-05-01&until=2024-06-30")

        assert "May 2024" in page
        assert "Jun 2024" in page
        assert "Jul 2024" not in page

    def test_each_table_is_a_csv(self):
        for name in SECTIONS:
            response = self.client.get(reverse("admin:deals_deal_report_csv", args=[name]))
            assert response["Content-Type"] == "text/csv; charset=utf-8"
            assert response.content.decode().startswith("\ufeff")
        self.sign_in(self.alice)
        text = self.client.get(reverse("admin:deals_deal_report_csv", args=["lost-reasons"])).content.decode()
        assert "'=Price" in text
        assert self.client.get("/admin/deals/deal/reports/other.csv").status_code == 404

    def test_a_csv_is_written_as_the_readers_language_writes(self):
        self.bob.member.language = "fr"
        self.bob.member.save()
        french = self.csv_of("members", ";")
        self.bob.member.language = "en"
        self.bob.member.save()
        english = self.csv_of("members", ",")

        assert any("." in cell for row in english for cell in row)
        # The first column has names.
        figures = [[cell.replace(".", ",") for cell in row[1:]] for row in english]
        assert [row[1:] for row in french] == figures

    def csv_of(self, name, delimiter):
        text = self.client.get(reverse("admin:deals_deal_report_csv", args=[name])).content.decode()
        return list(csv.reader(io.StringIO(text), delimiter=delimiter))[1:]

    def test_an_outsider_sees_nothing_of_it(self):
        self.sign_in(self.charlie)

        sections = {section.name: section for section in self.sections()}

        assert sections["results"].rows[0][1].plain == 1
        assert [row[0].text for row in sections["members"].rows] == ["Charlie"]

    def test_deals_without_a_rate_are_counted(self):
        self.sign_in(self.alice)

        [results] = [section for section in self.sections() if section.name == "results"]

        assert "without a rate" in results.notice
        assert parse_qs(urlsplit(results.rows[0][1].url).query)["status"] == ["won"]
