"""The clock of the services, stopped at an instant of the past while somebody is said to have typed then."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone


@contextmanager
def stopped_at(instant: datetime.datetime) -> Iterator[None]:
    """Everything that asks `timezone.now`, services and column defaults alike, is told `instant`.

    Of the whole process, so it is for a command that has one thread, not for a server.
    """

    class Stopped(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return instant

    running = vars(timezone)["datetime"]
    vars(timezone)["datetime"] = Stopped
    try:
        yield
    finally:
        vars(timezone)["datetime"] = running
