"""Downloads of the admin: what a reader's spreadsheet understands, and what comes back from it unchanged."""

import csv
import datetime
import io
import re
import zipfile
from collections import Counter
from decimal import Decimal

import openpyxl
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.urls import reverse
from django.utils.translation import override

from contacts.models import Contact
from crm_project.activities.models import Activity
from crm_project.imports.fields import cell_of
from crm_project.imports.kinds import KINDS, import_kind
from crm_project.imports.mapping import folded, guess_mapping, headers_of
from crm_project.imports.models import Export, Import
from crm_project.imports.services import ask_for
from crm_project.imports.tables.workbooks import _plain
from crm_project.saved_views.services import create_saved_view
from deals.models import Deal, DealState
from tests.api.client import ApiClient
from tests.factories import CustomFieldFactory
from tests.imports.test_exports import export, fill
from tests.staff.base import StaffTestCase, add_url, list_url
from tests.tasks import run_tasks

pytestmark = pytest.mark.once

LANGUAGES = list(dict(settings.LANGUAGES))
COMMA = [language for language in LANGUAGES if language != "en"]
DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?: (\d\d:\d\d):\d\d)?")
FIGURE = re.compile(r"-?\d+[.,]\d+")
CLOSED = datetime.datetime(2026, 3, 1, 23, 5, 37, 123456, tzinfo=datetime.UTC)
# In the hour that comes twice in Paris, the second time.
TWICE = datetime.datetime(2025, 10, 26, 1, 30, 20, 500, tzinfo=datetime.UTC)


def read(content, delimiter):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


class DownloadTestCase(StaffTestCase):
    def setUp(self):
        super().setUp()
        self.reads("fr")

    def reads(self, language, time_zone="Europe/Paris"):
        member = self.bob.member
        member.language, member.time_zone = language, time_zone
        member.save()

    def download(self, kind, file_format="csv", **parameters):
        name = f"admin:imports_export_{kind}{'_xlsx' if file_format == 'xlsx' else ''}"
        answer = self.client.get(reverse(name), parameters)
        assert answer.status_code == 200
        return answer.getvalue()

    def sheet(self, kind, **parameters):
        return openpyxl.load_workbook(io.BytesIO(self.download(kind, "xlsx", **parameters))).active

    def labels(self, kind, language):
        fields = import_kind(kind, self.bob).fields
        headers = zip(fields, headers_of(fields, language), strict=True)
        return {field.key: header for field, header in headers if field.show is not None}


