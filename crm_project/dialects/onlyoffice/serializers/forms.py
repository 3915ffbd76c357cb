"""Bodies and queries as forms: `members[]=1`, `members=1&members=2` and `customFieldList[0][key]=12` are structures."""

import re
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import IO, Any
from urllib.parse import parse_qsl

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser as DjangoMultipartParser
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from crm_project.api.parsers import read_body

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
KEYS = re.compile(r"\[([^\[\]]*)\]")
FIELD_LIMIT = 10_000
DEPTH_LIMIT = 4
NEXT = ""


class OnlyofficeFormParser(BaseParser):
    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = read_body(stream)
        try:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELD_LIMIT
            )
        except ValueError:
            raise ParseError("The body is not a form in UTF-8.") from None
        return structured(pairs)


class OnlyofficeMultipartParser(BaseParser):
    """Multipart forms; files are ignored and reported."""

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        context = parser_context or {}
        body = read_body(stream)
        meta = {"CONTENT_TYPE": media_type, "CONTENT_LENGTH": len(body)}
        try:
            parts, files = DjangoMultipartParser(meta, BytesIO(body), [MemoryFileUploadHandler()]).parse()
        except (MultiPartParserError, SuspiciousOperation):
            raise ParseError("The body is not a multipart form.") from None
        context["view"].ignore(files)
        return structured((name, value) for name, values in parts.lists() for value in values)


def structured(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The form as a JSON structure. A name with several different values becomes a list."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        match = NAME.fullmatch(name)
        keys = [match[1], *KEYS.findall(match[2])] if match else [name]
        if len(keys) > DEPTH_LIMIT:
            raise ParseError("The form is nested too deeply.")
        _put(tree, keys, value)
    return {name: _with_lists(value) for name, value in tree.items()}


def _put(node: dict[str, Any], keys: list[str], value: str) -> None:
    key, *rest = keys
    if key == NEXT:
        key = _index(node, rest)
    if not rest:
        existing = node.get(key, [])
        values = existing if isinstance(existing, list) else [existing]
        node[key] = existing if value in values else [*values, value] if values else value
        return
    inner = node.setdefault(key, {})
    if not isinstance(inner, dict):
        raise ParseError("The form has a field both as a value and as a list.")
    _put(inner, rest, value)


def _index(node: dict[str, Any], rest: list[str]) -> str:
    """`[]` is the next item; `[][key]` and then `[][value]` are of the same one."""
    last = node.get(str(len(node) - 1))
    open_item = bool(rest) and isinstance(last, dict) and rest[0] not in last
    return str(len(node) - 1 if open_item else len(node))


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _with_lists(item) for key, item in value.items()}
    return list(items.values()) if all(key.isdigit() for key in items) else items
