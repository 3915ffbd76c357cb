"""Behind PgBouncer in transaction mode with its defaults: limits hold, downloads are whole, races end as without it."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.test import Client

from crm_project import database
from crm_project.accounts.services import create_token
from crm_project.imports import services
from crm_project.imports.files import receive
from crm_project.imports.models import Import, RefusedRow
from crm_project.records.management.commands.migrate import lock_timeout
from deals.models import Deal
from tests.api import test_races as http_races
from tests.base import World
from tests.factories import DealFactory
from tests.imports.client import csv_file
from tests.imports.test_imports import HEADER, deal_row
from tests.pgbouncer import behind_pgbouncer, console, store_limits, url_of
from tests.tasks import run_tasks
from tests.test_races import (  # noqa: F401  (the fixtures and tests of that module, run here behind the pooler)
    _the_journal_has_no_gaps,
    test_identical_upserts_make_one_contact,
    test_lists_of_the_same_deals_in_other_orders_do_not_block_each_other,
    test_no_update_is_lost,
    test_one_email_in_five_spellings_makes_one_contact,
    test_reordering_stages_at_once_leaves_an_order,
    test_what_is_trashed_stays_trashed,
)

pytestmark = [pytest.mark.race, pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

crowd = http_races.crowd
test_upserts_of_one_key_make_one_deal = http_races.test_upserts_of_one_key_make_one_deal
test_patches_of_different_fields_are_all_kept = http_races.test_patches_of_different_fields_are_all_kept


@pytest.fixture(autouse=True)
def _pooler(transactional_db):
    """The role has the limits, as after `manage.py migrate`, and the pooler's connections are newer than that."""
    if connection.vendor != "postgresql":
        pytest.skip("a pooler stands before PostgreSQL")
    with behind_pgbouncer(connection) as port:
        store_limits(connection, port)
        yield


@pytest.fixture
def world():
    return World()


def port():
    return int(connection.settings_dict["PORT"])


def raw():
    """A connection of another client of the same pooler."""
    return psycopg.connect(url_of(connection.settings_dict, port=port()))


def limits(settings, **changed):
    settings.DATABASE_LIMITS = {**settings.DATABASE_LIMITS, **changed}


def test_the_limits_are_in_force():
    connection.ensure_connection()

    assert connection.connection.behind_pooler
    assert database.limit_mismatches() == {}
    names = ("jit", "statement_timeout", "lock_timeout")
    with raw() as link:
        shown = {name: link.execute(f"SHOW {name}").fetchone()[0] for name in names}
    assert shown == {"jit": "off", "statement_timeout": "12s", "lock_timeout": "10s"}


def test_a_limit_that_is_not_in_force_is_named(settings):
    limits(settings, statement_timeout="1s")

    assert database.limit_mismatches() == {"statement_timeout": ("1s", "12000ms")}


def test_migrate_stores_the_limits():
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {name} RESET ALL")
    connect_anew()
    assert set(database.limit_mismatches()) == set(settings.DATABASE_LIMITS)

    call_command("migrate", verbosity=0)
    connect_anew()

    assert database.limit_mismatches() == {}


def connect_anew():
    """The role's defaults are those of the moment when the pooler connected."""
    connection.close()
    console(port(), "RECONNECT")


def test_a_statement_ends_in_time_and_a_command_takes_its_time(settings):
    limits(settings, statement_timeout="1s")
    store_limits(connection, port())
    began = time.monotonic()
    with pytest.raises(OperationalError, match="statement timeout"), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(10)")
    assert time.monotonic() - began < 5

    connection.close()
    options = {**connection.settings_dict["OPTIONS"], "long_statements": True}
    options["limits"] = {**options["limits"], "statement_timeout": "0"}
    connection.settings_dict["OPTIONS"] = options
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1.5)")


