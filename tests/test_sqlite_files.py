"""An SQLite database is readable for its owner alone, whatever the umask is."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os
os.umask(0)
import django
django.setup()
from django.db import connection
from crm_project.write_queue import write_transaction
with write_transaction(), connection.cursor() as cursor:
    cursor.execute("CREATE TABLE IF NOT EXISTS t (n integer)")
    cursor.execute("INSERT INTO t VALUES (1)")
print(*sorted(name for name in os.listdir(os.environ["FOLDER"])))
for name in os.listdir(os.environ["FOLDER"]):
    print(name, oct(os.stat(os.path.join(os.environ["FOLDER"], name)).st_mode & 0o777))
"""


def used(folder: Path) -> dict[str, str]:
    """The modes of the database's files while a process has it open."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "crm_project.settings",
        "DATABASE_URL": f"sqlite:///{folder}/crm.sqlite3",
        "FOLDER": str(folder),
    }
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    return dict(line.split() for line in run.stdout.splitlines()[1:])


@pytest.mark.slow
def test_new_files_and_those_of_an_older_release(tmp_path: Path) -> None:
    expected = {f"crm.sqlite3{suffix}": "0o600" for suffix in ("", "-wal", "-shm", "-turn")}

    assert used(tmp_path) == expected
    database = tmp_path / "crm.sqlite3"
    database.chmod(0o644)
    assert used(tmp_path) == expected
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
