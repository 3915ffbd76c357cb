"""Exports: what the list shows, safe to open, and unchanged when it comes back."""

import csv
import datetime
import io
import zipfile
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import openpyxl

from contacts.models import Contact
from crm_project.api.pagination import streamed_rows
from crm_project.imports.exporting import csv_stream, xlsx_stream
from crm_project.imports.models import Import
from deals.models import Deal
from pipelines.services import create_stage
from tests.api.client import ApiTestCase, problem
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory
from tests.imports.client import XLSX, carried_out, counts, imported, upload


def export(client, kind, **parameters):
    answer = client.client.get(f"/api/{kind}/export", parameters, headers=client.headers)
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def table(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def fill(case):
    """A deal of every kind, with all that a deal can have."""
    CustomFieldFactory(actor=case.alice, key="size", type="number")
    CustomFieldFactory(actor=case.alice, key="tags", type="multiselect", options=["a", "b"])
    CustomFieldFactory(actor=case.alice, key="size", type="number", kind="contact")
    create_stage(actor=case.alice, change={"pipeline": case.pipeline.pk, "name": "Offer"})
    company = CompanyFactory(actor=case.bob, name="=Acme", custom_fields={"size": -3})
    person = case.person(company=company.pk, owner=case.bob.member.pk, phone="+49 30", last_name="'-x")
    reason = LostReasonFactory(actor=case.alice)
    rich = case.deal(
        name="-1+2",
        description='a\nb;"c" \x01 é \r',
        amount=Decimal("1000.000"),
        currency="KWD",
        amount_gross=Decimal("1000.001"),
        contact=person.pk,
        client=company.pk,
        owner=case.bob.member.pk,
        members=[person.pk],
        followers=[case.viewer.member.pk],
        is_private=True,
        access_list=[case.bob.member.pk, case.viewer.member.pk],
        custom_fields={"size": -1.5, "tags": ["a", "b"]},
        external_references=[("erp", "1"), ("shop", "2")],
        probability=7,
        stage=case.offer.pk,
        number="007",
        department_id=-5,
    )
    lost = case.deal(name="Lost", stage=case.lost.pk, lost_reason=reason.pk, next_deal=rich.pk)
    hourly = case.deal(name="'=x", bid_type="hour", bid_value="9.99", bid_periods=3, tax_rate="23")
    return [rich, lost, hourly, case.deal(name="ends with '"), case.deal(name="@\t")]


class ExportTests(ApiTestCase):
    def test_what_comes_out_goes_in_unchanged(self):
        deals = fill(self)
        self.organization.language = "de"
        self.organization.save()
        for kind, model in (("deals", Deal), ("contacts", Contact)):
            before = list(model.objects.order_by("id").values())
            for parameters in ({}, {"file_format": "xlsx"}):
                content = export(self.as_bob, kind, **parameters)
                for options in ({}, {"empty_cells": "clear"}):
                    result = imported(self.as_bob, kind, content, options=options)
                    assert result["refused"] == [], (kind, parameters)
                    assert counts(result)[:2] == (0, 0), (kind, parameters, result["examples"])
                    assert list(model.objects.order_by("id").values()) == before
        assert len(deals) == Deal.objects.count()

    def test_an_older_file_calls_participants_members(self):
        person = self.person()
        header = export(self.as_bob, "deals").decode("utf-8-sig").splitlines()[0].split(",")

        imported(self.as_bob, "deals", f"name,member_uuids\nOld,{person.uuid}\n".encode())

        assert "participant_uuids" in header
        assert Deal.objects.get(name="Old").contact_links.get().contact == person

    def test_a_mapping_of_an_earlier_release_runs_with_the_present_keys(self):
        person = self.person()
        content = f"name,participant_uuids\nOld,{person.uuid}\n".encode()
        source = Import.objects.get(uuid=upload(self.as_bob, "deals", content).json()["uuid"])
        Import.objects.update(mapping={"name": "name", "participant_uuids": "member_uuids"})

        shown = self.as_bob.get(f"/api/imports/{source.uuid}").json()
        done = carried_out(self.as_bob, f"/api/imports/{source.uuid}")

        assert shown["mapping"]["participant_uuids"] == "participant_uuids"
        assert done["state"] == "done", done
        assert Deal.objects.get(name="Old").contact_links.get().contact == person

    def test_it_shows_what_the_list_shows(self):
        for number in range(3):
            self.deal(name=f"Deal {number}", amount=number)
        self.deal(self.alice, name="Secret", is_private=True)
        self.deal(self.charlie, name="Theirs")

        assert [
            row["name"] for row in table(export(self.as_viewer, "deals", amount_min="1", ordering="amount"))
        ] == [
            "Deal 1",
            "Deal 2",
        ]
        assert len(table(export(self.as_alice, "deals"))) == 4
        assert [row["name"] for row in table(export(self.as_charlie, "deals"))] == ["Theirs"]

    def test_no_cell_is_a_formula(self):
        dangers = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "'=1"]
        dangers += [f"{sign}1+1" for sign in "＝＋－＠﹦﹢﹣﹫"] + ["'＝1"]
        for name in dangers:
            self.deal(name=name)

        shown = [row["name"] for row in table(export(self.as_bob, "deals", ordering="created_at"))]
        raw = [row["name"] for row in table(export(self.as_bob, "deals", ordering="created_at", raw="1"))]
        book = openpyxl.load_workbook(io.BytesIO(export(self.as_bob, "deals", file_format="xlsx", raw="1")))

        assert shown == [f"'{name}" for name in dangers]
        assert raw == dangers
        assert {cell.data_type for row in book.active.iter_rows() for cell in row} <= {
            "s",
            "inlineStr",
            "n",
            "b",
            "d",
        }

    def test_each_kind_of_value_has_its_cell(self):
        """The value, its text in CSV, and its cell in a workbook; None where the cell is a text like that of CSV."""
        uuid = UUID("00000000-0000-4000-8000-00000000000a")
        instant = datetime.datetime(2026, 3, 1, 9, 30, tzinfo=ZoneInfo("Europe/Berlin"))
        for value, text, cell in (
            ("a & b", "a & b", 't="inlineStr"><is><t>a &amp; b</t></is></c>'),
            ("_x0041_\x01", "_x0041_\x01", 't="inlineStr"><is><t>_x005F_x0041__x0001_</t></is></c>'),
            (" a", " a", 't="inlineStr"><is><t xml:space="preserve"> a</t></is></c>'),
            ("a\nb", '"a\nb"', 't="inlineStr"><is><t xml:space="preserve">a\nb</t></is></c>'),
            ("=1", "'=1", None),
            ("'x", "'x", None),
            (Deal.Statuses.OPEN, "open", None),
            (uuid, str(uuid), None),
            ([uuid, "b"], f"{uuid}; b", None),
            (["-1", "2"], "'-1; 2", None),
            (True, "true", 't="b"><v>1</v></c>'),
            (-7, "-7", "><v>-7</v></c>"),
            (Decimal("-0.50"), "-0.50", "><v>-0.50</v></c>"),
            (Decimal("1E+3"), "1000", "><v>1000</v></c>"),
            (1e-7, "0.0000001", "><v>0.0000001</v></c>"),
            (1234567890123456, "1234567890123456", None),
            (datetime.date(2026, 3, 1), "2026-03-01", 's="1"><v>46082</v></c>'),
            (datetime.date(1899, 3, 1), "1899-03-01", None),
            (instant, "2026-03-01T08:30:00Z", None),
        ):
            lines = b"".join(csv_stream([["x", value, None, ""]], raw=False)).decode("utf-8-sig")
            archive = zipfile.ZipFile(io.BytesIO(b"".join(xlsx_stream([["x", value, None, ""]]))))
            sheet = archive.read("xl/worksheets/sheet1.xml").decode()

            assert lines == f"x,{text},,\r\n", value
            cell = cell or f't="inlineStr"><is><t>{text}</t></is></c>'
            assert sheet.endswith(f'<c r="B1" {cell}</row></sheetData></worksheet>'.replace(" >", ">")), sheet

    def test_figures_stay_figures(self):
        CustomFieldFactory(actor=self.alice, key="size", type="number")
        self.deal(amount="99.90", custom_fields={"size": -5}, expected_close_date=None)

        (row,) = table(export(self.as_bob, "deals"))

        assert (row["amount"], row["custom_size"]) == ("99.90", "-5")
        book = openpyxl.load_workbook(io.BytesIO(export(self.as_bob, "deals", file_format="xlsx")))
        header, cells = book.active.iter_rows(values_only=True)
        assert dict(zip(header, cells, strict=True))["amount"] == 99.9

    def test_long_texts_are_cut_in_workbooks_and_refused_by_the_import(self):
        self.deal(name="Long", description="x" * 40_000)

        result = imported(self.as_bob, "deals", export(self.as_bob, "deals", file_format="xlsx"))

        assert [error["code"] for error in result["refused"][0]["errors"]] == ["invalid"]
        assert counts(imported(self.as_bob, "deals", export(self.as_bob, "deals"))) == (0, 0, 1, 0)

    def test_wrong_parameters_are_refused(self):
        problem(self.as_bob.get("/api/deals/export", nonsense="1"), 400, "unknown_parameter", "/nonsense")
        problem(self.as_bob.get("/api/deals/export", status="nonsense"), 400, "invalid", "/status")
        problem(self.as_bob.get("/api/deals/export", file_format="pdf"), 400, "invalid", "/file_format")
        problem(self.as_bob.get("/api/deals/export", raw="maybe"), 400, "invalid", "/raw")
        problem(self.as_bob.get("/api/deals/export", ordering="nonsense"), 400, "invalid", "/ordering")

    def test_pages_make_one_file(self):
        for number in range(7):
            self.deal(name=str(number), amount=number % 2)

        class View:
            default_ordering = "amount"

            def orderings_for(self, request):
                from crm_project.records.paging import Key

                return {"amount": Key("amount", nullable=True)}

        class Request:
            query_params = {}

        rows = list(streamed_rows(Deal.objects.all(), Request(), View(), size=2))
        assert [row.name for row in rows] == ["0", "2", "4", "6", "1", "3", "5"]

    def test_the_answer_is_a_file(self):
        answer = self.as_viewer.client.get(
            "/api/contacts/export?file_format=xlsx", headers=self.as_viewer.headers
        )
        assert answer["Content-Type"] == XLSX
        assert answer["Content-Disposition"] == 'attachment; filename="contacts.xlsx"'
        b"".join(answer.streaming_content)
