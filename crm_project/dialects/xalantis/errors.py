"""Refusals in the formats of Laravel and of `/api/v1`."""

from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.errors import Problem
from crm_project.api.idempotency import KeyReused
from crm_project.dialects.kit.errors import dotted_path
from crm_project.errors import message

MESSAGES = {
    401: "Unauthenticated.",
    403: "This API key does not have the required permission.",
    404: "Not found.",
}
FIELD_MESSAGES = {
    "required": "The %(name)s field is required.",
    "blank": "The %(name)s field is required.",
    "null": "The %(name)s field is required.",
    "does_not_exist": "The selected %(name)s is invalid.",
    "invalid_choice": "The selected %(name)s is invalid.",
    "not_a_list": "The %(name)s field must be a list.",
}
SUMMARY = ("%(first)s (and %(count)s more error)", "%(first)s (and %(count)s more errors)")
CODES = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
}
DETAILS = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
SCHEMA = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": {"type": "string"}, "code": {"type": "string"}, "errors": DETAILS},
}
ENVELOPE: dict[str, Any] = {
    "title": "EnvelopeRefusal",
    "type": "object",
    "required": ["success", "error"],
    "properties": {
        "success": {"type": "boolean", "const": False},
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"enum": ["BAD_REQUEST", *CODES.values(), "INTERNAL_ERROR"]},
                "message": {"type": "string"},
                "details": DETAILS,
            },
        },
    },
}


class IdempotencyConflict(APIException):
    """The Idempotency-Key was used with another request."""

    status_code = 409
    default_code = KeyReused.default_code
    default_detail = KeyReused.default_detail


def answer(problem: Problem, request: Request) -> Response:
    invalid = bool(problem.errors) and problem.status == 400
    status = 422 if invalid else problem.status
    errors = by_field(problem)
    text = summary(errors, problem.errors_total) if invalid else MESSAGES.get(status, problem.detail)
    if "/api/v1/" in f"{request.path}/":
        return Response(envelope(status, text, errors), status)
    body: dict[str, Any] = {"message": text}
    if invalid:
        body["errors"] = errors
    if status == 409:
        body["code"] = problem.code.upper()
    return Response(body, status)


def envelope(status: int, text: str, errors: dict[str, list[str]]) -> dict[str, Any]:
    code = CODES.get(status, "INTERNAL_ERROR" if status >= 500 else "BAD_REQUEST")
    details = {"details": errors} if errors else {}
    return {"success": False, "error": {"code": code, "message": text, **details}}


def by_field(problem: Problem) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for error in problem.errors:
        field = dotted_path(error["pointer"])
        template = FIELD_MESSAGES.get(error["code"])
        text = message(template, {"name": field.replace("_", " ")}) if template else error["detail"]
        errors.setdefault(field, []).append(text)
    return errors


def summary(errors: dict[str, list[str]], total: int) -> str:
    """The first message, and the number of the others, which are not all listed."""
    sentences = [sentence for of_field in errors.values() for sentence in of_field]
    more = max(total, len(sentences)) - 1
    if not more:
        return sentences[0]
    return message(SUMMARY[more > 1], {"first": sentences[0], "count": more})
