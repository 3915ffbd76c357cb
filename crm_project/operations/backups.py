"""Backups of the database as one file: a copy of SQLite, or a dump of PostgreSQL in its custom format.

A backup is consistent while the server runs and writes. It appears under its name when it is whole, readable by its
owner alone. The password is passed in the environment, where other users of the machine do not see it.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import connection

# The names that `backup` gives, by which it and `doctor` find the files of a directory.
PREFIX = "crm-"
SUFFIXES = {"sqlite": ".sqlite3", "postgresql": ".dump"}


class BackupFailed(CommandError):
    """The backup was not written, or nothing was restored."""


def path_for(place: Path, now: datetime) -> Path:
    """The file to write: the place itself, or a new name in it if it is a directory."""
    if not place.is_dir():
        return place
    return place / f"{PREFIX}{now:%Y-%m-%dT%H%M%SZ}{SUFFIXES[connection.vendor]}"


def newest(place: Path) -> Path | None:
    """The newest backup of the directory, or the file itself."""
    files = place.glob(f"{PREFIX}*") if place.is_dir() else [place]
    whole = [file for file in files if file.is_file() and not file.name.endswith(".part")]
    return max(whole, key=lambda file: file.stat().st_mtime, default=None)


def back_up(path: Path) -> None:
    """Write a backup; an existing file of that name is replaced when the new one is whole."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        if connection.vendor == "sqlite":
            _copy_sqlite(_sqlite_path(), part, into_one_file=True)
            _check_sqlite(part)
        else:
            _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={part}")
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def restore(path: Path) -> None:
    """Replace all data by those of the backup. All or nothing; the server must not run meanwhile."""
    if not path.is_file():
        raise BackupFailed(f"There is no file {path}.")
    if connection.vendor == "sqlite":
        _check_sqlite(path)
        connection.close()
        _copy_sqlite(path, _sqlite_path())
        return
    connection.close()
    options = (
        "--clean",
        "--if-exists",
        "--no-owner",
        "--no-privileges",
        "--single-transaction",
        "--exit-on-error",
    )
    _run("pg_restore", *options, f"--dbname={_database_name()}", str(path), name_database=False)


def _sqlite_path() -> Path:
    if connection.is_in_memory_db():  # type: ignore[attr-defined]
        raise BackupFailed("The database is in memory; there is nothing to keep.")
    return Path(connection.settings_dict["NAME"])


def _copy_sqlite(source: Path, target: Path, *, into_one_file: bool = False) -> None:
    """By SQLite's own backup, which includes what is in the write-ahead log; copying the file would not."""
    try:
        with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
            read.backup(written)
            if into_one_file:
                written.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise BackupFailed(f"The database could not be copied: {error}.") from error


def _check_sqlite(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as link:
            [(found,)] = link.execute("PRAGMA integrity_check(1)").fetchall()
            link.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except sqlite3.DatabaseError as error:
        raise BackupFailed(f"{path} is no database of this product.") from error
    if found != "ok":
        raise BackupFailed(f"{path} is damaged: {found}")


def _database_name() -> str:
    return str(connection.settings_dict["NAME"])


def _run(program: str, *arguments: str, name_database: bool = True) -> None:
    if shutil.which(program) is None:
        # Debian keeps the tools of each version in a directory of its own.
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
        if not found:
            raise BackupFailed(f"{program} is not installed.")
        program = str(found[-1])
    line = [program, *arguments, *([_database_name()] if name_database else [])]
    done = subprocess.run(
        line, env={**os.environ, **_environment()}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupFailed(f"{Path(program).name} failed: {done.stderr.strip()}")


def _environment() -> dict[str, str]:
    """The connection of Django's settings as libpq's variables."""
    settings: dict[str, Any] = connection.settings_dict
    options = settings["OPTIONS"]
    given = {
        "PGHOST": settings["HOST"] or options.get("host"),
        "PGPORT": settings["PORT"] or options.get("port"),
        "PGUSER": settings["USER"] or options.get("user"),
        "PGPASSWORD": settings["PASSWORD"] or options.get("password"),
        "PGSSLMODE": options.get("sslmode"),
        "PGSSLROOTCERT": options.get("sslrootcert"),
        "PGTARGETSESSIONATTRS": options.get("target_session_attrs"),
    }
    return {name: str(value) for name, value in given.items() if value}
