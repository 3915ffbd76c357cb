"""Errors as RFC 9457 problem details: stable codes, and all wrong fields in one response."""

import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import IntegrityError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from django.urls import get_script_prefix
from rest_framework import exceptions, status
from rest_framework.response import Response

from crm_project.api.preconditions import changes_since
from crm_project.database import state_of
from crm_project.errors import (
    KNOWN,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
)
from crm_project.logs import note
from crm_project.records.violations import conflict_of

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "1"
# The errors that one problem lists, and the length of a pointer and of a detail, which may quote the input.
ERRORS_LIMIT = 100
TEXT_LIMIT = 2000
# Begins the list of names at the end of a detail.
NAMES = re.compile(f"{KNOWN}| One of: ")
TITLES = {
    400: "The request is not valid.",
    401: "Authentication is needed.",
    403: "This is not allowed.",
    404: "There is no such resource.",
    405: "The method is not allowed.",
    406: "The requested format is not available.",
    409: "The state of the data forbids the request.",
    412: "The row has changed since it was read.",
    413: "The body or the answer is too large.",
    414: "The request line is too long.",
    415: "The body must be JSON.",
    417: "The expectation cannot be met.",
    422: "The key belongs to another request.",
    429: "Too many requests.",
    431: "The headers are too large.",
    500: "The server failed.",
    501: "This is not implemented.",
    503: "The service is temporarily unavailable.",
}
CODES = {
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
}
# Codes with a problem type that is registered for all APIs.
REGISTERED_TYPES = {"quota_exceeded": "https://iana.org/assignments/http-problem-types#quota-exceeded"}

# DRF's own words for what the core calls invalid.
IGNORED_CODES = {"error", "null_characters_not_allowed", "surrogate_characters_not_allowed"}


class InvalidQuery(exceptions.ValidationError):
    """Wrong query parameters, by name."""


class InvalidHeader(exceptions.APIException):
    """A malformed header."""

    status_code = 400
    default_code = "invalid_header"


def type_of(code: str) -> str:
    """The registered type of the code, else the URI reference of the page that describes it."""
    return REGISTERED_TYPES.get(code) or f"{get_script_prefix()}api/problems/{code}"


@dataclass(frozen=True)
class Problem:
    status: int
    code: str
    detail: str
    errors: tuple[dict[str, str], ...] = ()
    extra: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    # The number of all errors; `errors` has the first ones.
    errors_total: int = 0

    def body(self, request: Any) -> dict[str, Any]:
        return {
            "type": type_of(self.code),
            "title": TITLES.get(self.status, "The request failed."),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": list(self.errors),
            "errors_total": max(self.errors_total, len(self.errors)),
            "request_id": getattr(request, "request_id", ""),
            **(self.extra or {}),
        }


class Refused(Exception):
    """Carries a finished problem to the exception handler."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def titled(problem: Problem) -> dict[str, Any]:
    """The problem without the members of a response of its own."""
    return {name: value for name, value in problem.body(None).items() if name not in ("type", "request_id")}


def problem_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: every exception becomes a problem; unexpected ones are logged."""
    wire_names = getattr(context["view"], "wire_names", {})
    problem = problem_of(error, wire_names=wire_names)
    if isinstance(error, PreconditionFailed):
        problem = replace(problem, extra={"changes": changes_since([error], wire_names)[0]})
    request = context["request"]
    if problem.status >= 500 and problem.status != 503:
        log.exception("unhandled error")
    body = problem.body(request)
    # The browsable API renders the problem as HTML.
    is_page = getattr(getattr(request, "accepted_renderer", None), "format", "") == "api"
    content_type = None if is_page else MEDIA_TYPE
    return Response(body, problem.status, headers=dict(problem.headers or {}), content_type=content_type)


def problem_response(request: HttpRequest, problem: Problem) -> JsonResponse:
    """The problem as a response outside of DRF's views."""
    body = problem.body(request)
    return JsonResponse(body, status=problem.status, content_type=MEDIA_TYPE, headers=problem.headers)


def problem_of(error: Exception, *, wire_names: Mapping[str, str]) -> Problem:
    match error:
        case Refused():
            return error.problem
        case DomainError():
            return _of_domain(error, wire_names)
        case exceptions.ValidationError():
            return _of_fields(error)
        case exceptions.PermissionDenied(__cause__=Forbidden() as refusal):
            return _of_domain(refusal, wire_names)
        case exceptions.APIException():
            return _of_api(error)
        case Http404():
            return Problem(404, "not_found", "There is no such resource.")
        case PermissionDenied():
            return Problem(403, "forbidden", str(error) or Forbidden.template)
        case RequestDataTooBig():
            return Problem(413, "too_large", "The body must not exceed 1 MiB.")
        case UnreadablePostError():
            return Problem(400, "invalid", "The body is incomplete.")
        case IntegrityError():
            return _of_domain(conflict_of(error), wire_names)
    if state := state_of(error):
        note(database=state.name)
        headers = {"Retry-After": str(state.retry_after)}
        return Problem(503, "unavailable", state.detail, headers=headers)
    return Problem(500, "internal_error", "The server failed; the error has been logged.")


def joined(one: Problem, other: Problem) -> Problem:
    """Both problems as one; a field that the first names is not named again."""
    named = {field_of(entry) for entry in one.errors}
    others = tuple(entry for entry in other.errors if field_of(entry) not in named)
    both = Problem(
        400,
        _common_code(entry["code"] for entry in (*one.errors, *others)),
        "",
        (*one.errors, *others),
        errors_total=max(one.errors_total, len(one.errors)) + len(others),
    )
    return limited(both, ERRORS_LIMIT)


