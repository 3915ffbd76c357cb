"""Counting requests in memory: fixed windows, whose counts several processes add up through the database.

The windows of a key begin at the same instants in every process. They are shifted by a digest of the key, so that not
all clients get their quota back in the same second.
"""

import math
import os
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

# Windows in memory. Above this number the expired ones are dropped, then the oldest.
MAX_WINDOWS = 50_000


@dataclass(frozen=True)
class Policy:
    """`quota` units in `seconds`. The counts of a shared policy are added up over all processes."""

    name: str
    quota: int
    seconds: int
    shared: bool = True


@dataclass(frozen=True)
class Limit:
    """A policy for one client; `client` names it among all clients of the policy."""

    policy: Policy
    client: str

    @property
    def key(self) -> str:
        return f"{self.policy.name}/{self.policy.seconds}:{self.client}"

    def end(self, now: float) -> int:
        """The second in which the window of `now` ends."""
        shift = zlib.crc32(self.key.encode()) % self.policy.seconds
        return int((now - shift) // self.policy.seconds + 1) * self.policy.seconds + shift


@dataclass
class Window:
    """`settled` has the units of all processes as of the last settlement, `pending` those of this one since."""

    ends: int
    shared: bool
    settled: int = 0
    pending: int = 0

    @property
    def used(self) -> int:
        return self.settled + self.pending


@dataclass(frozen=True)
class Standing:
    """What is left of a limit: units, and the seconds until the window ends, rounded up."""

    limit: Limit
    remaining: int
    seconds: int


class Counters:
    """The windows of one process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._windows: dict[str, Window] = {}
        # The keys of shared windows with units that may not be settled.
        self._unsettled: set[str] = set()

    def __len__(self) -> int:
        return len(self._windows)

    def take(self, limits: Sequence[Limit], due: Sequence[int], now: float) -> tuple[bool, list[Standing]]:
        """Take the units due from each limit, or from none if one of them has too few left."""
        with self._guard:
            windows = [self._window(limit, now) for limit in limits]
            rows = list(zip(limits, windows, due, strict=True))
            enough = all(window.used + units <= limit.policy.quota for limit, window, units in rows)
            if enough:
                for limit, window, units in rows:
                    window.pending += units
                    if window.shared:
                        self._unsettled.add(limit.key)
            return enough, [standing(limit, window, now) for limit, window, _ in rows]

    def _window(self, limit: Limit, now: float) -> Window:
        key, ends = limit.key, limit.end(now)
        window = self._windows.get(key)
        if window is None or window.ends != ends:
            if window is None and len(self._windows) >= MAX_WINDOWS:
                self._drop(now)
            window = self._windows[key] = Window(ends, limit.policy.shared)
        return window

    def _drop(self, now: float) -> None:
        """Drop the expired windows, or a tenth of all if there are none."""
        expired = [key for key, window in self._windows.items() if window.ends <= now]
        for key in expired or list(islice(self._windows, MAX_WINDOWS // 10)):
            del self._windows[key]

    def pending(self, most: int) -> dict[str, tuple[int, int]]:
        """At most `most` shared windows with units that are not settled: key to (end, units), in the order of keys."""
        with self._guard:
            found = {key: self._windows[key] for key in self._unsettled if key in self._windows}
            self._unsettled = {key for key, window in found.items() if window.pending}
            some = sorted(islice(self._unsettled, most))
            return {key: (found[key].ends, found[key].pending) for key in some}

    def settle(self, sent: dict[str, tuple[int, int]], totals: Iterable[tuple[str, int, int]]) -> None:
        """Replace the units that were sent by the totals of all processes: (key, end, units) each."""
        with self._guard:
            for key, ends, units in totals:
                window = self._windows.get(key)
                if window is not None and window.ends == ends == sent[key][0]:
                    window.settled = units
                    window.pending -= sent[key][1]


def standing(limit: Limit, window: Window, now: float) -> Standing:
    remaining = max(limit.policy.quota - window.used, 0)
    return Standing(limit, remaining, max(math.ceil(window.ends - now), 1))


counters = Counters()


def _forget() -> None:
    """A forked process counts from the beginning: its parent may have held the lock."""
    global counters
    counters = Counters()


os.register_at_fork(after_in_child=_forget)