class FormTests(DownloadTestCase):
    def setUp(self):
        super().setUp()
        CustomFieldFactory(actor=self.alice, key="go_live", type="date", label="Go-live")
        CustomFieldFactory(actor=self.alice, key="size", type="number", label="Size")
        self.row = self.deal(
            name="-1",
            amount="1234567.5",
            expected_close_date="2026-05-04",
            custom_fields={"go_live": "2026-06-07", "size": 2.125},
            is_private=True,
            stage=self.won.pk,
            closed_at=CLOSED,
        )

    def line(self, language, delimiter):
        self.reads(language)
        header, cells = read(self.download("deals"), delimiter)
        named = {key: header.index(label) for key, label in self.labels("deals", language).items()}
        assert header == list(self.labels("deals", language).values())
        return {key: cells[place] for key, place in named.items()}

    def test_a_csv_is_written_as_the_readers_language_writes(self):
        for language in LANGUAGES:
            row = self.line(language, ";" if language in COMMA else ",")
            sign = "," if language in COMMA else "."

            assert row["name"] == "'-1"
            assert row["amount"] == f"1234567{sign}50"
            assert row["custom_size"] == f"2{sign}125"
            assert row["expected_close_date"] == "2026-05-04"
            assert row["custom_go_live"] == "2026-06-07"
            # Bob's clock in Paris.
            assert row["closed_at"] == "2026-03-02 00:05:37"
            # Choices stay keys, which every language reads.
            assert (row["status"], row["is_private"]) == ("won", "true")

    def test_the_header_has_the_labels_of_the_import_page(self):
        for kind in KINDS:
            with override("fr"):
                shown = {field.key: field.shown for field in import_kind(kind, self.bob).fields}
            header = read(self.download(kind), ";")[0]
            assert header == [shown[key] for key in self.labels(kind, "fr")]

    def test_keys_on_request(self):
        header, cells = read(self.download("deals", headers="keys"), ";")

        assert header == list(self.labels("deals", ""))
        assert cells[header.index("amount")] == "1234567,50"

    def test_a_label_that_names_another_field_gives_way_to_the_key(self):
        for key, label in (("one", "Amount"), ("two", "Status"), ("three", "size"), ("four", "Größe")):
            CustomFieldFactory(actor=self.alice, key=key, type="number", label=label)
        for language in LANGUAGES:
            fields = import_kind("deals", self.bob).fields
            header = headers_of(fields, language)
            mapping = guess_mapping(header, fields)

            assert len(set(map(folded, header))) == len(header)
            assert mapping == {
                name: None if field.is_read_only else field.key
                for field, name in zip(fields, header, strict=True)
            }
        assert headers_of(fields, "en")[-4:] == ["custom_one", "custom_two", "custom_three", "Größe"]

    def test_a_workbook_has_dates_figures_and_a_filter(self):
        sheet = self.sheet("deals")
        header, row = sheet.iter_rows()
        cells = dict(zip(self.labels("deals", "fr"), row, strict=True))

        assert [cell.value for cell in header] == list(self.labels("deals", "fr").values())
        assert all(cell.font.b for cell in header)
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == sheet.dimensions
        assert (cells["amount"].value, cells["amount"].number_format) == (1234567.5, "0.00")
        assert cells["custom_size"].value == 2.125
        for key, day in (("expected_close_date", (2026, 5, 4)), ("custom_go_live", (2026, 6, 7))):
            assert (cells[key].value, cells[key].is_date) == (datetime.datetime(*day), True)
        assert cells["closed_at"].value == datetime.datetime(2026, 3, 2, 0, 5, 37)
        assert cells["closed_at"].number_format == r"yyyy\-mm\-dd\ hh:mm"
        assert cells["is_private"].value is True
        assert (cells["name"].value, cells["name"].font.b) == ("'-1", False)

    def test_three_decimals_stay_and_what_a_spreadsheet_would_round_is_a_text(self):
        self.deal(name="KWD", amount=Decimal("1.005"), currency="KWD")
        self.deal(name="Old", amount=Decimal("1"), expected_close_date="1899-01-01")
        self.row.custom_fields["size"] = 1234567890123456
        self.row.save()
        place = {key: index for index, key in enumerate(self.labels("deals", "fr"))}
        rows = {row[place["name"]].value: row for row in self.sheet("deals").iter_rows()}

        assert rows["KWD"][place["amount"]].number_format == "0.000"
        assert rows["Old"][place["expected_close_date"]].value == "1899-01-01"
        assert rows["'-1"][place["custom_size"]].value == "1234567890123456"

    def test_only_the_columns_of_the_list(self):
        keys = "name amount currency pipeline stage status client_name owner_email expected_close_date"
        header = read(self.download("deals", columns="list"), ";")[0]
        assert header == self.named("deals", f"{keys} stage_entered_at uuid")

        header = read(self.download("contacts", columns="list"), ";")[0]
        assert header == self.named(
            "contacts", "full_name kind email phone company_name owner_email created_at uuid"
        )

        header = [cell.value for cell in next(self.sheet("activities", columns="list").iter_rows())]
        shown = "type subject due_at due_on deal_name contact_name owner_email done_at created_at uuid"
        assert header == self.named("activities", shown)

    def named(self, kind, keys):
        labels = self.labels(kind, "fr")
        return [labels[key] for key in keys.split()]

    def test_only_the_columns_of_a_saved_view(self):
        view = create_saved_view(
            actor=self.bob,
            change={"name": "Brief", "list": "deals", "filters": {"status": "won"}, "columns": ["owner"]},
        )
        self.deal(name="Open")

        header, row = read(self.download("deals", view=str(view.uuid), columns="list"), ";")
        assert header == self.named("deals", "name owner_email uuid")
        assert row == ["'-1", "", str(self.row.uuid)]

    def test_the_page_of_choices_keeps_the_query_of_the_list(self):
        place = reverse("admin:imports_export_deals_choices")
        assert f"{place}?status=won" in self.page(f"{list_url(Deal)}?status=won")

        page = self.page(f"{place}?status=won")
        assert '<input type="hidden" name="status" value="won">' in page
        for part in ('name="headers"', 'value="keys"', 'name="columns"', 'value="list"'):
            assert part in page
        assert f'formaction="{reverse("admin:imports_export_deals_xlsx")}"' in page
        self.sign_in(self.operator)
        assert self.client.get(place).status_code == 403

    @override_settings(EXPORT_TASK_ROWS=0)
    def test_a_file_in_the_background_is_the_one_that_was_asked_for(self):
        offer = self.page(f"{reverse('admin:imports_export_deals')}?headers=keys&columns=list")
        assert "headers=keys&amp;columns=list&amp;at_once=1" in offer
        for parameters in ({}, {"headers": "keys"}, {"columns": "list", "status": "won"}):
            for name in ("deals", "deals_xlsx"):
                place = reverse(f"admin:imports_export_{name}", query=parameters)
                self.client.post(place)
                at_once = self.client.get(place, {**parameters, "at_once": "1"})
                # What the member chooses afterwards is for the next file.
                self.reads("en", "Asia/Tokyo")
                run_tasks()
                written = Export.objects.latest("id")
                self.reads("fr")
                kept = self.client.get(reverse("admin:imports_export_file", args=[written.pk])).getvalue()
                assert parts(kept) == parts(at_once.getvalue())

    def test_the_error_file_has_the_readers_delimiter(self):
        file = SimpleUploadedFile("deals.csv", b"name,amount\nA,x\n", "text/csv")
        self.client.post(add_url(Import), {"kind": "deals", "file": file})
        source = Import.objects.get()
        ask_for(actor=self.bob, source=source, task=Import.Tasks.RUN)
        run_tasks()

        answer = self.client.get(reverse("admin:imports_error_file", args=[source.pk]))
        assert read(answer.getvalue(), ";")[1][:3] == ["A", "x", "2"]

    def test_the_api_knows_no_reader(self):
        secret = ApiClient(actor=self.bob)
        for parameters in ({}, {"file_format": "xlsx"}):
            files = []
            for language in ("fr", "en"):
                self.reads(language, "Asia/Tokyo")
                files.append(parts(export(secret, "deals", **parameters)))
            assert files[0] == files[1]
        header, row = read(export(secret, "deals"), ",")
        cells = dict(zip(header, row, strict=True))
        assert header == list(self.labels("deals", ""))
        assert cells["amount"] == "1234567.50"
        assert cells["closed_at"] == "2026-03-01T23:05:37.123456Z"
        sheet = openpyxl.load_workbook(io.BytesIO(export(secret, "deals", file_format="xlsx"))).active
        cells = dict(zip(header, list(sheet.iter_rows())[1], strict=True))
        assert sheet.auto_filter.ref is None
        assert not sheet["A1"].font.b
        assert (cells["amount"].value, cells["amount"].number_format) == (1234567.5, "General")
        assert cells["closed_at"].value == "2026-03-01T23:05:37.123456Z"
        assert cells["custom_go_live"].value == "2026-06-07"


