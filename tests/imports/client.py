"""Files for the tests, and the whole way of one through the API."""

import csv
import io
import zipfile
from typing import Any

import openpyxl

from tests.api.client import ApiClient
from tests.tasks import run_tasks

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def csv_file(*rows: Any, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_file(*rows: Any) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    return saved(book)


def saved(book: Any) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def repacked(content: bytes, **parts: Any) -> bytes:
    """The archive with some parts replaced; `sheet` stands for the first sheet."""
    names = {"sheet": "xl/worksheets/sheet1.xml", "workbook": "xl/workbook.xml", "styles": "xl/styles.xml"}
    new = {names[name]: part for name, part in parts.items()}
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for info in old.infolist():
            archive.writestr(info.filename, new.pop(info.filename, None) or old.read(info))
        for name, part in new.items():
            archive.writestr(name, part)
    return result.getvalue()


def upload(client: ApiClient, kind: str, content: bytes, content_type: str = "text/csv") -> Any:
    return client.send(
        "POST", "/api/imports", content, content_type=content_type, kind=kind, file_name=f"{kind}.csv"
    )


def carried_out(client: ApiClient, source: str, task: str = "run", **body: Any) -> Any:
    """The import after the preview or the run; the worker is here."""
    asked = client.post(f"{source}/{task}", body) if body else client.post(f"{source}/{task}")
    assert asked.status_code == 202, asked.content
    run_tasks()
    return client.get(source).json()


def imported(client: ApiClient, kind: str, content: bytes, *, task: str = "run", **change: Any) -> Any:
    """Upload a file, change the options and run the import; returns the import with its refused rows."""
    answer = upload(client, kind, content, XLSX if content.startswith(b"PK") else "text/csv")
    assert answer.status_code == 201, answer.content
    source = f"/api/imports/{answer.json()['uuid']}"
    if change:
        changed = client.patch(source, change)
        assert changed.status_code == 200, changed.content
    return {**carried_out(client, source, task), "refused": client.rows(f"{source}/refused-rows")}


def counts(result: Any) -> tuple[int, ...]:
    """Created, updated, unchanged, refused."""
    return tuple(result["counts"][name] for name in ("created", "updated", "unchanged", "refused"))
