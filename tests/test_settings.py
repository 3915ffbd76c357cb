"""The settings refuse an unsafe start, and what they accept is safe; each case is a process of its own."""

import json
import os
import subprocess
import sys

import pytest

from crm_project.environment import BASE_DIR, DEVELOPMENT_SECRET

pytestmark = pytest.mark.once

SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
PRODUCTION = {"SECRET_KEY": SECRET, "ALLOWED_HOSTS": "crm.example.com", "DATABASE_URL": "sqlite://:memory:"}
READ = (
    "import json, crm_project.settings as s; print(json.dumps({n: getattr(s, n) for n in %r}, default=str))"
)


def python(*arguments, **variables):
    env = {"PATH": os.environ["PATH"], "ENV_FILE": "", **variables}
    line = [sys.executable, *arguments]
    return subprocess.run(line, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False)


def settings(*names, **variables):
    done = python("-c", READ % (names,), **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def database(**variables):
    return settings("DATABASES", **variables)["DATABASES"]["default"]


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "x" * 49}, "SECRET_KEY has 49 characters"),
        ({"SECRET_KEY": DEVELOPMENT_SECRET}, "SECRET_KEY is the public key"),
        ({"ALLOWED_HOSTS": "crm.example.com,*"}, "ALLOWED_HOSTS contains `*`"),
        ({"DEBUG": "on"}, "DEBUG is on and ALLOWED_HOSTS contains crm.example.com"),
        ({"DEBUG": "on", "ALLOWED_HOSTS": "*"}, "DEBUG is on and ALLOWED_HOSTS contains *"),
        ({"DEBUG": "on", "ALLOWED_HOSTS": "127.0.0.1.example.com"}, "DEBUG is on and ALLOWED_HOSTS"),
        (
            {"SECRET_KEY_FALLBACKS": "short"},
            "SECRET_KEY_FALLBACKS contains a key that is public or too short",
        ),
        ({"PUBLIC_URL": "crm.example.com"}, "PUBLIC_URL must be a scheme and a host"),
        ({"PUBLIC_URL": "https://crm.example.com/crm"}, "PUBLIC_URL must be a scheme and a host"),
        ({"PUBLIC_URL": "javascript://crm.example.com"}, "PUBLIC_URL must be a scheme and a host"),
        ({"PUBLIC_URL": "https://ann@crm.example.com"}, "PUBLIC_URL contains a user name"),
        ({"DATABASE_URL": "mysql://localhost/crm"}, "DATABASE_URL must be of SQLite or PostgreSQL"),
    ],
)
def test_it_refuses_to_start(variables, sentence):
    done = python("-c", "import crm_project.settings", **{**PRODUCTION, **variables})

    assert done.returncode != 0
    assert f"ImproperlyConfigured: {sentence}" in done.stderr.replace("django.core.exceptions.", "")


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, "https://crm.example.com"),
        ({"ALLOWED_HOSTS": ".example.org,crm.example.org", "BEHIND_TLS": "off"}, "http://crm.example.org"),
        ({"DEBUG": "on", "ALLOWED_HOSTS": ""}, "http://127.0.0.1:8000"),
        ({"PUBLIC_URL": "https://sales.example.com:8443/"}, "https://sales.example.com:8443"),
    ],
)
def test_the_address_in_mails(variables, url):
    assert settings("PUBLIC_URL", **{**PRODUCTION, **variables})["PUBLIC_URL"] == url


def test_smtp_has_a_deadline():
    read = settings(
        "EMAIL_BACKEND", "EMAIL_USE_TLS", EMAIL_URL="smtp+tls://a:b@mail.example.com", **PRODUCTION
    )

    assert read == {"EMAIL_BACKEND": "crm_project.mail.smtp.EmailBackend", "EMAIL_USE_TLS": True}


def test_it_starts_in_production():
    read = settings("DEBUG", "ALLOWED_HOSTS", "SESSION_COOKIE_SECURE", "SECURE_SSL_REDIRECT", **PRODUCTION)

    assert read == {
        "DEBUG": False,
        "ALLOWED_HOSTS": ["crm.example.com"],
        "SESSION_COOKIE_SECURE": True,
        "SECURE_SSL_REDIRECT": True,
    }


def test_debug_needs_nothing_and_answers_this_machine_alone():
    read = settings("ALLOWED_HOSTS", "SECRET_KEY", "SECURE_SSL_REDIRECT", DEBUG="on")

    assert read == {
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost", "[::1]"],
        "SECRET_KEY": DEVELOPMENT_SECRET,
        "SECURE_SSL_REDIRECT": False,
    }


def test_plain_http_has_to_be_asked_for():
    read = settings("SESSION_COOKIE_SECURE", "SESSION_COOKIE_NAME", **PRODUCTION, BEHIND_TLS="off")

    assert read == {"SESSION_COOKIE_SECURE": False, "SESSION_COOKIE_NAME": "sessionid"}


def test_real_variables_win_over_the_file(tmp_path):
    file = tmp_path / "env"
    file.write_text(f"SECRET_KEY={SECRET}\nALLOWED_HOSTS=from.file\nLOG_LEVEL=ERROR\n")

    read = settings("SECRET_KEY", "ALLOWED_HOSTS", ENV_FILE=str(file), ALLOWED_HOSTS="from.variable")

    assert read == {"SECRET_KEY": SECRET, "ALLOWED_HOSTS": ["from.variable"]}


def test_sqlite_is_durable_and_its_writers_take_turns():
    read = database(**{**PRODUCTION, "DATABASE_URL": "sqlite:////var/lib/crm.sqlite3"})

    assert read["ENGINE"] == "crm_project.sqlite"
    assert read["OPTIONS"] == {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
    }


def test_postgresql_never_hangs_and_nothing_rides_on_start_up_parameters():
    url = "postgresql://crm:secret@db.example.com/crm?sslmode=require"
    read = database(**{**PRODUCTION, "DATABASE_URL": url})

    assert read["CONN_HEALTH_CHECKS"]
    assert read["DISABLE_SERVER_SIDE_CURSORS"]
    assert read["OPTIONS"] == {
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 14000,
        "sslmode": "require",
        "limits": {
            "jit": "off",
            "statement_timeout": "12s",
            "lock_timeout": "10s",
            "idle_in_transaction_session_timeout": "60s",
        },
        "long_statements": False,
    }


def test_postgresql_commands_may_take_their_time_and_keep_their_own_options():
    url = "postgresql://db.example.com/crm?options=-c%20search_path%3Dcrm"
    read = database(**{**PRODUCTION, "DATABASE_URL": url, "LONG_STATEMENTS": "on"})

    assert read["OPTIONS"]["options"] == "-c search_path=crm"
    assert read["OPTIONS"]["limits"]["statement_timeout"] == "0"
    assert read["OPTIONS"]["limits"]["lock_timeout"] == "10s"


def test_a_pool_of_connections_is_a_setting():
    read = database(**{**PRODUCTION, "DATABASE_URL": "postgresql://db.example.com/crm", "DATABASE_POOL": "8"})

    assert read["CONN_MAX_AGE"] == 0
    assert read["OPTIONS"]["pool"]["max_size"] == 8


def test_an_earlier_secret_stays_valid_while_it_is_named():
    earlier = "z" * 50
    read = settings("SECRET_KEY_FALLBACKS", **PRODUCTION, SECRET_KEY_FALLBACKS=earlier)

    assert read == {"SECRET_KEY_FALLBACKS": [earlier]}


@pytest.mark.slow
def test_the_deploy_check_is_clean():
    done = python("manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert done.returncode == 0, done.stderr
