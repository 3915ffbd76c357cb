"""A release is deployed while people work: 20,000 deals migrate, no write waits, a killed filling continues."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.db import connection

pytestmark = pytest.mark.race

ROOT = Path(__file__).parents[2]
SECONDS = 300
IS_POSTGRESQL = connection.vendor == "postgresql"
UNFILLED = "SELECT count(*) FROM deals_deal WHERE test_region IS NULL AND id <= {last}"
TEST_INDEXES = (
    "SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
    " WHERE relname LIKE 'deals_deal_test_%' AND indisvalid AND indisready"
)
TEST_CONSTRAINTS = "SELECT count(*) FROM pg_constraint WHERE conname LIKE 'deals_deal_test_%' AND convalidated"


class Deployment:
    """A database of its own, and processes of the old and the new release that use it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def environment(self, settings: str) -> dict[str, str]:
        # As the plug-in of the tests sets it; pytest's own database stays out of it.
        given = {"DJANGO_SETTINGS_MODULE": settings, "DATABASE_URL": self.url, "DEBUG": "on", "ENV_FILE": ""}
        return {**os.environ, **given}

    def start(self, *command: str, settings: str, **pipes: Any) -> subprocess.Popen[str]:
        line = [sys.executable, *command]
        return subprocess.Popen(
            line, cwd=ROOT, env=self.environment(settings), text=True, stderr=subprocess.PIPE, **pipes
        )

    def migration(self, *target: str) -> subprocess.Popen[str]:
        """`migrate` of the new release."""
        command = ("manage.py", "migrate", "--verbosity", "0", *target)
        return self.start(*command, settings="tests.migrations.settings")

    def migrate(self, *target: str) -> None:
        with self.migration(*target) as process:
            _, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, errors

    def restore(self, every: int) -> None:
        """The dump, migrated to the present release, which is the old one of these tests."""
        code = (
            "import os; os.environ['LONG_STATEMENTS'] = 'on'; import django; django.setup();"
            f" from tests.migrations import dump; dump.restore({every})"
        )
        for command in (("-c", code), ("manage.py", "migrate", "--verbosity", "0")):
            with self.start(*command, settings="crm_project.settings") as process:
                _, errors = process.communicate(timeout=SECONDS)
            assert process.returncode == 0, errors

    @contextmanager
    def writers(self) -> Iterator[dict[str, Any]]:
        """The old release writes meanwhile; its report is filled at the end of the block."""
        report: dict[str, Any] = {}
        command = ("-m", "tests.migrations.writers")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with self.start(*command, settings="crm_project.settings", **pipes) as process:
            assert process.stdout is not None
            started = process.stdout.readline()
            try:
                yield report
            finally:
                out, errors = process.communicate(timeout=SECONDS)
        assert started == "writing\n", errors
        report.update(json.loads(out))

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """A transaction of another client, which is rolled back."""
        if IS_POSTGRESQL:
            import psycopg

            other: Any = psycopg.connect(self.url)
        else:
            import sqlite3

            other = sqlite3.connect(self.url.removeprefix("sqlite:///"))
        try:
            yield other.cursor()
        finally:
            other.rollback()
            other.close()

    def value(self, query: str) -> Any:
        with self.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]


@pytest.fixture
def deployment(tmp_path) -> Iterator[Deployment]:
    if not IS_POSTGRESQL:
        yield Deployment(f"sqlite:///{tmp_path / 'migrations.sqlite3'}")
        return
    import psycopg

    server = os.environ["TEST_DATABASE_URL"]
    name = f"crm_migrations_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield Deployment(urlsplit(server)._replace(path=f"/{name}").geturl())
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


# SQLite has one writer anyway, so that its migrations are tried in the long run alone.
@pytest.mark.parametrize(
    "every",
    [pytest.param(10, marks=[] if IS_POSTGRESQL else pytest.mark.long), pytest.param(1, marks=pytest.mark.long)],
)
def test_a_release_is_deployed_while_deals_are_written(deployment, every):
    deployment.restore(every)
    last = deployment.value("SELECT max(id) FROM deals_deal")

    with deployment.writers() as report:
        add_columns_beside_a_long_transaction(deployment)
        kill_the_filling(deployment, last)
        deployment.migrate()

    assert report["errors"] == []
    assert report["writes"] > 0
    assert deployment.value(UNFILLED.format(last=last)) == 0
    once = f"SELECT count(*) FROM deals_deal WHERE id <= {last} AND test_fillings <> 1"
    assert deployment.value(once) == 0
    if IS_POSTGRESQL:
        assert deployment.value(TEST_INDEXES) == 3
        assert deployment.value(TEST_CONSTRAINTS) == 3
    # Nothing is left to do.
    deployment.migrate("--check")


def add_columns_beside_a_long_transaction(deployment: Deployment) -> None:
    """On PostgreSQL it keeps the table busy until the migration has given up once; SQLite has one writer anyway."""
    with deployment.cursor() as other:
        if IS_POSTGRESQL:
            other.execute("LOCK TABLE deals_deal IN ROW EXCLUSIVE MODE")
        process = deployment.migration("deals", "test_0001_add_columns")
        if IS_POSTGRESQL:
            assert process.stderr is not None
            assert process.stderr.readline() == "A table is in use. The migration is attempted again.\n"
    with process:
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors


def kill_the_filling(deployment: Deployment, last: int) -> None:
    unfilled = UNFILLED.format(last=last)
    before = deployment.value(unfilled)
    with deployment.migration("deals", "test_0002_fill") as process:
        while deployment.value(unfilled) == before:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        process.kill()
    assert 0 < deployment.value(unfilled) < before
    assert deployment.value("SELECT count(*) FROM django_migrations WHERE name = 'test_0002_fill'") == 0
