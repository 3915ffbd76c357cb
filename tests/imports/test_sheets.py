"""The sheets of a workbook: the first one with rows is read, or the one that is chosen."""

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm_project.imports.models import Import
from deals.models import Deal
from tests.api.client import ApiTestCase
from tests.imports.client import XLSX, carried_out, saved, upload, xlsx_file
from tests.staff.base import StaffTestCase, add_url, change_url


def workbook(**sheets):
    """A workbook with a column `name` in each sheet; those without names are empty. `Hidden` is hidden."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, names in sheets.items():
        sheet = book.create_sheet(title)
        for cells in (("name", "amount"), *((name, 1) for name in names)) if names else ():
            sheet.append(cells)
        sheet.sheet_state = "hidden" if title == "Hidden" else "visible"
    return saved(book)


class ApiTests(ApiTestCase):
    def uploaded(self, content):
        answer = upload(self.as_bob, "deals", content, XLSX)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def samples(self, source):
        return source["columns"][0]["samples"]

    def test_they_are_listed_and_one_can_be_chosen(self):
        source = self.uploaded(workbook(Hidden=["no"], North=["A"], South=["B", "C"]))
        assert source["sheets"] == ["North", "South", "Hidden"]
        assert self.samples(source) == ["A"]

        chosen = self.as_bob.patch(f"/api/imports/{source['uuid']}", {"options": {"sheet": "South"}}).json()

        assert self.samples(chosen) == ["B", "C"]
        done = carried_out(self.as_bob, f"/api/imports/{source['uuid']}")
        assert done["counts"]["created"] == 2
        assert set(Deal.objects.values_list("name", flat=True)) == {"B", "C"}

    def test_an_empty_sheet_is_passed_over_unless_it_is_chosen(self):
        source = self.uploaded(workbook(Cover=[], Deals=["A"]))
        assert (source["sheets"], self.samples(source)) == (["Cover", "Deals"], ["A"])

        answer = self.as_bob.patch(f"/api/imports/{source['uuid']}", {"options": {"sheet": "Cover"}})

        assert answer.status_code == 400
        assert "The sheet 'Cover' is empty." in answer.json()["detail"]


class PageTests(StaffTestCase):
    def uploaded(self, content):
        self.client.post(
            add_url(Import), {"kind": "deals", "file": SimpleUploadedFile("deals.xlsx", content)}
        )
        return Import.objects.get()

    def test_a_select(self):
        source = self.uploaded(workbook(North=["A"], South=["B"]))
        form = self.client.get(change_url(source)).context["form"]
        assert form.fields["sheet"].choices == [("", "North"), ("South", "South")]
        given = {field.html_name: field.value() or "" for field in form}

        self.client.post(reverse("admin:imports_preview", args=[source.pk]), {**given, "sheet": "South"})

        form = self.client.get(change_url(source)).context["form"]
        assert form["sheet"].value() == "South"
        assert [samples for _, samples in form.columns()] == [["B"], ["1"]]

    def test_a_workbook_with_one_sheet_has_none(self):
        source = self.uploaded(xlsx_file(("name",), ("A",)))

        assert "sheet" not in self.client.get(change_url(source)).context["form"].fields
