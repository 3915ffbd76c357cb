"""Log lines: one for each record, with the request they belong to, and nothing of people or secrets."""

import io
import json
import logging

import pytest
from django.db import DatabaseError, IntegrityError
from django.test import Client

from contacts.models import Contact
from crm_project import logs
from crm_project.accounts.services import create_token
from tests.base import World

CANARY = "canary7f3a"
EMAIL = f"{CANARY}@example.com"
NAMES = {"first_name": f"Zo {CANARY}", "last_name": CANARY, "email": EMAIL, "phone": "+49 170 5550199"}


@pytest.fixture(params=["TextFormatter", "JSONFormatter"])
def lines(request):
    """What is logged at every level, in each format."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(getattr(logs, request.param)())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


def secret_of(actor):
    return create_token(actor=actor, name=f"token {CANARY}")[1]


@pytest.fixture
def world(db):
    return World()


def test_a_request_is_one_line_with_all_that_an_operator_asks_for(world, lines, request):
    secret = secret_of(world.bob)
    answer = Client().get(
        "/api/deals", headers={"Authorization": f"Bearer {secret}", "X-Request-ID": "trace-1"}
    )

    [line] = [line for line in lines.getvalue().splitlines() if "crm.request" in line]
    expected = {
        "request_id": "trace-1",
        "organization": str(world.organization.uuid),
        "member": str(world.bob.member.uuid),
        "token": secret[:8],
        "method": "GET",
        "route": "/api/deals",
        "status": 200,
    }
    if "JSON" in request.node.name:
        read = json.loads(line)
        assert {name: read[name] for name in expected} == expected
        assert read["queries"] >= 2
        assert isinstance(read["duration_ms"], int)
    else:
        for name, value in expected.items():
            assert f" {name}={value}" in line
        assert " queries=" in line
        assert " duration_ms=" in line
    assert answer["X-Request-ID"] == "trace-1"
    assert secret not in line


def test_a_stream_is_one_line_at_its_end(world, lines):
    answer = Client().get("/api/deals/export", headers={"Authorization": f"Bearer {secret_of(world.bob)}"})
    assert "crm.request" not in lines.getvalue()

    list(answer.streaming_content)
    answer.close()

    assert "/api/deals/export" in lines.getvalue()


def test_every_line_of_a_request_carries_its_id(world, lines, monkeypatch):
    def broken(*args, **kwargs):
        raise ValueError(f"cannot read {EMAIL}\nFORGED {CANARY}@x.org")

    monkeypatch.setattr("deals.api.views.DealViewSet.get_queryset", broken)
    headers = {"Authorization": f"Bearer {secret_of(world.bob)}", "X-Request-ID": "trace-2"}
    answer = Client(raise_request_exception=False).get("/api/deals", headers=headers)

    assert answer.status_code == 500
    assert answer.json()["request_id"] == "trace-2"
    written = [line for line in lines.getvalue().splitlines() if " django" not in line]
    assert len(written) >= 2
    assert all("trace-2" in line for line in written)
    assert "ValueError" in lines.getvalue()
    assert "test_logs.py" in lines.getvalue()
    assert CANARY not in lines.getvalue()


def test_neither_people_nor_secrets_nor_line_breaks_reach_the_log(world, lines, monkeypatch):
    secret = secret_of(world.bob)
    client = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {secret}"}

    def send(method, path, body=None, **more):
        return client.generic(
            method,
            path,
            json.dumps(body) if body is not None else "",
            "application/json",
            headers={**headers, **more},
        )

    made = send("POST", "/api/contacts", NAMES)
    assert made.status_code == 201
    send("POST", "/api/contacts", NAMES)
    send("POST", "/api/contacts", {**NAMES, "email": f"{CANARY} no address"})
    send("POST", "/api/deals", {"name": CANARY, "contact_email": EMAIL, "amount": CANARY})
    send("GET", f"/api/contacts?q={CANARY}&email={EMAIL}")
    send("GET", f"/api/{CANARY}/{EMAIL}")
    send("GET", f"/{CANARY}%0aFORGED%0d%1b[31m{EMAIL}")
    send("GET", f"/api/zz%0aFORGED {CANARY}")
    send("GET", f"/dialects/intum/crm/deals.json?api_token={CANARY}")
    send("GET", "/api/me", **{"Authorization": f"Bearer {CANARY}"})
    send("GET", "/api/me", **{"X-Request-ID": f"{CANARY}\nFORGED"})
    client.post("/admin/login/", {"username": EMAIL, "password": f"password {CANARY}"})

    def violates(*args, **kwargs):
        raise IntegrityError(f'null value in column "x"\nDETAIL:  Failing row contains ({CANARY}, {EMAIL}).')

    monkeypatch.setattr("contacts.services.create_contacts", violates)
    monkeypatch.setattr("contacts.api.views.create_contacts", violates, raising=False)
    send("POST", "/api/contacts", NAMES)
    monkeypatch.undo()

    def breaks(*args, **kwargs):
        raise DatabaseError(f"value too long\n{CANARY} {EMAIL}")

    monkeypatch.setattr("deals.api.views.DealViewSet.get_queryset", breaks)
    send("GET", "/api/deals")
    Contact.objects.get(email=EMAIL)

    text = lines.getvalue()
    # Django's own debug lines of queries are off in production.
    text = "\n".join(line for line in text.split("\n") if "django.db.backends" not in line)
    assert CANARY not in text
    assert secret not in text
    assert "5550199" not in text
    for line in text.splitlines():
        assert not line.startswith("FORGED"), line
        assert line.isprintable(), line


def test_gunicorns_own_lines_take_the_same_form(lines):
    logging.getLogger("gunicorn.error").warning(
        "Invalid request from ip=%s: %s", "192.0.2.1", "a\nFORGED \x1b[31m"
    )

    [line] = lines.getvalue().splitlines()
    assert line.isprintable()
