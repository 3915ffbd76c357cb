"""Probes for load balancers and orchestrators, answered before any other middleware, whatever the Host.

`/livez`: the process answers, which restarting could not improve. `/readyz`: it can serve requests. `/healthz`: the
database answers, as in earlier versions.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse

from crm_project.background.status import status as background_status
from crm_project.database import state_of, wait_budget

# Seconds that a probe waits for the database.
PATIENCE = 5
RETRY_AFTER = "1"


class HealthMiddleware:
    """Answer GET and HEAD of the probes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info.rstrip("/"))
        # Not `get_host`, which refuses an orchestrator's address. A dialect's host has that dialect's paths alone.
        host = request.META.get("HTTP_HOST", "").partition(":")[0].lower()
        if probe is None or host in settings.DIALECT_HOSTS:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        with wait_budget(PATIENCE):
            status, body = probe()
        response = JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
        if status == 503:
            response["Retry-After"] = RETRY_AFTER
        return response


Answer = tuple[int, Mapping[str, Any]]


def livez() -> Answer:
    return 200, {"status": "ok"}


def healthz() -> Answer:
    """Whether the database answers. The response has no details, since the probe is public."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return 503, {"status": "unavailable", "database": "does not answer"}
    return 200, {"status": "ok"}


def readyz() -> Answer:
    """Not ready: the database does not answer, or its tables are older than the code. A read-only database is ready.

    The numbers of the background tasks are information: a server without a worker serves requests.
    """
    try:
        pending = bool(pending_migrations())
        database = "read_only" if is_read_only() else "ok"
        tasks = {} if pending else {"tasks": background_status().as_json()}
    except (DatabaseError, InterfaceError) as error:
        state = state_of(error)
        return 503, {"status": "unavailable", "database": state.name if state else "error"}
    status = "unavailable" if pending else "ok"
    body = {"status": status, "database": database, "migrations": "pending" if pending else "ok", **tasks}
    return (503 if pending else 200), body


def is_read_only() -> bool:
    """Whether the server refuses writes: a standby, or one that was made read-only."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery()")
        return bool(cursor.fetchone()[0])


def pending_migrations() -> list[str]:
    """The migrations of this code that the database lacks."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in _migrations() - applied.keys())


@cache
def _migrations() -> frozenset[tuple[str, str]]:
    """Those of the code; of squashed ones the result, which counts as applied with its parts."""
    return frozenset(MigrationLoader(None).graph.nodes)


PROBES: dict[str, Callable[[], Answer]] = {"/livez": livez, "/readyz": readyz, "/healthz": healthz}
