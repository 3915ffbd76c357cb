"""Probes: alive, ready, healthy; for any Host, without TLS, and in a few milliseconds."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from crm_project.background.models import StoredTask
from crm_project.background.presence import presence
from crm_project.health import pending_migrations
from tests.api.test_unavailable import away

PATHS = ("/livez", "/readyz", "/healthz")


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_pods_address_is_a_host_and_tls_is_not_asked_for(path, settings):
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get(path, headers={"Host": "10.244.1.17:8000"})

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Request-ID"]
    assert Client().head(path).status_code == 200
    assert Client().post(path).status_code == 405


@pytest.mark.django_db
def test_a_process_lives_without_its_database():
    with away():
        alive, ready, healthy = (Client().get(path) for path in PATHS)

    assert alive.status_code == 200
    assert (ready.status_code, ready.json()) == (503, {"status": "unavailable", "database": "away"})
    assert (healthy.status_code, healthy["Retry-After"]) == (503, "1")


@pytest.mark.django_db
def test_it_is_not_ready_before_the_migrations():
    assert pending_migrations() == []
    MigrationRecorder(connection).record_unapplied("deals", "0001_initial")

    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": "ok", "migrations": "pending"}
    assert Client().get("/livez").status_code == 200


@pytest.mark.django_db
def test_readiness_costs_few_queries(django_assert_max_num_queries):
    with django_assert_max_num_queries(5):
        Client().get("/readyz")


@pytest.mark.django_db
def test_readiness_has_the_numbers_of_the_tasks():
    assert ready_tasks() == {
        "queued": 0,
        "running": 0,
        "failed": 0,
        "oldest_due_seconds": 0,
        "worker": "missing",
    }
    now = timezone.now()
    for age, state in ((90, "ready"), (30, "ready"), (10, "running"), (10, "failed"), (10, "done")):
        StoredTask.objects.create(
            name="a.task", queue="default", state=state, due_at=now - timedelta(seconds=age)
        )
    one = presence()
    one.begin()

    found = ready_tasks()

    assert 90 <= found.pop("oldest_due_seconds") < 100
    assert found == {"queued": 2, "running": 1, "failed": 1, "worker": "ok"}
    one.end(is_idle=True)
    assert ready_tasks()["worker"] == "missing"


def ready_tasks():
    return Client().get("/readyz").json()["tasks"]
