"""Permissions of an SQLite database: its owner alone reads and writes the files."""

import os
import stat
from contextlib import suppress
from typing import Any

MODE = 0o600
# The database, its write-ahead log with the index of that, and the lock file of the write queue.
SUFFIXES = ("", "-wal", "-shm", "-turn")


def restrict_files(connection: Any, **_: Any) -> None:
    """Receiver of `connection_created`. SQLite gives later files of the database the mode of the first one."""
    if connection.vendor != "sqlite" or connection.is_in_memory_db():
        return
    for suffix in SUFFIXES:
        path = f"{connection.settings_dict['NAME']}{suffix}"
        # Another user's file, or one that has just been deleted.
        with suppress(OSError):
            if stat.S_IMODE(os.stat(path).st_mode) & ~MODE:
                os.chmod(path, MODE)
