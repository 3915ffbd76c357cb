"""Import and export in the admin: the same rights and refusals as over HTTP."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm_project.imports.models import Import
from deals.models import Deal
from tests.imports.client import csv_file
from tests.staff.base import StaffTestCase, action_url, add_url, change_url, list_url
from tests.tasks import run_tasks

pytestmark = pytest.mark.once

GOOD = csv_file(("name", "amount"), ("A", "10"), ("B", "20"))


class ImportPagesTests(StaffTestCase):
    def uploaded(self, content=GOOD):
        file = SimpleUploadedFile("deals.csv", content, "text/csv")
        answer = self.client.post(add_url(Import), {"kind": "deals", "file": file})
        assert answer.status_code == 302, answer.content.decode()
        return Import.objects.latest("id")

    def asked(self, source, what, **changes):
        form = self.client.get(change_url(source)).context["form"]
        given = {field.html_name: field.value() or "" for field in form}
        with self.captureOnCommitCallbacks(execute=True):
            answer = self.client.post(
                reverse(f"admin:imports_{what}", args=[source.pk]), {**given, **changes}
            )
        run_tasks()
        return answer

    def test_it_works(self):
        source = self.uploaded()

        assert self.asked(source, "preview").status_code == 302
        assert "Of 2 rows 2 would be created." in self.page(change_url(source))
        assert not Deal.objects.exists()

        assert self.asked(source, "run").status_code == 302
        assert "2 were created" in self.page(change_url(source))
        assert Deal.objects.count() == 2
        assert "deals.csv" in self.page(list_url(Import))

    def test_a_bad_row_is_listed_and_nothing_is_imported(self):
        source = self.uploaded(GOOD.replace(b"20", b"<b>x</b>"))

        self.asked(source, "run")

        page = self.page(change_url(source))
        assert "Nothing was imported: 1 row with errors" in page
        assert "&lt;b&gt;x&lt;/b&gt;" in page
        assert "<b>x</b>" not in page
        answer = self.client.get(reverse("admin:imports_error_file", args=[source.pk]))
        assert b"<b>x</b>" in answer.getvalue()

    def test_refusals_are_errors_of_the_form(self):
        source = self.uploaded()
        assert (
            "no column is mapped"
            in self.asked(source, "run", column_0="", column_1="").content.decode().lower()
        )
        file = SimpleUploadedFile("deals.csv", b"\x81\x8d" * 9)
        assert (
            "not a text file"
            in self.client.post(add_url(Import), {"kind": "deals", "file": file}).content.decode()
        )

    def test_another_delimiter_reads_the_file_again(self):
        source = self.uploaded()

        assert self.asked(source, "preview", delimiter=";").status_code == 302

        source.refresh_from_db()
        assert [column["label"] for column in source.columns] == ["name,amount"]
        assert source.state == "ready"

    def test_others_see_nothing(self):
        source = self.uploaded()
        for who in (self.charlie, self.viewer, self.manager, self.operator):
            self.sign_in(who)
            assert self.client.get(change_url(source)).status_code == 403
            for name in ("preview", "run", "error_file"):
                assert self.client.post(reverse(f"admin:imports_{name}", args=[source.pk])).status_code == 403
            self.client.post(action_url("discard", source))
        assert Import.objects.exists()
        self.sign_in(self.viewer)
        assert self.client.get(add_url(Import)).status_code == 403

    def test_see_them_lists_exactly_what_the_import_has_written(self):
        self.deal(name="Older", amount="5")
        self.deal(self.charlie, name="Theirs")
        source = self.uploaded()
        self.asked(source, "run")
        self.deal(name="Later", amount="6")

        found = re.search(r'href="([^"]+)">See them<', self.page(change_url(source)))

        assert found
        page = self.client.get(html.unescape(found[1]))
        assert sorted(row.name for row in page.context["cl"].result_list) == ["A", "B"]
        self.sign_in(self.charlie)
        assert not self.client.get(html.unescape(found[1])).context["cl"].result_list

    def test_a_file_can_be_discarded(self):
        source = self.uploaded()
        assert self.client.get(action_url("discard", source)).status_code == 200
        assert Import.objects.exists()

        assert self.client.post(action_url("discard", source)).status_code == 302

        assert not Import.objects.exists()

    def test_an_export_is_what_the_list_shows(self):
        self.deal(name="Open")
        self.deal(name="Won", stage=self.won.pk)
        self.deal(self.alice, name="Secret", is_private=True)
        self.deal(self.charlie, name="Theirs")
        self.sign_in(self.viewer)

        everything = self.client.get(reverse("admin:imports_export_deals")).getvalue().decode()
        found = self.client.get(reverse("admin:imports_export_deals"), {"q": "won"}).getvalue().decode()
        book = self.client.get(reverse("admin:imports_export_deals_xlsx")).getvalue()

        assert all(name in everything for name in ("Open", "Won"))
        assert not any(name in everything for name in ("Secret", "Theirs"))
        assert "Won" in found
        assert "Open" not in [line.split(",")[3] for line in found.splitlines()]
        assert book.startswith(b"PK")
        assert reverse("admin:imports_export_deals") in self.page(list_url(Deal))

    def test_a_login_without_an_organization_exports_nothing(self):
        self.sign_in(self.operator)
        assert self.client.get(reverse("admin:imports_export_contacts")).status_code == 403
