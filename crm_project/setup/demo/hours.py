"""When people work: the instants at which something is typed in. Pure; an instant is UTC."""

import datetime
import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random

UTC = datetime.UTC
OPENS, CLOSES = 7 * 3600, 17.5 * 3600
# Monday to Sunday: what a day sells, next to a usual one.
WEEK = (1.0, 1.1, 1.1, 1.05, 0.9, 0.06, 0.02)
GROWTH = 0.7
SPREAD = 0.8


class Seasons:
    """The days from `start` to `end`, each as busy as its weekday, its month and the house's growth make it."""

    def __init__(self, start: datetime.date, end: datetime.date, months: Sequence[float]) -> None:
        self.start = start
        days = (end - start).days + 1
        busy = [
            WEEK[day.weekday()] * months[day.month - 1] * (1 + GROWTH * number / days)
            for number in range(days)
            for day in (start + datetime.timedelta(days=number),)
        ]
        total = sum(busy)
        self.until = [share / total for share in accumulate(busy)]

    def instant(self, share: float) -> datetime.datetime:
        """When this share, from 0 to 1, of the whole period's work was done: it rises with the share."""
        day = min(bisect_right(self.until, share), len(self.until) - 1)
        begun = self.until[day - 1] if day else 0.0
        part = (share - begun) / (self.until[day] - begun)
        return midnight(self.start + datetime.timedelta(days=day)) + datetime.timedelta(
            seconds=OPENS + min(part, 1.0) * (CLOSES - OPENS)
        )


def midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime(day.year, day.month, day.day, tzinfo=UTC)


def later(rng: Random, at: datetime.datetime, days: float) -> datetime.datetime:
    """A working instant about `days` after `at`, and in any case after it."""
    whole = int(rng.lognormvariate(math.log(days), SPREAD))
    if not whole:
        return at + datetime.timedelta(seconds=rng.uniform(60, 7200))
    return working_instant(rng, at.date() + datetime.timedelta(days=whole))


def working_instant(rng: Random, day: datetime.date) -> datetime.datetime:
    """Some instant of that day, or of the Monday after it."""
    weekend = max(day.weekday() - 4, 0)
    if weekend:
        day += datetime.timedelta(days=3 - weekend)
    return midnight(day) + datetime.timedelta(seconds=rng.uniform(OPENS, CLOSES))
