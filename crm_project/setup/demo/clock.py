"""The clock of the services, set to an instant of the past while the demo writes what happened then."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone


@contextmanager
def frozen_time(instant: datetime.datetime) -> Iterator[None]:
    """Make `timezone.now()` return `instant`, in services and in column defaults.

    It replaces a name in `django.utils.timezone`, since models hold `timezone.now` itself as a default. This affects
    the whole process: for a command with one thread, not for a server.
    """

    class FrozenDatetime(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return instant

    original = vars(timezone)["datetime"]
    vars(timezone)["datetime"] = FrozenDatetime
    try:
        yield
    finally:
        vars(timezone)["datetime"] = original
