"""The same tests with procrastinate, which settings choose: in a run of their own, on a database of their own."""

import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from crm_project.environment import BASE_DIR

SAME = (
    "tests/background/test_tasks.py",
    "tests/background/test_processes.py",
    "tests/background/test_schedule.py",
    "tests/background/test_admin.py",
)
SECONDS = 300


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_everything_holds_with_procrastinate():
    if connection.vendor != "postgresql":
        pytest.skip("procrastinate needs PostgreSQL")
    if settings.TASK_ENGINE == "procrastinate":
        pytest.skip("this is the run of the second engine")
    # `test_` is added to it.
    name = f"{connection.settings_dict['NAME']}_engine".removeprefix("test_")
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    environment = {**os.environ, "TEST_DATABASE_URL": address, "TASK_ENGINE": "procrastinate"}
    for variable in [key for key in environment if key.startswith("PYTEST_")]:
        del environment[variable]

    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", *SAME]
    done = subprocess.run(
        line, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )

    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