def test_no_setting_of_a_session_reaches_another_client(world):
    """What one transaction sets ends with it, though the next client gets the same server connection."""
    with transaction.atomic():
        database.allow_long_statements(600)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone() == ("12s",)


def test_a_migration_leaves_no_setting_to_other_clients():
    """Its locks wait for a fifth of a second, which would end the writes of others."""
    connection.settings_dict["OPTIONS"] = {**connection.settings_dict["OPTIONS"], "long_statements": True}
    connection.close()

    def shown(cursor):
        return cursor.execute("SHOW lock_timeout").fetchone()[0]

    with lock_timeout(connection, "200ms"), raw() as other:
        with transaction.atomic(), connection.cursor() as cursor:
            assert shown(cursor.cursor) == "200ms"
            assert shown(other) == "10s"
        other.rollback()
        with connection.cursor() as cursor:
            assert shown(cursor.cursor) == "10s"


def test_downloads_at_once_are_whole(world):
    source = Import.objects.create(
        organization=world.organization,
        member=world.bob.member,
        kind="deals",
        file_name="a.csv",
        size=1,
        columns=[{"label": "Name"}],
        state=Import.States.FAILED,
    )
    rows = 1200
    errors = [{"column": "Name", "field": "name", "code": "blank", "detail": "x" * 50}]
    RefusedRow.objects.bulk_create(
        RefusedRow(source=source, line=n, cells=[f"row {n}"], errors=errors) for n in range(1, rows + 1)
    )
    for n in range(3):
        DealFactory(actor=world.bob, name=f"Deal {n}")
    _, secret = create_token(actor=world.bob, name="downloads")
    headers = {"Authorization": f"Bearer {secret}"}
    paths = [f"/api/imports/{source.uuid}/error-file", "/api/deals/export"]

    def download(n):
        try:
            answer = Client().get(paths[n % 2], headers=headers)
            return n % 2, answer.status_code, b"".join(answer.streaming_content).decode().count("\r\n")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(download, range(24)))

    assert seen == {(0, 200, rows + 1), (1, 200, Deal.objects.count() + 1)}
    assert not list(server_side_cursors())


def test_one_key_at_once_makes_one_deal(world):
    _, secret = create_token(actor=world.bob, name="keys")
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "one"}

    def write(n):
        try:
            body = {"name": "Once"}
            return (
                Client()
                .post("/api/deals", body, content_type="application/json", headers=headers)
                .status_code
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(write, range(16)))

    assert statuses <= {201, 409}
    assert Deal.objects.filter(name="Once").count() == 1


def test_an_import_is_previewed_run_and_undone(world):
    upload = receive("deals.csv", [csv_file(HEADER, *(deal_row(n) for n in range(30)))])
    source = services.upload_file(actor=world.bob, kind="deals", upload=upload)
    found = {}
    for task in ("preview", "run", "undo"):
        if task == "undo":
            services.ask_to_undo(actor=world.bob, source=source)
        else:
            services.ask_for(actor=world.bob, source=source, task=task)
        run_tasks()
        source.refresh_from_db()
        found[task] = (source.state, source.counts["created"], Deal.objects.filter(deleted_at=None).count())

    assert found == {"preview": ("previewed", 30, 0), "run": ("done", 30, 30), "undo": ("undone", 30, 0)}


def server_side_cursors():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_cursors WHERE name LIKE '_django%'")
        yield from cursor.fetchall()


def test_an_advisory_lock_ends_with_its_transaction(world):
    """One that belonged to the session would stay with the pooler's connection, held by nobody."""
    world.deal(external_references=[("erp", "1")])
    with raw() as link:
        left = link.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()

    assert left == (0,)


def test_pgbouncer_has_its_defaults():
    """None of the parameters that the product sends has to be ignored by the pooler."""
    shown = {row[0]: row[1] for row in console(port(), "SHOW CONFIG")}

    assert shown["ignore_startup_parameters"] == ""
    assert shown["pool_mode"] == "transaction"
