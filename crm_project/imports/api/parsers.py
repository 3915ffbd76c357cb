"""Parsers of uploads: a form, or a body that is the file."""

from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.conf import settings
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request

from crm_project.api.parsers import StrictJSONParser, TooLarge
from crm_project.imports.exporting import XLSX
from crm_project.imports.files import BLOCK, FileTooLarge, Upload, receive


class FormParser(MultiPartParser):
    """multipart/form-data with `kind` and `file`."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        _refuse_length(parser_context["request"].META)
        try:
            parsed = super().parse(stream, media_type, parser_context)
        except (ParseError, MultiPartParserError, ValueError):
            raise ParseError("The form cannot be read.") from None
        sent: dict[str, Any] = parsed.files.dict()
        for name, values in [*parsed.files.lists(), *parsed.data.lists()]:
            if len(values) > 1:
                raise ParseError(f"The form has {name} more than once.")
        files = {name: _received(file.name or "", file.chunks(BLOCK)) for name, file in sent.items()}
        return {**parsed.data.dict(), **files}


class FileParser(BaseParser):
    """The body is the file; `kind` and `file_name` are query parameters."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return bare(parser_context["request"], stream)


def bare(request: Request, stream: IO[bytes] | None) -> dict[str, Any]:
    """The data of a request whose body is the file. DRF calls no parser for an empty body, so the view does."""
    _refuse_length(request.META)
    query = request.query_params
    named = {"kind": query["kind"]} if "kind" in query else {}
    return {**named, "file": _received(query.get("file_name", ""), _pieces(stream))}


class CsvParser(FileParser):
    media_type = "text/csv"


class XlsxParser(FileParser):
    media_type = XLSX


class BytesParser(FileParser):
    media_type = "application/octet-stream"


def _refuse_length(meta: Mapping[str, Any]) -> None:
    """Refuse a body that is too large before it is read."""
    given = str(meta.get("CONTENT_LENGTH") or "0")
    if given.isascii() and given.isdigit() and int(given) > settings.IMPORT_MAX_BYTES + BLOCK:
        raise _too_large()


def _received(name: str, pieces: Iterator[bytes]) -> Upload:
    try:
        return receive(name, pieces)
    except FileTooLarge:
        raise _too_large() from None


def _too_large() -> TooLarge:
    return TooLarge(f"A file has at most {settings.IMPORT_MAX_BYTES // BLOCK} MiB.")


def _pieces(stream: IO[bytes] | None) -> Iterator[bytes]:
    while stream is not None and (piece := stream.read(BLOCK)):
        yield piece


PARSERS = [StrictJSONParser, FormParser, CsvParser, XlsxParser, BytesParser]
