"""Run background tasks in a test, or in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from django.db import connection

from crm_project.background.worker import Worker, run_due
from crm_project.environment import BASE_DIR

SECONDS = 60


def run_tasks(*, failing: bool = False) -> int:
    """Run what is due, and what that enqueues, in the test's connection; returns the number of tasks.

    The exception of a task is raised, unless the test expects failures and looks at the stored tasks itself.
    """
    ran = run_due()
    for _, error in ran:
        if error is not None and not failing:
            raise error
    return len(ran)


@contextmanager
def running_worker() -> Iterator[None]:
    """Threads of this process that run tasks, for a test whose writes are committed."""
    worker = Worker()
    worker.start()
    try:
        yield
    finally:
        worker.stop(SECONDS)


def database_url() -> str:
    """The database of this test."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def worker(*arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    """`manage.py worker`, on the database of this test. It must be ended: see `workers`."""
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DEBUG": "1",
        "TASK_LEASE_SECONDS": "2",
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "worker", *arguments],
        cwd=BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def workers(number: int, *arguments: str, **variables: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Several of them, which are stopped at the end of the block."""
    with ExitStack() as stack:
        processes = []
        for _ in range(number):
            process = worker(*arguments, **variables)
            stack.callback(process.wait, SECONDS)
            stack.callback(process.terminate)
            processes.append(process)
        yield processes
