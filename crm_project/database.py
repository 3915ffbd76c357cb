"""The link to the database: how long a thread waits for it, what its errors mean, and which limits are in force."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)

# The client waits this many seconds longer than the server works, so that the server's own answer comes first.
GRACE = 2


@dataclass(frozen=True)
class State:
    """Why the database cannot answer; `retry_after` is in seconds."""

    name: str
    detail: str
    retry_after: int = 1


AWAY = State("away", "The database cannot be reached; try again.")
STARTING = State("starting", "The database is starting; try again.")
SLOW = State("slow", "The database did not answer in time; try again.")
BUSY = State("busy", "The data is in use by another request; try again.")
FULL = State("full", "The database has no space or no connection left; try again later.", 5)
READ_ONLY = State("read_only", "The database is read-only at the moment; try again later.", 2)

# By SQLSTATE, or by its first two characters (the class) where all of a class mean the same.
POSTGRESQL_STATES = {
    "08": AWAY,
    "57": AWAY,
    "57P03": STARTING,
    "57014": SLOW,
    "25P03": SLOW,
    "25P04": SLOW,
    "55P03": BUSY,
    "40": BUSY,
    "53": FULL,
    "58": FULL,
    "25006": READ_ONLY,
}
# By the primary result code of SQLite.
SQLITE_STATES = {5: BUSY, 6: BUSY, 8: READ_ONLY, 10: FULL, 13: FULL, 14: AWAY}


def state_of(error: BaseException) -> State | None:
    """The state of the database for an error of the database; None if the request or the code is the cause."""
    cause = error.__cause__
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate:
        state = POSTGRESQL_STATES.get(sqlstate) or POSTGRESQL_STATES.get(sqlstate[:2])
        if state:
            return state
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None and isinstance(error, OperationalError):
        return SQLITE_STATES.get(code & 0xFF, AWAY)
    return AWAY if isinstance(error, OperationalError | InterfaceError) else None


# Waiting


@dataclass
class WaitBudget:
    """Seconds that a request may still wait for the database; `since` is when the wait of the moment began."""

    remaining: float
    since: float | None = None


_budget: ContextVar[WaitBudget | None] = ContextVar("wait_budget", default=None)


@contextmanager
def wait_budget(seconds: float) -> Iterator[None]:
    """Bound the time that the block waits for the database in all; the connection is closed when it is used up."""
    outer = _budget.get()
    token = _budget.set(WaitBudget(min(seconds, outer.remaining) if outer else seconds))
    try:
        yield
    finally:
        _budget.reset(token)


def seconds_left() -> float | None:
    """What is left of the budget; None where only each wait is bounded, as in streams and background work."""
    budget = _budget.get()
    if budget is None:
        return None
    gone = time.monotonic() - budget.since if budget.since is not None else 0.0
    return max(budget.remaining - gone, 0.0)


@contextmanager
def waiting() -> Iterator[None]:
    """Take the time of the block from the budget; a wait within a wait is not counted again."""
    budget = _budget.get()
    if budget is None or budget.since is not None:
        yield
        return
    budget.since = time.monotonic()
    try:
        yield
    finally:
        budget.remaining -= time.monotonic() - budget.since
        budget.since = None


def wait_limit() -> float | None:
    """Seconds that one wait may take by default; None without a limit."""
    options = settings.DATABASES["default"].get("OPTIONS", {})
    seconds = int(options.get("limits", {}).get("statement_timeout", "0").removesuffix("s"))
    return seconds + GRACE if seconds else None


def allow_long_statements(seconds: int) -> None:
    """Let the statements of this transaction run for so long: for background work alone, a request's budget stays."""
    if connection.vendor != "postgresql":
        return
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config(name, %s, true) FROM unnest(%s::text[]) AS name", [f"{seconds}s", list(names)]
        )
    connection.connection.wait_limit = seconds + GRACE


class DatabaseMiddleware:
    """Bound the time that a request waits for the database until its answer begins.

    A connection that led to a 503 is closed: the next request begins with a new one, possibly to another server.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = wait_limit()
        if limit is None:
            return self.get_response(request)
        with wait_budget(limit):
            response = self.get_response(request)
        is_outage = response.status_code == 503 and not getattr(request, "is_over_quota", False)
        if is_outage and not connection.in_atomic_block:
            connection.close_at = 0.0  # at the end of the request, as a connection that is too old
        return response


# A failover leaves connections to a server that has become read-only.

_read_only_at: float = float("-inf")


def mark_read_only() -> None:
    """A write was refused as read-only: connections opened until now are not used again."""
    global _read_only_at
    _read_only_at = time.monotonic()


def opened_before_read_only(opened_at: float) -> bool:
    return opened_at <= _read_only_at


def was_read_only(*, within: float) -> bool:
    """Whether a write was refused as read-only in the last `within` seconds."""
    return time.monotonic() - _read_only_at < within


# Limits


def limit_mismatches() -> dict[str, tuple[str, str]]:
    """The limits that do not hold for the server's connections: name to (setting, limit in force).

    A direct connection sets its own. Behind a pooler they are defaults of the role, which is what `reset_val` shows.
    """
    if connection.vendor != "postgresql":
        return {}
    connection.ensure_connection()
    if not connection.connection.behind_pooler:
        return {}
    with connection.cursor() as cursor:
        sql = "SELECT name, reset_val, unit FROM pg_settings WHERE name = ANY(%s)"
        cursor.execute(sql, [[*settings.DATABASE_LIMITS]])
        found = {name: f"{value}{unit or ''}" for name, value, unit in cursor.fetchall()}
    return {
        name: (limit, found.get(name, "unknown"))
        for name, limit in settings.DATABASE_LIMITS.items()
        if _milliseconds(limit) != _milliseconds(found.get(name, ""))
    }


def log_limit_mismatches() -> None:
    """At the start of a server: an error in the log for each limit that is not in force."""
    try:
        for name, (limit, found) in limit_mismatches().items():
            log.error("%s is %s in the database, and should be %s. Run manage.py doctor", name, found, limit)
    except (Error, InterfaceError):
        log.warning("the limits of the database could not be compared: it does not answer")
    finally:
        connection.close()


def _milliseconds(value: str) -> str:
    for unit, factor in (("ms", 1), ("min", 60_000), ("s", 1000)):
        number = value.removesuffix(unit)
        if number != value and number.isdigit():
            return str(int(number) * factor)
    return value


def limit_statements() -> list[str]:
    """The SQL that makes the limits defaults of the current role in the current database."""
    database = connection.ops.quote_name(settings.DATABASES["default"]["NAME"])
    return [
        f"ALTER ROLE CURRENT_USER IN DATABASE {database} SET {name} = '{limit}'"
        for name, limit in settings.DATABASE_LIMITS.items()
    ]


def store_limits(**kwargs: Any) -> None:
    """After a migration through a pooler: keep the limits as defaults of the role, which needs no further right."""
    if connection.vendor != "postgresql" or kwargs.get("using", "default") != "default":
        return
    connection.ensure_connection()
    if not connection.connection.behind_pooler or not limit_mismatches():
        return
    with connection.cursor() as cursor:
        for statement in limit_statements():
            cursor.execute(statement)


def describe(error: Error) -> str:
    """An error for a log line or a report: its SQLSTATE and class, without the values that its text may quote."""
    cause = error.__cause__ or error
    if sqlstate := getattr(cause, "sqlstate", None):
        return f"{type(cause).__name__} {sqlstate}"
    return f"{type(cause).__name__}: {cause}".partition("\n")[0]
