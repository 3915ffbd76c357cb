"""What the Tasks API has no words for: attempts, back-off, one transaction, one at a time."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Options:
    """How a task is run.

    `attempts`: how often in all, the deaths of its workers included. `delay` is that of the second attempt; it doubles
    up to `longest_delay`. `is_atomic`: the function and the mark of its end are one transaction, so that its effect on
    the database comes once. `group` returns a text for the arguments: tasks with the same text run one at a time.
    """

    attempts: int = 10
    delay: timedelta = timedelta(seconds=5)
    longest_delay: timedelta = timedelta(hours=1)
    is_atomic: bool = False
    group: Callable[..., str] | None = None

    def delay_after(self, attempt: int, chance: Callable[[], float] = random.random) -> timedelta:
        """The back-off after the failed attempt (1 is the first), between half of it and all of it."""
        doublings = min(attempt - 1, 30)  # more would not fit a timedelta
        delay: timedelta = min(self.delay * 2**doublings, self.longest_delay)
        return delay * (0.5 + chance() / 2)


DEFAULT = Options()
_options: dict[str, Options] = {}


def options(
    *,
    attempts: int = DEFAULT.attempts,
    delay: timedelta = DEFAULT.delay,
    longest_delay: timedelta = DEFAULT.longest_delay,
    is_atomic: bool = DEFAULT.is_atomic,
    group: Callable[..., str] | None = None,
) -> Callable[[Function], Function]:
    """Set the options of a function; below `@task`, since it is the function that has them."""

    def set_options(function: Function) -> Function:
        path = f"{function.__module__}.{function.__qualname__}"
        _options[path] = Options(attempts, delay, longest_delay, is_atomic, group)
        return function

    return set_options


def options_of(name: str) -> Options:
    """The options of the task with this path."""
    return _options.get(name, DEFAULT)
