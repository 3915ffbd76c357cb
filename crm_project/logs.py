"""Log lines: one line for each record, as text or JSON, with the request that it belongs to.

Requests are named by their route, members and organizations by their uuid, tokens by the hint that their owner sees.
Paths, bodies, addresses and the values of database errors are left out: they hold names, e-mails and secrets.
"""

import json
import logging
import re
import time
import traceback
import uuid
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from crm_project.database import describe

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# Asked every few seconds by machines: of interest only when something is wrong.
PROBES = ("/healthz", "/livez", "/readyz")
# Django's own lines quote paths; the request line has everything else.
LOUD = ("django.request", "django.security", "django.server")
MASKS = (
    re.compile(r"[^\s@\"'<>(]+@[^\s@\"'<>)]+"),
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(r"\bcrm_[\w-]{8,}"),
    re.compile(r"(?i)(?<=password=)\S+"),
    re.compile(r"(?<=://)[^/\s@]+(?=@)"),
    re.compile(r"\+\d[\d ()/.-]{6,}\d"),
)
CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
CONTROL |= {10: "\\n", 13: "\\r", 9: "\\t", 0x2028: "\\u2028", 0x2029: "\\u2029"}
FRAMES = 12

log = logging.getLogger("crm.request")
_current: ContextVar["RequestEntry | None"] = ContextVar("request_entry", default=None)


class RequestEntry:
    """What is known of the request that this thread answers."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.started = time.monotonic()
        self.queries = 0
        self.status: int | None = None
        self.notes: dict[str, Any] = {}

    def count(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.queries += 1
        return execute(sql, params, many, context)

    def who(self) -> dict[str, Any]:
        """The request's id, and for whom it is made as far as that has been found out."""
        found: dict[str, Any] = {"request_id": self.request.request_id}
        actor = getattr(self.request, "auth", None) or getattr(self.request, "staff_actor", None)
        if actor is not None:
            found["organization"] = str(actor.organization.uuid)
            found["member"] = str(actor.member.uuid)
            if actor.token is not None:
                found["token"] = actor.token.hint
        return found

    def what(self) -> dict[str, Any]:
        match = getattr(self.request, "resolver_match", None)
        return {
            "method": self.request.method if self.request.method in METHODS else "other",
            "route": "/" + match.route if match else "-",
            "status": self.status,
            "duration_ms": round((time.monotonic() - self.started) * 1000),
            "queries": self.queries,
            **self.notes,
        }

    def end(self) -> None:
        with suppress(ValueError):
            connection.execute_wrappers.remove(self.count)
        level = logging.INFO
        if self.status is None or self.status >= 500:
            level = logging.WARNING if self.status == 503 else logging.ERROR
        elif self.request.path in PROBES:
            level = logging.DEBUG
        log.log(level, "request", extra={"fields": self.what()})


METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class RequestLogMiddleware:
    """Give the request an id, and write one line when the answer is over, a streamed one included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())  # type: ignore[attr-defined]
        _end_current()
        entry = RequestEntry(request)
        _current.set(entry)
        connection.execute_wrappers.append(entry.count)
        response = self.get_response(request)
        entry.status = response.status_code
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        return response


def _end_current(**_: Any) -> None:
    entry = _current.get()
    if entry is not None:
        entry.end()
        _current.set(None)


request_finished.connect(_end_current, dispatch_uid="crm_project.logs")


def note(**values: Any) -> None:
    """Add to the line of the current request."""
    if entry := _current.get():
        entry.notes.update(values)


def masked(text: str) -> str:
    """A text from outside, without e-mail addresses, secrets and telephone numbers, and on one line."""
    for mask in MASKS:
        text = mask.sub("***", text)
    return text.translate(CONTROL)


class Formatter(logging.Formatter):
    """The base of both formats: the values of a record by name."""

    converter = staticmethod(time.gmtime)

    def fields_of(self, record: logging.LogRecord) -> dict[str, Any]:
        entry = _current.get()
        return {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{record.msecs:03.0f}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": self.message_of(record),
            **(entry.who() if entry else {}),
            **getattr(record, "fields", {}),
            **(error_fields(record.exc_info[1]) if record.exc_info and record.exc_info[1] else {}),
        }

    def message_of(self, record: logging.LogRecord) -> str:
        if record.name.startswith(LOUD) and record.args and isinstance(record.args, tuple):
            # The reason; the path after it is left out.
            return masked(str(record.args[0]))
        return masked(record.getMessage())


class JSONFormatter(Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.fields_of(record), ensure_ascii=False, default=str)


class TextFormatter(Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = self.fields_of(record)
        head = " ".join(str(fields.pop(name)) for name in ("time", "level", "logger", "message"))
        return " ".join([head, *(f"{name}={_quoted(value)}" for name, value in fields.items())])


def _quoted(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[\s"=]', text) or not text else text


def error_fields(error: BaseException) -> dict[str, str]:
    """An exception on one line: its class, its message if that quotes no row, and where it was raised."""
    cause = error.__cause__ if isinstance(error, DatabaseError) else None
    text = describe(error) if isinstance(error, DatabaseError) else f"{type(error).__name__}: {error}"
    if cause is not None and (constraint := getattr(getattr(cause, "diag", None), "constraint_name", None)):
        text += f" {constraint}"
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = (
        f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames
    )
    return {"error": masked(text)[:2000], "at": " < ".join(reversed([*places]))}


def config(*, level: str, json_lines: bool) -> dict[str, Any]:
    """Django's LOGGING, for gunicorn's lines too."""
    name = "JSONFormatter" if json_lines else "TextFormatter"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"crm_project.logs.{name}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would mail errors and fall silent without DEBUG.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # The line of the request has the status of a refusal.
            "django.request": {"level": "ERROR"},
            # Scanners call every server by wrong names; a traceback for each would bury the rest.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
            "gunicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
            # Warns at every HEAD, since Django leaves it to the server to drop the body.
            "gunicorn.http.wsgi": {"level": "ERROR"},
        },
    }