def parts(content):
    """The contents of a file: an archive also has the time at which it was written."""
    if not content.startswith(b"PK"):
        return content
    archive = zipfile.ZipFile(io.BytesIO(content))
    return {name: archive.read(name) for name in archive.namelist()}


class RoundTripTests(DownloadTestCase):
    """Bob's zone is not that of the organization, so that a time read in the wrong one would be another."""

    MODELS = {"deals": Deal, "contacts": Contact, "activities": Activity}

    def setUp(self):
        super().setUp()
        self.organization.time_zone = "America/New_York"
        self.organization.save()
        CustomFieldFactory(actor=self.alice, key="go_live", type="date", label="Mise en service")
        CustomFieldFactory(actor=self.alice, key="agreed", type="checkbox", label="Agreed")
        rich, lost, *_ = fill(self)
        self.deal(name="Dates", custom_fields={"go_live": "2026-04-05", "agreed": False, "size": 2.125})
        self.deal(name="Twice", stage=self.won.pk, closed_at=TWICE, amount="99.90")
        self.deal(
            name="Won", stage=self.won.pk, closed_at=CLOSED, expected_close_date="2026-04-05", amount=1234
        )
        common = {"deal": rich.pk, "owner": self.bob.member.pk}
        self.activity(type="call", subject="-1", is_pinned=True, done_at=CLOSED, **common)
        self.activity(type="meeting", subject="M", due_at=TWICE, **common)
        self.activity(type="task", subject="T", due_on=datetime.date(2027, 4, 5), deal=lost.pk)

    def stored(self):
        return [list(model.objects.order_by("id").values()) for model in (*self.MODELS.values(), DealState)]

    def comes_back(self, kind, content, language, name="back"):
        """The file imports with the guessed mapping, asks nothing and changes nothing."""
        before = self.stored()
        self.reads(language)
        file = SimpleUploadedFile(name, content)
        answer = self.client.post(add_url(Import), {"kind": kind, "file": file})
        assert answer.status_code == 302, answer.content.decode()
        source = Import.objects.latest("id")
        fields = import_kind(kind, self.bob).fields
        wanted = Counter(field.key for field in fields if field.show is not None and not field.is_read_only)
        assert Counter(filter(None, source.mapping.values())) == wanted, (language, source.mapping)
        self.ran(source)
        assert self.stored() == before
        Import.objects.all().delete()

    def ran(self, source):
        ask_for(actor=self.bob, source=source, task=Import.Tasks.RUN)
        run_tasks()
        source.refresh_from_db()
        refused = list(source.refused_rows.values_list("line", "errors"))
        assert source.state == "done", (source.problem, refused)
        changed = [(row["name"], row["changed"]) for row in source.examples if row["outcome"] != "unchanged"]
        assert (source.counts["created"], source.counts["updated"]) == (0, 0), changed
        assert source.counts["unchanged"]

    def test_what_comes_out_goes_in_unchanged(self):
        for kind in self.MODELS:
            for language in LANGUAGES:
                for file_format in ("csv", "xlsx"):
                    self.reads(language)
                    content = self.download(kind, file_format)
                    # Whoever reads another language by now finds the same columns.
                    self.comes_back(kind, content, LANGUAGES[LANGUAGES.index(language) - 1])

    def test_keys_come_back_as_well(self):
        for kind in self.MODELS:
            for file_format in ("csv", "xlsx"):
                self.comes_back(kind, self.download(kind, file_format, headers="keys"), "fr")

    def test_what_a_spreadsheet_saves_comes_back_unchanged(self):
        """French and German spreadsheets: semicolons, decimal commas, days as they write them, a code page."""
        for kind in self.MODELS:
            for language, encoding in (("fr", "cp1252"), ("en", "utf-8-sig"), ("pl", "cp1250")):
                self.reads(language)
                table = read(self.download(kind), ";" if language in COMMA else ",")
                sheet = self.sheet(kind)
                for sign, words in (("/", ("VRAI", "FAUX")), (".", ("WAHR", "FALSCH"))):
                    for saved in (
                        as_displayed(table, sign, words, encoding),
                        workbook_as_displayed(sheet, sign, words, encoding),
                    ):
                        self.comes_back(kind, saved, language)

    def test_the_columns_of_a_list_come_back(self):
        for kind in self.MODELS:
            content = self.download(kind, columns="list")
            file = SimpleUploadedFile("back.csv", content)
            before = self.stored()
            self.client.post(add_url(Import), {"kind": kind, "file": file})
            self.ran(Import.objects.latest("id"))
            assert self.stored() == before

    def test_a_column_may_be_added_and_a_cell_changed(self):
        header, *rows = read(self.download("deals"), ";")
        labels = self.labels("deals", "fr")
        for row in rows:
            if row[header.index(labels["name"])] == "Won":
                row[header.index(labels["closed_at"])] = "02/03/2026 00:06"
                row[header.index(labels["amount"])] = "1500,5"
        table = [["Note", *header], *(["x", *row] for row in rows)]
        content = as_displayed(table, "/", ("VRAI", "FAUX"), "cp1252")
        self.client.post(add_url(Import), {"kind": "deals", "file": SimpleUploadedFile("a.csv", content)})
        source = Import.objects.get()
        # A field of deals is called so in no language, but its alias is.
        assert source.mapping["Note"] in (None, "description")
        source.mapping["Note"] = None
        source.save()
        ask_for(actor=self.bob, source=source, task=Import.Tasks.RUN)
        run_tasks()
        source.refresh_from_db()

        assert (source.counts["updated"], source.counts["refused"]) == (1, 0), source.examples
        row = Deal.objects.get(name="Won")
        assert row.amount == Decimal("1500.5")
        assert row.closed_at == datetime.datetime(2026, 3, 1, 23, 6, tzinfo=datetime.UTC)


