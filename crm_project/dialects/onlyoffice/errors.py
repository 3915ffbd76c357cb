"""Refusals in ONLYOFFICE's envelope; an unauthenticated request gets plain text."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.errors import Problem
from crm_project.api.limits import QuotaExceeded

MESSAGES = {403: "Access denied", 404: "Not found"}
# The vendor has no conflicts. A 503 for too many wrong passwords would look like an outage.
STATUS = {409: 400}
# What the vendor's documentation has for too many requests.
QUOTA_STATUS = 503
# A client that sends an idempotency key must be able to distinguish "retry" from "invalid".
KEY_IN_USE = "idempotency_key_in_use"
INVALID_ARGUMENT = -2147024809
ANY_EXCEPTION = -2146233088
SCHEMA = {
    "type": "object",
    "required": ["status", "statusCode", "error"],
    "properties": {
        "status": {"type": "integer", "enum": [1]},
        "statusCode": {"type": "integer"},
        "error": {
            "type": "object",
            "properties": {
                "message": {"type": "string"},
                "hresult": {"type": "integer"},
                "data": {"type": "object"},
            },
        },
    },
}


def answer(problem: Problem, request: Request) -> Any:
    if problem.status == 401 and problem.code != "wrong_password":
        return HttpResponse("Unauthorized", status=401, content_type="text/plain; charset=utf-8")
    status = problem.status if problem.code == KEY_IN_USE else STATUS.get(problem.status, problem.status)
    status = QUOTA_STATUS if problem.code == QuotaExceeded.default_code else status
    return Response(refusal(status, MESSAGES.get(status) or message(problem)), status)


def message(problem: Problem) -> str:
    """The messages of errors without a field, else the problem's detail."""
    if problem.errors and not any(error["pointer"] for error in problem.errors):
        return " ".join(error["detail"] for error in problem.errors)
    return problem.detail


def refusal(status: int, message: str) -> dict[str, Any]:
    hresult = INVALID_ARGUMENT if status == 400 else ANY_EXCEPTION
    error = {"message": message, "hresult": hresult, "data": {}}
    return {"status": 1, "statusCode": status, "error": error}
