"""Environment variables, completed by an optional `.env`. Unsafe values are refused."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

# Public, therefore accepted only with DEBUG.
DEVELOPMENT_SECRET = "this-secret-is-public-and-serves-development-on-one-machine-only"
SECRET_LENGTH = 50
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# A migration, a load or a backup takes as long as it takes.
UNLIMITED = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}


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
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set it to at least 50 random characters; `make .env` does so for this machine."
        )
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


def outbound_hosts(env: environ.Env) -> frozenset[str]:
    """OUTBOUND_ALLOWED_HOSTS, `host` or `host:port` each."""
    hosts = env.list("OUTBOUND_ALLOWED_HOSTS", default=[])
    return frozenset(host.strip().lower() for host in hosts if host.strip())


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


def public_url(env: environ.Env, *, hosts: Iterable[str], tls: bool) -> str:
    """PUBLIC_URL without a final slash; by default the first named host of ALLOWED_HOSTS."""
    named = [host for host in hosts if host and not host.startswith(".")]
    host = named[0] if named else "localhost"
    default = f"{'https' if tls else 'http'}://{f'{host}:8000' if host in LOOPBACK else host}"
    url: str = env.str("PUBLIC_URL", default="").strip().rstrip("/") or default
    parts = urlsplit(url)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or url != f"{parts.scheme}://{parts.netloc}"
    ):
        raise ImproperlyConfigured("PUBLIC_URL must be a scheme and a host, such as https://crm.example.com.")
    if "@" in parts.netloc:
        raise ImproperlyConfigured("PUBLIC_URL contains a user name.")
    return url


def bounded_smtp(config: dict[str, Any]) -> dict[str, Any]:
    """The settings of EMAIL_URL; of the SMTP backends the one with a deadline."""
    if config["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
        return {**config, "EMAIL_BACKEND": "crm_project.mail.smtp.EmailBackend"}
    return config


def secret_key_fallbacks(env: environ.Env) -> list[str]:
    """Earlier keys: what they have signed stays valid, and nothing new is signed with them."""
    keys = [key.strip() for key in env.list("SECRET_KEY_FALLBACKS", default=[]) if key.strip()]
    if any(len(key) < SECRET_LENGTH or key == DEVELOPMENT_SECRET for key in keys):
        raise ImproperlyConfigured("SECRET_KEY_FALLBACKS contains a key that is public or too short.")
    return keys


def rate_limit(text: str) -> tuple[int, int] | None:
    """The quota and the seconds of a rate such as `1000/60`; None for `off`."""
    if text.strip() == "off":
        return None
    quota, _, seconds = text.strip().partition("/")
    if not (_is_count(quota) and _is_count(seconds)):
        raise ImproperlyConfigured(f"A RATE_LIMIT is `requests/seconds` or `off`, and not {text!r}.")
    return int(quota), int(seconds)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 10**9


def web_threads(env: environ.Env) -> int:
    """WEB_THREADS, the threads of each server process."""
    threads: int = env.int("WEB_THREADS", default=16)
    return threads


def cors_origins(env: environ.Env) -> list[str]:
    """CORS_ALLOWED_ORIGINS: `https://app.example.com,…`, the origins whose pages may call the API."""
    origins: list[str] = [one.strip() for one in env.list("CORS_ALLOWED_ORIGINS", default=[]) if one.strip()]
    return origins


def database_limits(env: environ.Env) -> dict[str, str]:
    """PostgreSQL settings under which requests are served: connecting, waiting for a lock, a statement all end."""
    seconds = env.int("STATEMENT_TIMEOUT", default=12)
    return {
        # JIT compiles for half a second what runs in a tenth.
        "jit": "off",
        "statement_timeout": f"{seconds}s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "60s",
    }


def database(env: environ.Env, *, limits: dict[str, str]) -> dict[str, Any]:
    config: dict[str, Any] = env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
    if config["ENGINE"] == "django.db.backends.sqlite3":
        return sqlite(config)
    if config["ENGINE"] == "django.db.backends.postgresql":
        long_statements = env.bool("LONG_STATEMENTS", default=False)
        pool_size = env.int("DATABASE_POOL", default=0)
        return postgresql(config, limits=limits, long_statements=long_statements, pool_size=pool_size)
    raise ImproperlyConfigured("DATABASE_URL must be of SQLite or PostgreSQL.")


def task_engine(env: environ.Env, config: dict[str, Any]) -> str:
    """TASK_ENGINE: what runs the background tasks."""
    engine: str = env.str("TASK_ENGINE", default="database")
    if engine not in ("database", "procrastinate"):
        raise ImproperlyConfigured("TASK_ENGINE must be `database` or `procrastinate`.")
    if engine == "procrastinate" and "sqlite" in config["ENGINE"]:
        raise ImproperlyConfigured("TASK_ENGINE=procrastinate needs PostgreSQL.")
    return engine


def sqlite(config: dict[str, Any]) -> dict[str, Any]:
    """Readers never wait, writers take turns for up to 20 s, and what was committed survives a power cut."""
    options = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
    }
    return {
        **config,
        "ENGINE": "crm_project.sqlite",
        "CONN_MAX_AGE": 60,
        "OPTIONS": {**config.get("OPTIONS", {}), **options},
    }


def postgresql(
    config: dict[str, Any], *, limits: dict[str, str], long_statements: bool, pool_size: int
) -> dict[str, Any]:
    """The same whether the URL leads to the server or to a pooler; `long_statements` is for commands."""
    options: dict[str, Any] = {
        "connect_timeout": 5,
        # A link whose other end is gone is noticed by the kernel, in idle connections too.
        "keepalives_idle": 5,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 14_000,
        **config.get("OPTIONS", {}),
        "limits": {**limits, **(UNLIMITED if long_statements else {})},
        "long_statements": long_statements,
    }
    lifetime: dict[str, Any] = {"CONN_MAX_AGE": 60}
    if pool_size:
        # Reconnecting is given up early, and begun again by the next request: no pause grows during an outage.
        options["pool"] = {"min_size": 0, "max_size": pool_size, "timeout": 5, "reconnect_timeout": 2}
        lifetime = {"CONN_MAX_AGE": 0}
    return {
        **config,
        **lifetime,
        "ENGINE": "crm_project.postgresql",
        "CONN_HEALTH_CHECKS": True,
        # A cursor that outlives its transaction would stay with a pooler's connection.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": options,
    }
