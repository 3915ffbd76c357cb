"""Refusals in the format of LeadConnector: `statusCode`, `message` and `error`; a list of messages for a 422."""

from typing import Any

from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import permissions
from crm_project.api.errors import Problem
from crm_project.dialects.kit.errors import dotted_path, reason_phrase
from crm_project.dialects.kit.ids import as_text

VERSIONS = frozenset({"2021-04-15", "2021-07-28", "2023-02-21", "v3"})
BAD_TOKEN = "Invalid token: access token is invalid"
OTHER_LOCATION = "The token does not have access to this location."
SCOPE = "The token is not authorized for this scope."
DUPLICATE = "This location does not allow duplicated contacts."
UNKNOWN_CONTACT = "Contact with id {id} not found"

FIELD_MESSAGES = {
    "required": "{name} should not be empty",
    "blank": "{name} should not be empty",
    "null": "{name} should not be null",
}
# Errors for which the vendor has a code.
CODES = {("required", "locationId"): "COMMON_LOCATION_ID_UNDEFINED"}
SCHEMA = {
    "type": "object",
    "required": ["statusCode", "message"],
    "properties": {
        "statusCode": {"type": "integer"},
        "message": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "error": {"type": "string"},
        "code": {"type": "string"},
        "meta": {"type": "object"},
        "traceId": {"type": "string"},
    },
}


class WrongVersion(AuthenticationFailed):
    default_code = "wrong_version"


def require_version(request: Request) -> None:
    """Raise if the `Version` header is missing or unknown. All versions are equivalent here."""
    version = request.headers.get("Version")
    if version is None:
        raise WrongVersion("version header was not found.")
    if version not in VERSIONS:
        raise WrongVersion("version header is invalid")


def refuse_location() -> None:
    raise PermissionDenied(OTHER_LOCATION)


def answer(problem: Problem, request: Request) -> Response:
    """401 for a missing scope, 400 for an unknown contact, 422 with a list of messages for invalid fields."""
    trace = {"traceId": getattr(request, "request_id", "")}
    if problem.code == WrongVersion.default_code:
        return Response({"statusCode": 401, "message": problem.detail, **trace}, 401)
    if problem.status == 401:
        return Response(_body(401, BAD_TOKEN) | trace, 401)
    if problem.status == 403 and problem.detail != OTHER_LOCATION and _is_narrowed(request):
        return Response(_body(401, SCOPE) | trace, 401)
    if unknown := _unknown_contact(problem, request):
        return Response(_body(400, unknown) | trace, 400)
    if problem.code == "email_taken":
        return Response(_body(400, DUPLICATE) | dict(problem.extra or {}) | trace, 400)
    if problem.errors and problem.status == 400:
        return Response(
            _body(422, [_sentence(error) for error in problem.errors]) | _code(problem) | trace, 422
        )
    return Response(_body(problem.status, problem.detail) | _conflict(problem) | trace, problem.status)


def _body(status: int, message: Any) -> dict[str, Any]:
    return {"statusCode": status, "message": message, "error": reason_phrase(status)}


def _conflict(problem: Problem) -> dict[str, Any]:
    """The code and details of a conflict, in the fields that the vendor has for duplicates."""
    if problem.status != 409:
        return {}
    return {"code": problem.code.upper(), **({"meta": dict(problem.extra)} if problem.extra else {})}


def _is_narrowed(request: Request) -> bool:
    """Whether the token has fewer permissions than its member."""
    actor = request.auth
    return isinstance(actor, Actor) and actor.permissions < permissions(actor.member.role, None)


def _unknown_contact(problem: Problem, request: Request) -> str:
    unknown = {"pointer": "/contactId", "code": "does_not_exist"}.items()
    if not any(unknown <= error.items() for error in problem.errors):
        return ""
    sent = as_text(request.data.get("contactId")) if isinstance(request.data, dict) else None
    return UNKNOWN_CONTACT.format(id=sent) if sent else ""


def _sentence(error: dict[str, str]) -> str:
    name = _name(error) or "body"
    return FIELD_MESSAGES.get(
        error["code"], "{name}: " + error["detail"].replace("{", "{{").replace("}", "}}")
    ).format(name=name)


def _name(error: dict[str, str]) -> str:
    return dotted_path(error["pointer"], root="").removesuffix(".non_field_errors")


def _code(problem: Problem) -> dict[str, str]:
    known = (CODES.get((error["code"], _name(error))) for error in problem.errors)
    return next(({"code": code} for code in known if code), {})
