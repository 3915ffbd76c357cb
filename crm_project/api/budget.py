"""The budget of one answer that is built in memory: rows, bytes and seconds. Streams have none: each chunk is small."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException

RETRY_AFTER = 5


class AnswerTooLarge(APIException):
    status_code = 413
    default_code = "answer_too_large"
    default_detail = "The answer would exceed the limit of this server. Ask for fewer rows at once."


class AnswerTooSlow(APIException):
    status_code = 503
    default_code = "answer_too_slow"
    default_detail = "The answer takes longer than this server allows. Ask for less at once, or try later."
    wait = RETRY_AFTER


class Budget:
    """What one answer may still cost. Several reads that are answered together share one."""

    def __init__(self) -> None:
        self.rows: int = settings.ANSWER_MAX_ROWS
        self.bytes: int = settings.ANSWER_MAX_BYTES
        self.ends = time.monotonic() + settings.ANSWER_MAX_SECONDS

    def spend(self, *, rows: int = 0, size: int = 0) -> None:
        """Subtract rows, before they are serialized, and bytes. Raises AnswerTooLarge."""
        self.rows -= rows
        self.bytes -= size
        self.check_size()

    def check_texts(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Refuse representations whose texts alone exceed the bytes, before they are copied by rendering them."""
        values = [value for item in items for value in item.values()]
        parts = [value for value in values if type(value) is dict]
        values += [value for part in parts for value in part.values()]
        size = sum(map(len, [value for value in values if type(value) is str]))
        if size > self.bytes:
            raise AnswerTooLarge

    def check_size(self) -> None:
        if self.rows < 0 or self.bytes < 0:
            raise AnswerTooLarge

    def check(self) -> None:
        """Raise what is exceeded. Called between the parts of an answer."""
        self.check_size()
        if time.monotonic() > self.ends:
            raise AnswerTooSlow


def budget_of(request: Any) -> Budget:
    """The budget of a Django request."""
    if not hasattr(request, "budget"):
        give_budget(request, Budget())
    budget: Budget = request.budget
    return budget


def give_budget(request: Any, budget: Budget) -> None:
    request.budget = budget
