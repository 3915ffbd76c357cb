"""Refusals in the format of Rails, in Polish: a map of fields to messages for a 422, `error` for all others."""

from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.errors import Problem
from crm_project.dialects.kit.errors import blockers, dotted_path
from crm_project.errors import message

MESSAGES = {
    400: "Nieprawidłowe żądanie",
    401: "Brak autoryzacji",
    403: "Brak uprawnień",
    404: "Nie znaleziono",
    405: "Niedozwolona metoda",
    409: "Konflikt z innymi danymi",
    412: "Dane zostały w międzyczasie zmienione",
    413: "Treść żądania jest za duża",
    415: "Treść żądania musi być w formacie JSON",
    429: "Zbyt wiele żądań",
    500: "Błąd serwera",
    503: "Serwis chwilowo niedostępny",
}
BY_CODE = {
    "parse_error": "Treść żądania nie jest poprawnym JSON-em",
    "invalid_header": "Nagłówek żądania jest nieprawidłowy",
    "idempotency_key_in_use": "Żądanie z tym kluczem jest jeszcze wykonywane",
    "answer_too_large": "Odpowiedź byłaby zbyt duża",
}
MISSING = "parameter_missing"
# Endings of messages of the serializers' fields.
WHOLE = "oczekiwano liczby całkowitej"
TEXT = "oczekiwano tekstu"
DAY = "oczekiwano daty RRRR-MM-DD"
INSTANT = "oczekiwano daty i godziny RRRR-MM-DDTGG:MM:SS"
OBJECT = "oczekiwano obiektu"
EXPECTED = frozenset({WHOLE, TEXT, DAY, INSTANT, OBJECT})
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
    "min_length": "jest za krótkie",
    "not_a_list": "nie jest listą",
    "overflow": "jest poza dopuszczalnym zakresem",
    "past": "jest z przeszłości",
    "future": "jest z przyszłości",
    "unknown_field": "nie istnieje",
    "too_many_keys": "ma zbyt wiele pól",
    "read_only": "nie może być zmienione",
    "immutable": "nie może być zmienione",
    "inactive": "jest nieaktywne",
    "gone": "jest w koszu",
    "stage_not_in_pipeline": "należy do innego lejka",
    "pipeline_has_no_stage": "nie ma żadnego statusu",
    "pipeline_inactive": "jest nieaktywne",
    "contact_conflict": "nie zgadza się z zapisanym kontaktem",
    "stage_conflict": "nie zgadza się ze statusem interesu",
    "idempotency_key_reused": "zostało już użyte w innym żądaniu",
}
# The messages of these codes are complete.
COMPLETE = frozenset({"min_value", "max_value"})
BY_FIELD = {
    ("email", "invalid"): "nie jest adresem e-mail",
    ("next_deal_id", "invalid"): "nie może wskazywać na ten sam interes",
    ("color", "invalid"): "musi mieć postać #rrggbb",
}
INVALID = "jest nieprawidłowe"
INVALID_BECAUSE = "jest nieprawidłowe: %(reason)s"
# The core's list of choices, and Intum's.
CHOICES, POLISH_CHOICES = "One of: ", "musi być jedną z wartości: %(choices)s"
IN_USE = "Jest w użyciu (%(count)s)"
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
        field, text = CONFLICTS[problem.code]
        return Response({field: [text]}, 422)
    if problem.errors and problem.status == 400:
        return Response(by_field(problem), 422)
    return Response({"error": _message(problem)}, problem.status)


def _message(problem: Problem) -> str:
    if problem.code == "in_use":
        return message(IN_USE, {"count": blockers(problem)})
    if problem.code == MISSING:
        return problem.detail
    return BY_CODE.get(problem.code) or MESSAGES.get(problem.status, MESSAGES[400])


def by_field(problem: Problem) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for error in problem.errors:
        field = dotted_path(error["pointer"], root="base")
        errors.setdefault(field, []).append(_sentence(field, error["code"], error["detail"]))
    return errors


def _sentence(field: str, code: str, detail: str) -> str:
    if code in COMPLETE:
        return detail
    translated = BY_FIELD.get((field, code)) or FIELD_MESSAGES.get(_code(field, code))
    if translated:
        return translated
    if detail in EXPECTED:
        return message(INVALID_BECAUSE, {"reason": detail})
    if detail.startswith(CHOICES):
        return message(POLISH_CHOICES, {"choices": detail.removeprefix(CHOICES).removesuffix(".")})
    return INVALID


def _code(field: str, code: str) -> str:
    """The code of an amount's error, for which Intum has other messages."""
    if field in AMOUNTS and code == "invalid":
        return "not_a_number"
    return "below_net" if code == "amount_conflict" else code
