"""Short texts that pages repeat, such as days and labels, made once in a process for each language."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

from django.utils.translation import get_language

P = ParamSpec("P")
T = TypeVar("T")
MOST_TEXTS = 4096


def cached_by_language(make: Callable[P, T]) -> Callable[P, T]:
    """Cache the last values of a function of hashable arguments whose value depends on the active language, too."""

    @lru_cache(maxsize=MOST_TEXTS)
    def cached(language: str | None, *args: P.args, **kwargs: P.kwargs) -> T:
        return make(*args, **kwargs)

    @wraps(make)
    def text(*args: P.args, **kwargs: P.kwargs) -> T:
        return cached(get_language(), *args, **kwargs)

    return text
