"""Environment variables, completed by an optional `.env`. Unsafe values are refused."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

# Public, therefore accepted only with DEBUG.
DEVELOPMENT_SECRET = "this-secret-is-public-and-serves-development-on-one-machine-only"
SECRET_LENGTH = 50
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def load() -> environ.Env:
    """Return the environment, completed by `.env`; ENV_FILE names another file, an empty one means none."""
    path = os.environ.get("ENV_FILE", str(BASE_DIR / ".env"))
    if path and Path(path).is_file():
        environ.Env.read_env(path)
    return environ.Env()


def secret_key(env: environ.Env, *, debug: bool) -> str:
    secret: str = env.str("SECRET_KEY", default="")
    if not secret and debug:
        return DEVELOPMENT_SECRET
    if not secret:
        raise ImproperlyConfigured("SECRET_KEY is not set. Set it to at least 50 random characters.")
    if secret == DEVELOPMENT_SECRET and not debug:
        raise ImproperlyConfigured("SECRET_KEY is the public key of the repository. Set a key of your own.")
    if len(secret) < SECRET_LENGTH:
        raise ImproperlyConfigured(f"SECRET_KEY has {len(secret)} characters. It needs at least 50.")
    return secret


def dialect_hosts(env: environ.Env) -> dict[str, str]:
    """DIALECT_HOSTS, `other.example.com=<system>,…`: hosts that serve a dialect at their root."""
    pairs = [pair.partition("=") for pair in env.list("DIALECT_HOSTS", default=[]) if pair.strip()]
    if any(not host.strip() or not system.strip() for host, _, system in pairs):
        raise ImproperlyConfigured("DIALECT_HOSTS must be a list of host=system, separated by commas.")
    return {host.strip().lower(): system.strip() for host, _, system in pairs}


def allowed_hosts(env: environ.Env, *, debug: bool, also: Iterable[str] = ()) -> list[str]:
    """ALLOWED_HOSTS with the hosts of the dialects."""
    hosts: list[str] = [host.strip() for host in env.list("ALLOWED_HOSTS", default=[]) if host.strip()]
    if debug:
        refuse_strangers([*hosts, *also])
        return [*(hosts or LOOPBACK), *also]
    if "*" in hosts:
        raise ImproperlyConfigured("ALLOWED_HOSTS contains `*`. List the hosts of this server.")
    return [*hosts, *also]


def refuse_strangers(hosts: list[str]) -> None:
    """Allow loopback names only: debug pages show source code and settings."""
    strangers = [host for host in hosts if host not in LOOPBACK and not host.endswith(".localhost")]
    if strangers:
        raise ImproperlyConfigured(
            f"DEBUG is on and ALLOWED_HOSTS contains {', '.join(strangers)}. "
            "With DEBUG only loopback names are allowed."
        )


def database(env: environ.Env) -> dict[str, Any]:
    config: dict[str, Any] = env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
    if config["ENGINE"] == "django.db.backends.sqlite3":
        return sqlite(config)
    if config["ENGINE"] == "django.db.backends.postgresql":
        return postgresql(config, statement_timeout=env.int("STATEMENT_TIMEOUT", default=15))
    raise ImproperlyConfigured("DATABASE_URL must be of SQLite or PostgreSQL.")


def sqlite(config: dict[str, Any]) -> dict[str, Any]:
    """Readers never wait, writers take turns for up to 20 s, and what was committed survives a power cut."""
    options = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
    }
    return {
        **config,
        "CONN_MAX_AGE": 60,
        "OPTIONS": {**config.get("OPTIONS", {}), **options},
    }


def postgresql(config: dict[str, Any], *, statement_timeout: int) -> dict[str, Any]:
    """PostgreSQL with limits for connecting, for waiting for a lock and for a statement."""
    given = config.get("OPTIONS", {})
    # JIT compilation takes half a second for queries that run in a tenth.
    own = f"-c jit=off -c statement_timeout={statement_timeout}s -c lock_timeout=15s"
    options = {"connect_timeout": 5, **given, "options": f"{own} {given.get('options', '')}".strip()}
    return {**config, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}
