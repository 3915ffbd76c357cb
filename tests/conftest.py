"""What every test takes for granted: quick passwords, and the SQLite that production uses."""

import gc

import pytest
from django.db import connection
from django.test import TestCase, TransactionTestCase
from django.test.utils import override_settings

from crm_project.accounts.logins import refusals
from crm_project.journal.append_only import rewriting
from crm_project.records.catalogue_cache import clear_all

# What `migrate` creates for the models: it stays, and needs no signal that creates it again after each test.
KEPT_TABLES = {"django_content_type", "auth_permission", "django_migrations"}


def pytest_collection_finish():
    """Garbage is looked for rarely, and never among the modules: a fifth of the suite's time was spent on it."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, tmp_path_factory):
    """Put SQLite into a file: in memory there is no WAL, and threads lock each other out in other ways."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = tmp_path_factory.mktemp("database") / "test.sqlite3"


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords():
    """For rows that a whole class shares, too."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def _refused_addresses_are_forgotten():
    """The process remembers them, while the attempts of the database are rolled back."""
    refusals.clear()


@pytest.fixture(autouse=True)
def _files_stay_in_the_test(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True, scope="session")
def _only_full_tables_are_emptied_between_tests():
    """The journal too, which nothing else may empty. Django's flush truncates all tables, however few have rows."""

    def emptying(case):
        with rewriting(), connection.cursor() as cursor:
            names = {*connection.introspection.django_table_names(only_existing=True, include_views=False)}
            tables = [connection.ops.quote_name(name) for name in sorted(names - KEPT_TABLES)]
            cursor.execute(f"SELECT {', '.join(f'EXISTS (SELECT 1 FROM {table})' for table in tables)}")
            for table, has_rows in zip(tables, cursor.fetchone(), strict=True):
                if has_rows:
                    cursor.execute(f"DELETE FROM {table}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", emptying)
        yield


@pytest.fixture(autouse=True, scope="session")
def _caches_are_rolled_back():
    """In production a version of the catalogue that others have seen is never rolled back."""
    rollback, teardown = TestCase._rollback_atomics.__func__, TransactionTestCase._fixture_teardown

    def rolling_back(case_class, atomics):
        rollback(case_class, atomics)
        clear_all()

    def emptying(case):
        teardown(case)
        clear_all()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestCase, "_rollback_atomics", classmethod(rolling_back))
        patch.setattr(TransactionTestCase, "_fixture_teardown", emptying)
        yield
