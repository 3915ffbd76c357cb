"""Files made by accident or by an enemy: understood, or refused with a sentence; never an error of the server."""

import io
import zipfile
from unittest import mock

import openpyxl
import pytest
from django.test import override_settings

from crm_project.imports.tables import ROW_LIMIT, workbooks
from deals.models import Deal
from tests.api.client import ApiTestCase, problem
from tests.imports.client import XLSX, counts, csv_file, imported, repacked, saved, upload, xlsx_file

pytestmark = pytest.mark.once

GOOD = xlsx_file(("name", "amount"), ("A", 1))
ENTITIES = (
    b"""<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa">%s]><worksheet>&j;</worksheet>"""
    % b"".join(
        b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in range(ord("b"), ord("k"))
    )
)


def sheet_with(rows):
    """A workbook whose sheet has a header and these rows."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    header = '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'
    size = '<dimension ref="A1:XFD1048576"/>'
    sheet = f'<worksheet xmlns="{main}">{size}<sheetData>{header}{rows}</sheetData></worksheet>'
    return repacked(GOOD, sheet=sheet.encode())


def zipped(**parts):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name.replace("__", "/"), part)
    return content.getvalue()


class EncodingTests(ApiTestCase):
    def test_encodings_are_understood(self):
        text = "name,origin\r\nÉtude “ñ”,Zürich\r\n"
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"):
            result = imported(self.as_bob, "deals", text.encode(encoding), options={"match_on": "none"})
            assert counts(result) == (1, 0, 0, 0), encoding
            assert Deal.objects.latest("id").name == "Étude “ñ”", encoding

    def test_a_charset_is_the_files_and_not_the_querys(self):
        content = "name\nÉtude\n".encode("utf-16")
        answer = upload(self.as_bob, "deals", content, "text/csv; charset=utf-16")
        assert (answer.status_code, answer.json()["file_name"]) == (201, "deals.csv")

    def test_letters_of_central_europe_are_the_organization_s(self):
        content = "name,origin\nŻółć,Łódź\n".encode("cp1250")
        self.organization.language = "pl"
        self.organization.save()

        guessed = imported(self.as_bob, "deals", content)
        assert guessed["options"]["encoding"] == "cp1250"
        assert Deal.objects.get().name == "Żółć"

        self.organization.language = "en"
        self.organization.save()
        chosen = imported(self.as_bob, "deals", content, options={"encoding": "cp1250"})
        assert counts(chosen) == (0, 0, 1, 0)

    def test_delimiters_and_line_ends_are_understood(self):
        for delimiter in ",;\t|":
            for end in ("\n", "\r\n", "\r"):
                text = f'name{delimiter}origin{end}"A{delimiter} ""b""\nc"{delimiter}x{end}'
                imported(self.as_bob, "deals", text.encode(), options={"match_on": "none"})
                deal = Deal.objects.latest("id")
                assert (deal.name, deal.origin) == (f'A{delimiter} "b"\nc', "x"), (delimiter, end)

    def test_excel_s_own_first_line_is_understood(self):
        result = imported(self.as_bob, "deals", b"sep=;\r\nname;origin\r\nA;x\r\n")
        assert counts(result) == (1, 0, 0, 0)

    def test_a_first_line_of_excels_that_names_nonsense_is_left_alone(self):
        assert counts(imported(self.as_bob, "deals", b"sep=~\nname,origin\nA,B\n")) == (1, 0, 0, 0)
        for sign in (b"\x00", b'"', b"\r"):
            content = b"sep=" + sign + b"\nname" + sign + b"amount\nA\n"
            assert upload(self.as_bob, "deals", content).status_code in (201, 400)

    def test_no_text_is_refused(self):
        for content in (
            b"\n\n",
            b"\x81\x8d\x8f\x90" * 99,
            b"%PDF-1.7",
            b"\xd0\xcf\x11\xe0 old",
            b"\x89PNG",
            b"PK",
            b"\x00" * 999,
            b"name\x00,amount\nA,1\n",
            b"\xef\xbb\xbf",
            b"\n\n  \n",
        ):
            problem(upload(self.as_bob, "deals", content), 400, "unreadable_file", "/file")

    def test_a_wrong_end_is_refused_by_its_line(self):
        content = "name\n" + "A\n" * 40_000
        answer = upload(self.as_bob, "deals", content.encode("utf-16") + b"\x00")
        assert answer.status_code in (201, 400)


class ShapeTests(ApiTestCase):
    def test_doubled_and_empty_headers_get_names(self):
        answer = upload(
            self.as_bob, "deals", csv_file(("Name", "Name", "", " x  y ", ""), ("A", "B", "C", "D"))
        )

        assert [column["label"] for column in answer.json()["columns"]] == [
            "Name",
            "Name (2)",
            "Column C",
            "x y",
        ]
        assert answer.json()["mapping"]["Name"] == "name"

    def test_ragged_rows(self):
        content = b"name,amount,origin\nA\n\nB,1,x,\n,,\nC,1,x,more\n"

        result = imported(self.as_bob, "deals", content, options={"bad_rows": "skip"})

        assert counts(result) == (2, 0, 0, 1)
        assert [(row["line"], row["errors"][0]["code"]) for row in result["refused"]] == [
            (6, "too_many_cells")
        ]

    def test_long_cells_are_errors_of_their_rows(self):
        result = imported(
            self.as_bob, "deals", csv_file(("name", "description"), ("A", "x" * 300_000), ("B", "ok"))
        )

        assert [(row["line"], row["errors"][0]["code"]) for row in result["refused"]] == [(2, "max_length")]

    def test_a_cell_without_end_is_refused(self):
        problem(upload(self.as_bob, "deals", b'name\n"A\n' + b"x\n" * 600_000), 400, "unreadable_file")

    def test_a_row_of_millions_of_cells_is_refused(self):
        for row in (b"," * (ROW_LIMIT + 1), b'"a\n",' * (ROW_LIMIT // 5 + 1)):
            refused = problem(
                upload(self.as_bob, "deals", b"name\nA\n" + row), 400, "unreadable_file", "/file"
            )
            assert "The row at line 3 has more than" in refused["detail"]

    def test_too_many_columns_are_refused(self):
        for content in (
            b"a," * 600 + b"b\n",
            b",".join(b"%d" % n for n in range(10**6)) + b"\n1\n",
            xlsx_file([f"c{n}" for n in range(600)]),
        ):
            problem(upload(self.as_bob, "deals", content), 400, "unreadable_file")

    def test_a_header_alone_is_refused(self):
        for content in (b"name,amount", b"name,amount\n\n,\n", xlsx_file(("name", "amount"))):
            for task in ("preview", "run"):
                result = imported(self.as_bob, "deals", content, task=task)
                assert (result["state"], result["counts"]) == ("failed", {})
                assert "no rows below it" in result["problem"]

    def test_rows_begin_at_their_line(self):
        content = b'name,amount\n"two\nlines",1\n\nB,x\n'
        result = imported(self.as_bob, "deals", content)
        assert [row["line"] for row in result["refused"]] == [5]

    def test_formulas_are_texts(self):
        imported(self.as_bob, "deals", csv_file(("name", "origin"), ("=1+1", "'@SUM(A1)"), ("'=2", "-x")))

        names = sorted(Deal.objects.values_list("name", "origin"))
        assert names == [("=1+1", "@SUM(A1)"), ("=2", "-x")]

    def test_lone_surrogates_and_nul_are_refused_rows(self):
        result = imported(self.as_bob, "deals", csv_file(("name",), ("a\x00",), ("b",)))
        assert [row["line"] for row in result["refused"]] == [2]


class WorkbookTests(ApiTestCase):
    def refused(self, content):
        problem(upload(self.as_bob, "deals", content, XLSX), 400, "unreadable_file", "/file")

    def test_entity_bombs_are_refused(self):
        for part in ("sheet", "workbook", "styles"):
            self.refused(repacked(GOOD, **{part: ENTITIES}))
        self.refused(repacked(GOOD, sheet=ENTITIES.decode().encode("utf-16")))

    def test_external_entities_are_refused(self):
        xxe = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><worksheet>&f;</worksheet>'
        self.refused(repacked(GOOD, sheet=xxe))

    @mock.patch.object(workbooks, "ROW_LIMIT", 300_000)
    def test_a_row_of_many_thousands_of_cells_is_refused(self):
        cells = "".join(f"<c><v>{number}</v></c>" for number in range(40_000))
        self.refused(sheet_with(f'<row r="2">{cells}</row>'))
        self.refused(sheet_with(f'<row r="2"><c t="inlineStr"><is><t>{cells}</t></is></c></row>'))

        # What stands between and behind the rows may be more.
        empty = "".join(f'<row r="{number}" spans="1:{number}"/>' for number in range(2, 20_000))
        full = sheet_with(empty + '<row r="20000"><c><v>7</v></c></row>')
        assert counts(imported(self.as_bob, "deals", full)) == (1, 0, 0, 0)
        links = "".join(f'<hyperlink ref="A{number}"/>' for number in range(20_000))
        linked = sheet_with(f"<row><c><v>8</v></c></row></sheetData>{links}<sheetData>")
        assert counts(imported(self.as_bob, "deals", linked)) == (1, 0, 0, 0)

    def test_other_things_that_are_zipped_are_called_by_their_names(self):
        for content, name in (
            (zipped(mimetype="", content="", **{"content.xml": ""}), "OpenDocument"),
            (zipped(**{"[Content_Types].xml": "", "xl__workbook.bin": ""}), "XLSB"),
            (zipped(**{"deals.xlsx": GOOD}), "ZIP"),
        ):
            answer = upload(self.as_bob, "deals", content, XLSX)
            assert name in problem(answer, 400, "unreadable_file", "/file")["detail"]

    def test_zip_bombs_are_refused(self):
        self.refused(repacked(GOOD, sheet=b"<worksheet>" + b" " * 50_000_000))
        self.refused(repacked(GOOD, styles=b" " * 5_000_000))

    def test_what_an_archive_claims_is_not_believed(self):
        content = repacked(GOOD, sheet=b"<worksheet>" + b" " * 3_000_000 + b"</worksheet>")
        size = (3_000_000 + len(b"<worksheet></worksheet>")).to_bytes(4, "little")
        assert size in content
        self.refused(content.replace(size, (100).to_bytes(4, "little")))

    def test_damaged_and_other_archives_are_refused(self):
        for content in (
            GOOD[:-200],
            GOOD[:300] + b"\xff" * 40 + GOOD[340:],
            zipped(a="b"),
            b"PK\x03\x04" + b"x" * 99,
        ):
            self.refused(content)
        self.refused(zipped(**{f"p{n}": "" for n in range(workbooks.PARTS + 1)}))
        self.refused(
            repacked(
                GOOD, sheet=b"<worksheet><sheetData><row><c t='s'><v>99</v></c></row></sheetData></worksheet>"
            )
        )
        self.refused(repacked(GOOD, sheet=b"<worksheet><sheetData><row r='1'><c r='A1'>"))

    def test_cells_at_the_end_of_the_world_cost_nothing(self):
        for place, row in (("XFD1048576", "1048576"), ("A99999999999", "99999999999"), ("ZZZZZ2", "2")):
            self.refused(sheet_with(f'<row r="{row}"><c r="{place}"><v>1</v></c></row>'))
        self.refused(sheet_with("".join(f'<row r="{n}"><c r="XFD{n}" s="0"/></row>' for n in range(2, 1200))))

        far = sheet_with('<row r="1048576"><c r="A1048576"><v>7</v></c></row>')
        assert counts(imported(self.as_bob, "deals", far)) == (1, 0, 0, 0)

    def test_kinds_of_cells(self):
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.append(
            ["name", "amount", "expected_close_date", "is_private", "number", "origin", "description"]
        )
        import datetime

        sheet.append(["A", 0.1, datetime.date(2027, 1, 31), True, 42, "=1+1", "x_x000D_y"])

        imported(self.as_bob, "deals", saved(book))

        deal = Deal.objects.get()
        assert (str(deal.amount), str(deal.expected_close_date)) == ("0.1000", "2027-01-31")
        # A formula stands for its value, and nobody has calculated one here.
        assert (deal.is_private, deal.number, deal.origin, deal.description) == (True, "42", "", "x\ry")

    def test_another_sheet_can_be_chosen(self):
        book = openpyxl.Workbook()
        book.active.append(["nothing"])
        book.create_sheet("Deals").append(["name"])
        book["Deals"].append(["A"])
        book["Deals"].append(["B"])

        result = imported(self.as_bob, "deals", saved(book), options={"sheet": "Deals"})

        assert counts(result) == (2, 0, 0, 0)
        other = upload(self.as_bob, "deals", saved(book), XLSX).json()
        refused = self.as_bob.patch(f"/api/imports/{other['uuid']}", {"options": {"sheet": "Deal"}})
        assert "'Sheet', 'Deals'" in problem(refused, 400, "unreadable_file", "/file")["detail"]

    def test_a_hidden_sheet_is_not_taken_for_the_first(self):
        book = openpyxl.Workbook()
        book.active.append(["nothing"])
        book.active.sheet_state = "hidden"
        book.create_sheet("Deals").append(["name"])
        book["Deals"].append(["A"])
        book.active = 1

        assert counts(imported(self.as_bob, "deals", saved(book))) == (1, 0, 0, 0)


class SizeTests(ApiTestCase):
    @pytest.fixture(autouse=True)
    def _small_files(self, settings):
        settings.IMPORT_MAX_BYTES = 1000

    def test_a_file_that_is_too_large_is_refused(self):
        problem(upload(self.as_bob, "deals", b"name\n" + b"A\n" * 1000), 413, "too_large")
        problem(upload(self.as_bob, "deals", b"name\n" + b"A\n" * 1_000_000), 413, "too_large")

    def test_a_form_is_taken(self):
        answer = self.as_bob.client.post(
            "/api/imports",
            {"kind": "contacts", "file": io.BytesIO(b"email\na@example.com\n")},
            headers=self.as_bob.headers,
        )
        assert answer.status_code == 201, answer.content
        assert answer.json()["kind"] == "contacts"

    def test_a_broken_form_is_refused(self):
        for content_type in ("multipart/form-data", "multipart/form-data; boundary=x"):
            answer = self.as_bob.send("POST", "/api/imports", b"--y\r\nnonsense", content_type=content_type)
            assert answer.status_code == 400

    def test_what_is_no_file_is_refused(self):
        problem(self.as_bob.post("/api/imports", {"kind": "deals"}), 400, "required", "/content")
        problem(
            self.as_bob.send("POST", "/api/imports", b"name\n", content_type="text/csv"),
            400,
            "required",
            "/kind",
        )
        twice = {"kind": "deals", "file": [io.BytesIO(b"name\nA\n"), io.BytesIO(b"name\nB\n")]}
        answer = self.as_bob.client.post("/api/imports", twice, headers=self.as_bob.headers)
        assert "file more than once" in problem(answer, 400, "parse_error")["detail"]
        for content_type in ("text/csv", XLSX, "application/octet-stream"):
            empty = self.as_bob.send("POST", "/api/imports", b"", content_type=content_type, kind="deals")
            assert problem(empty, 400, "unreadable_file", "/file")["detail"] == "The file is empty."
        problem(
            self.as_bob.send("POST", "/api/imports", b"<a/>", content_type="text/xml"),
            415,
            "unsupported_media_type",
        )
        problem(upload(self.as_bob, "nonsense", b"name\n"), 400, "invalid_choice", "/kind")


class RowLimitTests(ApiTestCase):
    def test_a_file_of_too_many_rows_is_refused(self):
        content = csv_file(("name",), *((f"Deal {number}",) for number in range(6)))
        with override_settings(IMPORT_MAX_ROWS=5):
            for file in (content, xlsx_file(("name",), *((f"Deal {number}",) for number in range(6)))):
                media_type = "text/csv" if file is content else XLSX
                found = problem(
                    upload(self.as_bob, "deals", file, media_type), 400, "unreadable_file", "/file"
                )
                assert "more than 5 rows" in found["detail"]
        assert not Deal.objects.exists()
        with override_settings(IMPORT_MAX_ROWS=6):
            assert counts(imported(self.as_bob, "deals", content)) == (6, 0, 0, 0)
