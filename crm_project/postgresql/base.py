"""Django's PostgreSQL backend, with limits that hold on a frozen link and behind a pooler.

Nothing is sent as a start-up parameter, which poolers refuse or drop. A direct connection sets its limits by itself.
Behind a pooler in transaction mode a session's settings would reach other clients: there the limits are defaults of
the role, which `manage.py migrate` stores and `manage.py doctor` compares.
"""

import contextlib
import datetime
import os
import select
import socket
import time
from types import SimpleNamespace
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from psycopg._cmodule import _psycopg
from psycopg.adapt import AdaptersMap, Loader

from crm_project import database

SET_SESSION = """
SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS limits(name, value)
WHERE pg_backend_pid() = %s
"""
SET_TRANSACTION = (
    "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) AS limits(name, value)"
)

# Seconds between two looks at the clock while an answer is awaited.
INTERVAL = 0.1
# A request with fewer seconds left does not reconnect: libpq waits at least two seconds for a server without an answer.
LEAST_TO_CONNECT = 1
# A connection that was used within so many seconds needs no statement of its own to prove that it is open.
SHORT_REST = 5


class Connection(psycopg.Connection[Any]):
    """A connection that is closed when an answer takes longer than it may, whatever has become of the link."""

    # Between the client and the server stands one that gives a server's connection to another client.
    behind_pooler = False
    # Seconds for each wait of the current transaction, if not the default.
    wait_limit: float | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.opened_at = time.monotonic()

    def wait(self, gen: Any, interval: float = INTERVAL, timeout: float | None = None) -> Any:
        left = database.seconds_left()
        limits = [timeout, self.wait_limit or database.wait_limit() if left is None else left]
        limit = min((each for each in limits if each is not None), default=None)
        try:
            with database.waiting():
                return super().wait(gen, interval, limit)
        except psycopg.errors._WaitTimeout:
            if limit == timeout:
                raise
            self._shut()
            raise psycopg.errors.QueryCanceled(f"no answer from the server within {limit:.1f} s") from None
        except psycopg.errors.ReadOnlySqlTransaction:
            database.mark_read_only()
            raise
        except psycopg.InternalError as error:
            if error.sqlstate is not None:
                raise
            # An answer that does not fit the command: an error of the server that ends the connection, sent with it.
            self._shut()
            raise psycopg.OperationalError(str(error)) from None

    def _shut(self) -> None:
        """Close without a word to the server, which could block."""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self.pgconn.socket)) as link:
            link.shutdown(socket.SHUT_RDWR)
        self.close()


class InstantLoader(Loader):
    """Django's loader of instants on top of the compiled one of psycopg; Django's own is built on the one in Python."""

    timezone = datetime.UTC

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        self.compiled = _psycopg.TimestamptzLoader(oid, context)

    def load(self, data: Any) -> Any:
        return self.compiled.load(data).replace(tzinfo=datetime.UTC)


class DatabaseWrapper(base.DatabaseWrapper):
    """The limits are `OPTIONS["limits"]`: PostgreSQL settings by name."""

    # When the last request ended.
    used_at = float("-inf")

    Database: Any = SimpleNamespace(**{**vars(psycopg), "connect": Connection.connect})

    @property
    def pool(self) -> Any:
        if options := self.settings_dict["OPTIONS"].get("pool"):
            options.setdefault("connection_class", Connection)
        return super().pool

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        self.limits: dict[str, str] = params.pop("limits", {})
        params.pop("long_statements", None)
        if _psycopg is not None and self.timezone is datetime.UTC:
            params["context"] = AdaptersMap(params["context"])
            params["context"].register_loader("timestamptz", InstantLoader)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        left = database.seconds_left()
        if left is not None and left < LEAST_TO_CONNECT:
            raise psycopg.errors.QueryCanceled("no time is left to connect to the server")
        if left is not None and "connect_timeout" in conn_params:
            timeout = max(1, min(int(left), int(conn_params["connect_timeout"])))
            conn_params = {**conn_params, "connect_timeout": timeout}
        with database.waiting():
            if not self.pool:
                return super().get_new_connection(conn_params)
            # As Django does it, but that a request waits for a free connection no longer than it may.
            self.isolation_level = IsolationLevel.READ_COMMITTED
            self.pool.open()
            return self.pool.getconn(self.pool.timeout if left is None else min(left, self.pool.timeout))

    def _configure_connection(self, connection: Any) -> bool:
        commit = super()._configure_connection(connection)  # type: ignore[misc]
        names, values = list(self.limits), list(self.limits.values())
        with connection.cursor() as cursor:
            cursor.execute(SET_SESSION, [names, values, connection.info.backend_pid])
            connection.behind_pooler = bool(names) and cursor.rowcount == 0
        return commit or bool(names)

    def set_autocommit(self, autocommit: bool, *args: Any, **kwargs: Any) -> None:
        """A command's wider limits hold in its transactions behind a pooler too."""
        super().set_autocommit(autocommit, *args, **kwargs)
        if self.connection is None:
            return
        if autocommit:
            self.connection.wait_limit = None
        elif self.connection.behind_pooler and self.settings_dict["OPTIONS"].get("long_statements"):
            with self.cursor() as cursor:
                cursor.execute(SET_TRANSACTION, [list(self.limits), list(self.limits.values())])

    def is_usable(self) -> bool:
        if self.connection is not None and database.opened_before_read_only(self.connection.opened_at):
            return False
        # A server that ends a connection is heard on its socket. One that has vanished since is found by a statement.
        if time.monotonic() - self.used_at < SHORT_REST and self._is_silent():
            return True
        return bool(super().is_usable())

    def close_if_unusable_or_obsolete(self) -> None:
        """Called at the beginning and at the end of each request, which has used the connection if it was checked."""
        if self.health_check_done:  # type: ignore[attr-defined]
            self.used_at = float("-inf") if self.errors_occurred else time.monotonic()
        super().close_if_unusable_or_obsolete()

    def _is_silent(self) -> bool:
        """Whether the open connection has nothing to read: neither its end nor a message of the server."""
        if self.connection is None or self.connection.closed:
            return False
        watch = select.poll()
        watch.register(self.connection.pgconn.socket, select.POLLIN)
        return not watch.poll(0)

    def _close(self) -> None:
        link = self.connection
        if self.pool and link is not None and database.opened_before_read_only(link.opened_at):
            link.close()  # the pool replaces it
        super()._close()  # type: ignore[misc]