def as_displayed(table, sign, words, encoding):
    """The cells of a CSV as a spreadsheet saves them after it has taken them for figures, days and truth values."""
    return written([[displayed(cell, sign, words) for cell in row] for row in table], encoding)


def displayed(cell, sign, words):
    if cell in ("true", "false"):
        return words[cell == "false"]
    if match := DAY.fullmatch(cell):
        year, month, day, time = match.groups()
        return f"{day}{sign}{month}{sign}{year}" + (f" {time}" if time else "")
    return cell.replace(".", ",") if FIGURE.fullmatch(cell) else cell


def workbook_as_displayed(sheet, sign, words, encoding):
    """The same of a workbook, whose cells have types and formats."""
    return written([[shown(cell, sign, words) for cell in row] for row in sheet.iter_rows()], encoding)


def shown(cell, sign, words):
    value = cell.value
    if value is None or isinstance(value, str):
        return _plain(value) or ""
    if isinstance(value, bool):
        return words[not value]
    if isinstance(value, datetime.datetime):
        return displayed(
            value.isoformat(" ") if "hh" in cell.number_format else str(value.date()), sign, words
        )
    decimals = {"0.00": 2, "0.000": 3}.get(cell.number_format)
    return (cell_of(value) if decimals is None else f"{value:.{decimals}f}").replace(".", ",")


def written(rows, encoding):
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(rows)
    return text.getvalue().encode(encoding)


@pytest.mark.django_db
class LabelTests(DownloadTestCase):
    def test_no_two_fields_have_one_label(self):
        """Else a header would not say which field it is; the second one would be written by its key."""
        same = [
            f"{kind} in {language}: {', '.join(keys)} are all “{label}”"
            for kind in KINDS
            for language in LANGUAGES
            for label, keys in self.by_label(kind, language).items()
            if len(keys) > 1
        ]
        assert same == []

    def by_label(self, kind, language):
        found = {}
        for field in import_kind(kind, self.bob).fields:
            found.setdefault(folded(field.label_in(language)), []).append(field.key)
        return found
