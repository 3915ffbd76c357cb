"""The format of a file by its content, and the table in it."""

from typing import IO, Any

from django.utils.translation import gettext_noop

from crm_project.imports.errors import UnreadableFile
from crm_project.imports.sources import source_of
from crm_project.imports.tables import Table, leave_out_single_cells
from crm_project.imports.tables.texts import open_text, sniff_delimiter, sniff_encoding
from crm_project.imports.tables.workbooks import open_workbook

PICTURE = gettext_noop("This is a picture. Only CSV and XLSX can be imported.")
OTHER_FORMATS = (
    (
        b"\xd0\xcf\x11\xe0",
        gettext_noop(
            "This is an Excel file of the old format (XLS) or one with a password; save it as XLSX without a"
            " password. Only CSV and XLSX can be imported."
        ),
    ),
    (b"%PDF", gettext_noop("This is a PDF. Only CSV and XLSX can be imported.")),
    (
        b"\x1f\x8b",
        gettext_noop("This is a compressed file; unpack it first. Only CSV and XLSX can be imported."),
    ),
    (b"\x89PNG", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"{\\rtf", gettext_noop("This is a text document. Only CSV and XLSX can be imported.")),
)


def sniff_format(file: IO[bytes]) -> str:
    """`csv` or `xlsx`, by the first bytes."""
    file.seek(0)
    start = file.read(8)
    if not start:
        raise UnreadableFile("The file is empty.")
    if start.startswith(b"PK"):
        return "xlsx"
    for mark, refusal in OTHER_FORMATS:
        if start.startswith(mark):
            raise UnreadableFile(refusal)
    return "csv"


def sniff_options(file: IO[bytes], file_format: str, language: str) -> dict[str, Any]:
    if file_format == "xlsx":
        return {"sheet": ""}
    encoding = sniff_encoding(file, language)
    return {"encoding": encoding, "delimiter": sniff_delimiter(file, encoding)}


def open_rows(file: IO[bytes], source: Any) -> Table:
    """The table of an import, without the rows that its source writes and that are no data."""
    table = open_table(file, source.format, source.options)
    known = source_of(source.kind, table.labels)
    if known is not None and known.leave_out_rows:
        leave_out_single_cells(table)
    return table


def open_table(file: IO[bytes], file_format: str, options: dict[str, Any]) -> Table:
    if file_format == "xlsx":
        return open_workbook(file, sheet=options.get("sheet", ""))
    return open_text(file, encoding=options["encoding"], delimiter=options["delimiter"])
