"""Refusals in the format of NestJS: `statusCode`, `message` and `error`."""

from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.errors import Problem
from crm_project.dialects.kit.errors import blockers, dotted_path, reason_phrase

MESSAGES = {
    401: "Unauthorized",
    403: "Forbidden resource",
    404: "The requested record was not found",
    406: "Validation failed (valid uuid is expected)",
}
# Gauzy has no parameter for the stage that the deals would move to.
IN_USE = "It is still in use ({count}). Move or delete those records first."
FIELD_MESSAGES = {
    "required": "{name} should not be empty",
    "blank": "{name} should not be empty",
    "null": "{name} should not be empty",
    "does_not_exist": "{name} must be the id of an existing record",
    "max_length": "{name} is too long",
    "out_of_range": "{name} is out of range",
    "not_supported": "{name} cannot be stored by this server",
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["statusCode", "message"],
    "properties": {
        "statusCode": {"type": "integer"},
        "message": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "error": {"type": "string"},
    },
}


class MalformedId(APIException):
    """The id in the path is neither a UUID nor an external reference."""

    status_code = 406
    default_detail = MESSAGES[406]


def answer(problem: Problem, request: Request) -> Response:
    body: dict[str, Any] = {"statusCode": problem.status, "message": _message(problem)}
    if problem.status != 401:
        body["error"] = reason_phrase(problem.status)
    return Response(body, problem.status)


def _message(problem: Problem) -> str | list[str]:
    if problem.errors and problem.status == 400:
        return [_sentence(error) for error in problem.errors]
    if problem.code == "in_use":
        return IN_USE.format(count=blockers(problem))
    return MESSAGES.get(problem.status, problem.detail)


def _sentence(error: dict[str, str]) -> str:
    name = dotted_path(error["pointer"])
    return FIELD_MESSAGES.get(error["code"], "{name}: {detail}").format(name=name, detail=error["detail"])
