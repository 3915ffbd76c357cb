"""Short texts that pages repeat, such as days and labels, made once in a process for each language."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, TypeVarTuple

from django.utils.translation import get_language

Ts = TypeVarTuple("Ts")
T = TypeVar("T")
MOST_TEXTS = 4096


def cached_by_language(make: Callable[[*Ts], T]) -> Callable[[*Ts], T]:
    """Cache the last values of a function of hashable arguments whose value depends on the active language, too."""

    @lru_cache(maxsize=MOST_TEXTS, typed=True)
    def cached(language: str | None, *arguments: Any) -> Any:
        return make(*arguments)

    @wraps(make)
    def text(*arguments: *Ts) -> Any:
        return cached(get_language(), *arguments)

    return text
