"""The doctor: what is right is said shortly, what is wrong with its remedy and an exit status."""

import os
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from crm_project.accounts.models import Organization
from crm_project.background.models import StoredTask
from crm_project.background.presence import presence
from crm_project.environment import DEVELOPMENT_SECRET
from crm_project.operations import doctor
from crm_project.operations.doctor import OK, PROBLEM, WARNING, examine
from tests.api.test_unavailable import away
from tests.factories import OrganizationFactory

SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.fixture
def _healthy(settings, tmp_path):
    """As in the documented deployment, with a backup of this night."""
    (tmp_path / "crm-2026.dump").write_bytes(b"x")
    settings.SECRET_KEY = SECRET
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["crm.example.com"]
    settings.BEHIND_TLS = True
    settings.BACKUP_PATH = str(tmp_path)
    settings.PUBLIC_URL = "https://crm.example.com"
    settings.DEFAULT_FROM_EMAIL = "crm@example.com"


def run(**options):
    """The exit status and what was printed."""
    printed = StringIO()
    try:
        call_command("doctor", stdout=printed, **options)
    except SystemExit as end:
        return end.code, printed.getvalue()
    return 0, printed.getvalue()


def found(subject):
    return {finding.subject: finding for finding in examine()}[subject]


@pytest.mark.django_db
@pytest.mark.usefixtures("_healthy")
class TestDoctor:
    def test_a_healthy_installation_has_no_problem(self):
        status, printed = run()

        assert status == 0, printed
        assert not [finding for finding in examine() if finding.level == PROBLEM]
        for subject in (
            "secret",
            "hosts",
            "proxy",
            "mail",
            "links",
            "backup",
            "disk",
            "database",
            "time-outs",
            "migrations",
            "zone",
            "tasks",
            "worker",
        ):
            assert f" {subject}: " in printed

    @pytest.mark.parametrize(
        ("name", "value", "subject", "level"),
        [
            ("SECRET_KEY", DEVELOPMENT_SECRET, "secret", PROBLEM),
            ("SECRET_KEY", "ab" * 30, "secret", PROBLEM),
            ("DEBUG", True, "debug", WARNING),
            ("ALLOWED_HOSTS", [], "hosts", PROBLEM),
            ("BEHIND_TLS", False, "proxy", WARNING),
            ("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend", "mail", WARNING),
            ("DEFAULT_FROM_EMAIL", "crm@localhost", "mail", WARNING),
            ("PUBLIC_URL", "https://elsewhere.example.com", "links", PROBLEM),
            ("PUBLIC_URL", "http://crm.example.com", "links", WARNING),
            ("BACKUP_PATH", "", "backup", WARNING),
            ("BACKUP_PATH", "/nowhere/at/all", "backup", PROBLEM),
        ],
    )
    def test_a_setting_that_is_wrong_comes_with_its_remedy(self, settings, name, value, subject, level):
        setattr(settings, name, value)
        finding = found(subject)
        status, printed = run()

        assert finding.level == level
        assert finding.remedy in printed
        assert finding.remedy
        assert status == (1 if level == PROBLEM else 0)

    def test_an_old_backup_is_a_problem(self, settings, tmp_path):
        two_days = time.time() - 48 * 3600
        os.utime(tmp_path / "crm-2026.dump", (two_days, two_days))

        assert found("backup").level == PROBLEM
        assert "48.0 hours" in found("backup").text
        settings.BACKUP_MAX_AGE_HOURS = 72
        assert found("backup").level == OK

    def test_an_empty_backup_is_a_problem(self, tmp_path):
        (tmp_path / "crm-2026.dump").write_bytes(b"")

        assert found("backup").level == PROBLEM

    def test_a_full_disk_is_a_problem(self, monkeypatch):
        monkeypatch.setattr(doctor, "LEAST_FREE", 10**18)

        assert found("disk").level == PROBLEM

    def test_pending_migrations_are_named(self):
        MigrationRecorder(connection).record_unapplied("deals", "0001_initial")

        assert found("migrations").text == "pending: deals.0001_initial"
        assert run()[0] == 1

    def test_a_zone_that_this_machine_lacks_is_named(self):
        organization = OrganizationFactory()
        Organization.objects.filter(pk=organization.pk).update(time_zone="Mars/Olympus")

        assert "Mars/Olympus" in found("zone").text
        assert found("zone").level == PROBLEM

    def test_a_queue_that_nobody_works_on_is_named(self):
        assert (found("tasks").level, found("worker").level) == (OK, WARNING)
        one = presence()
        one.begin()
        assert found("worker").level == OK

        due = timezone.now() - timedelta(minutes=11)
        for state in ("ready", "failed"):
            StoredTask.objects.create(name="a.task", queue="default", state=state, due_at=due)

        assert (found("tasks").level, found("tasks").text) == (WARNING, "1 queued, 0 running, 1 failed")
        assert (found("worker").level, "11 minutes" in found("worker").text) == (PROBLEM, True)
        one.end(is_idle=True)

    def test_a_database_that_is_away_is_one_finding(self):
        with away():
            status, printed = run()

        assert status == 1
        assert "database: does not answer" in printed
        assert "hosts" in printed

    def test_an_address_that_does_not_answer_is_a_problem(self):
        status, printed = run(url="http://127.0.0.1:1")

        assert status == 1
        assert "does not answer" in printed


@pytest.mark.django_db
@pytest.mark.postgres
@pytest.mark.usefixtures("_healthy")
class TestDoctorOfPostgreSQL:
    @pytest.fixture(autouse=True)
    def _postgresql(self):
        if connection.vendor != "postgresql":
            pytest.skip("asks PostgreSQL")

    def test_a_superuser_is_warned_of(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            [is_superuser] = cursor.fetchone()

        assert found("role").level == (WARNING if is_superuser else OK)

    def test_a_role_that_owns_nothing_cannot_migrate(self):
        with connection.cursor() as cursor:
            cursor.execute("CREATE ROLE crm_doctor_test")
            cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO crm_doctor_test")
            cursor.execute("SET LOCAL ROLE crm_doctor_test")

        finding = found("role")

        assert finding.level == PROBLEM
        assert "crm_doctor_test cannot migrate" in finding.text

    def test_more_connections_than_the_server_grants_are_a_problem(self, monkeypatch):
        monkeypatch.setattr("crm_project.server.workers", 1000)

        assert found("connections").level == PROBLEM
