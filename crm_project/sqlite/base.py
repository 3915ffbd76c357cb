"""Django's SQLite backend, whose transactions wait for their turn to write in a fair queue.

Its connections have one more function, `rounded_product`.

Every transaction takes the write lock with its BEGIN IMMEDIATE, also those of Django itself: sessions, form pages,
migrations. A statement outside a transaction relies on SQLite's busy timeout.
"""

import datetime
from contextlib import AbstractContextManager
from typing import Any

from django.db.backends.sqlite3 import base, operations
from django.utils.dateparse import parse_datetime

from crm_project.write_queue import queue_of

LARGEST_INTEGER = 2**63 - 1


def rounded_product(one: int | None, other: int | None, divisor: int) -> int | None:
    """`one * other / divisor`, rounded half up. Null if a factor is, or if SQLite has no integer of that size."""
    if one is None or other is None:
        return None
    product = (2 * one * other + divisor) // (2 * divisor)
    return product if product <= LARGEST_INTEGER else None


class DatabaseOperations(operations.DatabaseOperations):
    def convert_datetimefield_value(
        self, value: Any, expression: Any, connection: Any
    ) -> datetime.datetime | None:
        """As Django's, in an eighth of its calls: a page of a list has hundreds of instants, all stored in UTC."""
        if isinstance(value, str):
            value = parse_datetime(value)
        return value if value is None else value.replace(tzinfo=datetime.UTC)


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
    # Seconds that the next transaction waits for its turn, if not as long as for the lock.
    turn_timeout: float | None = None
    _turn: AbstractContextManager[None] | None = None

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.create_function("rounded_product", 3, rounded_product, deterministic=True)
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        timeout, self.turn_timeout = self.turn_timeout, None
        self._end_turn()
        if not self.is_in_memory_db():
            seconds = self.settings_dict["OPTIONS"].get("timeout", 5) if timeout is None else timeout
            turn = queue_of(str(self.settings_dict["NAME"])).turn(seconds)
            turn.__enter__()
            self._turn = turn
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> Any:
        """If it fails, Django rolls back."""
        result = super()._commit()  # type: ignore[misc]
        self._end_turn()
        return result

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.__exit__(None, None, None)
