"""Refusals in the format of Rails, in Polish: a map of fields to messages for a 422, `error` for all others."""

from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.errors import Problem
from crm_project.dialects.kit.errors import dotted_path

MESSAGES = {
    401: "Brak autoryzacji",
    403: "Brak uprawnień",
    404: "Nie znaleziono",
    405: "Niedozwolona metoda",
    413: "Treść żądania jest za duża",
    415: "Treść żądania musi być w formacie JSON",
    429: "Zbyt wiele żądań",
    503: "Serwis chwilowo niedostępny",
}
BY_CODE = {
    "parse_error": "Treść żądania nie jest poprawnym JSON-em",
    "invalid_header": "Nagłówek żądania jest nieprawidłowy",
    "idempotency_key_in_use": "Żądanie z tym kluczem jest jeszcze wykonywane",
}
BLANK = "nie może być puste"
FIELD_MESSAGES = {
    "required": BLANK,
    "blank": BLANK,
    "null": BLANK,
    "not_a_number": "nie jest liczbą",
    "does_not_exist": "nie istnieje",
    "invalid_choice": "nie znajduje się na liście dopuszczalnych wartości",
    "max_length": "jest za długie",
    "below_net": "musi być większe lub równe kwocie netto",
    "out_of_range": "musi być większe lub równe 0 i mniejsze od 1000000000000",
    "max_decimal_places": "ma zbyt wiele miejsc po przecinku",
    "not_supported": "nie może być zapisane na tym serwerze",
    "stage_conflict": "nie zgadza się ze statusem interesu",
    "idempotency_key_reused": "zostało już użyte w innym żądaniu",
}
# The messages of these codes are complete.
COMPLETE = frozenset({"min_value", "max_value"})
BY_FIELD = {
    ("email", "invalid"): "nie jest adresem e-mail",
    ("color", "invalid"): "musi mieć postać #rrggbb",
}
IN_USE = "Jest w użyciu ({count})"
CONFLICTS = {
    "reference_taken": ("external_id", "zostało już zajęte"),
    "email_taken": ("email", "zostało już zajęte"),
    "name_taken": ("name", "zostało już zajęte"),
}
AMOUNTS = ("total_amount_net", "total_amount_gross", "total_amount_gross_from", "total_amount_gross_to")
SCHEMA = {
    "type": "object",
    "description": "A map of field to messages (422), or `error`.",
    "additionalProperties": {
        "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    },
}


def answer(problem: Problem, request: Request) -> Response:
    if problem.code in CONFLICTS:
        field, message = CONFLICTS[problem.code]
        return Response({field: [message]}, 422)
    if problem.errors and problem.status == 400:
        return Response(by_field(problem), 422)
    return Response({"error": _message(problem)}, problem.status)


def _message(problem: Problem) -> str:
    if problem.code == "in_use":
        return IN_USE.format(count=dict(problem.extra or {}).get("count", ""))
    return BY_CODE.get(problem.code) or MESSAGES.get(problem.status, problem.detail)


def by_field(problem: Problem) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for error in problem.errors:
        field = dotted_path(error["pointer"], root="base")
        errors.setdefault(field, []).append(_sentence(field, error["code"], error["detail"]))
    return errors


def _sentence(field: str, code: str, detail: str) -> str:
    if code in COMPLETE:
        return detail
    known = BY_FIELD.get((field, code)) or FIELD_MESSAGES.get(_code(field, code))
    return known or f"jest nieprawidłowe: {detail}"


def _code(field: str, code: str) -> str:
    """The code of an amount's error, for which Intum has other messages."""
    if field in AMOUNTS and code == "invalid":
        return "not_a_number"
    return "below_net" if code == "amount_conflict" else code
