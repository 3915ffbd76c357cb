"""Refusals as Rails words them in Polish: a map of field to messages for a 422, `error` for all else."""

from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.errors import Problem

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
BLANK = "nie może być puste"
WORDS = {
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
}
CONFLICTS = {
    "reference_taken": ("external_id", "zostało już zajęte"),
    "email_taken": ("email", "zostało już zajęte"),
    "name_taken": ("name", "zostało już zajęte"),
}
AMOUNTS = ("total_amount_net", "total_amount_gross")
SCHEMA = {
    "type": "object",
    "description": "A map of field to messages (422), or `error`.",
    "additionalProperties": {
        "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    },
}


def answer(problem: Problem, request: Request) -> Response:
    if problem.code in CONFLICTS:
        field, words = CONFLICTS[problem.code]
        return Response({field: [words]}, 422)
    if problem.errors and problem.status == 400:
        return Response(by_field(problem), 422)
    return Response({"error": MESSAGES.get(problem.status, problem.detail)}, problem.status)


def by_field(problem: Problem) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for error in problem.errors:
        field = error["pointer"].lstrip("/").replace("/", ".") or "base"
        sentence = WORDS.get(_code(field, error["code"]), f"jest nieprawidłowe: {error['detail']}")
        errors.setdefault(field, []).append(sentence)
    return errors


def _code(field: str, code: str) -> str:
    """What a code means for an amount, where Intum's document has a sentence of its own."""
    if field in AMOUNTS and code == "invalid":
        return "not_a_number"
    return "below_net" if code == "amount_conflict" else code
