"""Strict JSON: UTF-8, at most 1 MiB, no NaN, no duplicate key, limited depth and length of numbers."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

BODY_LIMIT = 1024 * 1024
DEPTH_LIMIT = 32
# An amount has 16 digits. Longer numbers are mistakes, and slow to compute with.
DIGIT_LIMIT = 40
EXPONENT_LIMIT = 60


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = "The body must not exceed 1 MiB."


def read_body(stream: IO[bytes]) -> bytes:
    """Read the whole body; TooLarge above BODY_LIMIT."""
    body = stream.read(BODY_LIMIT + 1)
    if len(body) > BODY_LIMIT:
        raise TooLarge
    return body


class StrictJSONParser(BaseParser):
    """Numbers with a fraction become Decimal; nothing passes through a float."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return parse_json(read_body(stream))


def parse_json(body: bytes) -> Any:
    """The value of a JSON text; ParseError if it is not valid."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.") from None
    try:
        value = json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_refuse, object_pairs_hook=_object
        )
    except RecursionError:
        raise ParseError("The body is nested too deeply.") from None
    except ValueError as error:
        raise ParseError(f"The body is not JSON: {error}") from None
    if _depth_exceeds(value, DEPTH_LIMIT):
        raise ParseError("The body is nested too deeply.")
    return value


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise ValueError("a number is too long") from None
    if len(number.as_tuple().digits) > DIGIT_LIMIT or abs(number.adjusted()) > EXPONENT_LIMIT:
        raise ValueError("a number is too long")
    return number


def _integer(text: str) -> int:
    if len(text) > DIGIT_LIMIT:
        raise ValueError("a number is too long")
    return int(text)


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is not a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has a key twice")
    return value


def _depth_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True
