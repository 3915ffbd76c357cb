"""Refusals as Laravel words them: `message`, and `errors` by field for a 422."""

from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.errors import Problem

MESSAGES = {
    401: "Unauthenticated.",
    403: "This API key does not have the required permission.",
    404: "Not found.",
}
WORDS = {
    "required": "The {name} field is required.",
    "blank": "The {name} field is required.",
    "null": "The {name} field is required.",
    "does_not_exist": "The selected {name} is invalid.",
    "invalid_choice": "The selected {name} is invalid.",
    "not_a_list": "The {name} field must be a list.",
}
SCHEMA = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}


def answer(problem: Problem, request: Request) -> Response:
    if problem.errors and problem.status == 400:
        errors = by_field(problem)
        return Response({"message": summary(errors), "errors": errors}, 422)
    body = {"message": MESSAGES.get(problem.status, problem.detail)}
    if problem.status == 409:
        body["code"] = problem.code.upper()
    return Response(body, problem.status)


def by_field(problem: Problem) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for error in problem.errors:
        field = error["pointer"].lstrip("/").replace("/", ".") or "body"
        sentence = WORDS.get(error["code"], error["detail"]).format(name=field.replace("_", " "))
        errors.setdefault(field, []).append(sentence)
    return errors


def summary(errors: dict[str, list[str]]) -> str:
    """The first sentence, and how many more there are."""
    first, *more = [sentence for sentences in errors.values() for sentence in sentences]
    if not more:
        return first
    return f"{first} (and {len(more)} more error{'s' if len(more) > 1 else ''})"