def limited(problem: Problem, limit: int, listed: set[str] | None = None) -> Problem:
    """The problem with its first errors. Names that an earlier one lists, here or in `listed`, are not listed again."""
    total = max(problem.errors_total, len(problem.errors))
    errors = tuple(_listed_once(problem.errors[:limit], set() if listed is None else listed))
    is_sentence = problem.detail in ("", _sentence(problem.errors))
    detail = _sentence(errors) if is_sentence else problem.detail
    return replace(problem, errors=errors, detail=detail, errors_total=total)


def _listed_once(errors: Iterable[dict[str, str]], listed: set[str]) -> Iterator[dict[str, str]]:
    for error in errors:
        start, *names = NAMES.split(error["detail"], maxsplit=1)
        yield {**error, "detail": start} if names and names[0] in listed else error
        listed.update(names)


def field_of(entry: Mapping[str, str]) -> str:
    """The field of the body that an error is about or within."""
    return entry["pointer"].split("/")[1] if entry["pointer"] else ""


def status_of(error: DomainError) -> int:
    """The HTTP status of a refusal of the core."""
    match error:
        case Forbidden():
            return status.HTTP_403_FORBIDDEN
        case NotFound():
            return status.HTTP_404_NOT_FOUND
        case Conflict():
            return status.HTTP_409_CONFLICT
        case PreconditionFailed():
            return status.HTTP_412_PRECONDITION_FAILED
    return status.HTTP_400_BAD_REQUEST


def _of_domain(error: DomainError, wire_names: Mapping[str, str]) -> Problem:
    fields = error.fields
    errors = tuple(
        _entry("body", wire_field(field.field, wire_names), field.code, field.detail)
        for field in fields[:ERRORS_LIMIT]
    )
    code = _common_code(field.code for field in fields) if error.code == Invalid.code else error.code
    detail = _sentence(errors) if errors and error.template == Invalid.template else error.detail
    problem = Problem(status_of(error), code, detail, errors, error.extra, _challenge(error), len(fields))
    return limited(problem, ERRORS_LIMIT)


def _challenge(error: DomainError) -> dict[str, str] | None:
    """The header of RFC 6750 for a token that lacks a scope."""
    scopes = error.extra.get("required") if isinstance(error, Forbidden) else None
    return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scopes}"'} if scopes else None


def wire_field(field: str, wire_names: Mapping[str, str]) -> str:
    """The API's name of a field: `stage_id` for `stage`. Of a dotted path all or the first part is translated."""
    if field in wire_names:
        return wire_names[field]
    first, dot, rest = field.partition(".")
    return f"{wire_names.get(first, first)}{dot}{rest}"


def _of_fields(error: exceptions.ValidationError) -> Problem:
    place = "query" if isinstance(error, InvalidQuery) else "body"
    found = flattened(error.detail)
    errors = tuple(
        _entry(place, path, core_code(detail.code), detail) for path, detail in found[:ERRORS_LIMIT]
    )
    code = _common_code(core_code(detail.code) for _, detail in found)
    return limited(Problem(400, code, "", errors, errors_total=len(found)), ERRORS_LIMIT)


def flattened(detail: Any) -> list[tuple[str, exceptions.ErrorDetail]]:
    """The errors of a ValidationError's nested detail, each with its dotted path: `("stages.1.name", …)`.

    The errors of a level come before those below it; errors of the whole body have the empty path.
    """
    flat: list[tuple[str, exceptions.ErrorDetail]] = []
    nested: deque[tuple[str, Any]] = deque([("", detail)])
    while nested:
        path, detail = nested.popleft()
        if isinstance(detail, exceptions.ErrorDetail):
            flat.append((path, detail))
        elif isinstance(detail, Mapping):
            nested.extend((_below(path, key), value) for key, value in detail.items())
        else:
            # The errors of one field, or one entry for each item of a list, which is empty for a valid item.
            nested.extend(
                (path if isinstance(item, exceptions.ErrorDetail) else _below(path, index), item)
                for index, item in enumerate(detail)
            )
    return flat


def _below(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _common_code(codes_of_errors: Iterable[str]) -> str:
    """The code that all fields share, else `invalid`."""
    codes = set(codes_of_errors)
    return codes.pop() if len(codes) == 1 else Invalid.code


def core_code(code: str | None) -> str:
    """The core's code for DRF's code of a wrong field."""
    return "invalid" if code is None or code in IGNORED_CODES else code


def _sentence(errors: Iterable[Mapping[str, str]]) -> str:
    return " ".join(f"{entry['pointer'].lstrip('/') or 'body'}: {entry['detail']}" for entry in errors)[
        :TEXT_LIMIT
    ]


def _entry(place: str, field: str, code: str, detail: Any) -> dict[str, str]:
    pointer = "/" + field.replace(".", "/") if field and field != "non_field_errors" else ""
    sentence = str(detail)[:TEXT_LIMIT]
    return {
        "in": place,
        "pointer": _encodable(pointer[:TEXT_LIMIT]),
        "code": code,
        "detail": _encodable(sentence),
    }


def _encodable(text: str) -> str:
    """Replace lone surrogates, which an error may quote and UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode()


def _of_api(error: exceptions.APIException) -> Problem:
    headers = dict(getattr(error, "headers", {}))
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    code = CODES.get(error.status_code) or str(error.get_codes())
    extra = getattr(error, "extra", None)
    return Problem(error.status_code, code, str(error.detail), extra=extra, headers=headers)
