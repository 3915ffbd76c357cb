"""The checks of `manage.py doctor`: each finding names a fact and, if it is a problem, the remedy."""

import datetime
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http.request import validate_host
from django.utils import timezone

from crm_project.accounts.models import Organization
from crm_project.background.status import status
from crm_project.background.worker import connections_of_a_process
from crm_project.database import describe, limit_mismatches, limit_statements
from crm_project.environment import DEVELOPMENT_SECRET
from crm_project.health import is_read_only, pending_migrations
from crm_project.mail.services import has_mail_server
from crm_project.operations.backups import newest

OK, WARNING, PROBLEM = "ok", "warning", "problem"
LEAST_FREE = 1024**3
MOST_SKEW = datetime.timedelta(seconds=5)
# The thread that settles the rate limits has a connection of its own.
LIMIT_CONNECTIONS = 1
# Minutes that a task may wait before it is a problem.
LONGEST_WAIT = 10


@dataclass(frozen=True)
class Finding:
    level: str
    subject: str
    text: str
    remedy: str = ""


def examine(url: str = "") -> Iterator[Finding]:
    """All findings; those that need the database are one finding if it does not answer."""
    yield from secret()
    yield from hosts()
    yield from proxy(url)
    yield from mail()
    yield from backup()
    yield from disk()
    try:
        connection.ensure_connection()
        for subject in OF_THE_DATABASE:
            yield from subject()
    except (DatabaseError, InterfaceError) as error:
        yield Finding(
            PROBLEM, "database", f"does not answer ({describe(error)})", "Check DATABASE_URL and the server."
        )


def secret() -> Iterator[Finding]:
    if settings.SECRET_KEY == DEVELOPMENT_SECRET:
        yield Finding(
            PROBLEM, "secret", "SECRET_KEY is the public one", "Set SECRET_KEY to 50 random characters."
        )
    elif len(set(settings.SECRET_KEY)) < 10:
        yield Finding(
            PROBLEM, "secret", "SECRET_KEY repeats few characters", "Set SECRET_KEY to 50 random characters."
        )
    else:
        fallbacks = len(settings.SECRET_KEY_FALLBACKS)
        yield Finding(OK, "secret", f"set, with {fallbacks} earlier keys still valid")
    if settings.DEBUG:
        yield Finding(WARNING, "debug", "DEBUG is on", "Unset DEBUG where others reach the server.")


def hosts() -> Iterator[Finding]:
    named = [host for host in settings.ALLOWED_HOSTS if host]
    if named:
        yield Finding(OK, "hosts", ", ".join(named))
    else:
        yield Finding(
            PROBLEM, "hosts", "ALLOWED_HOSTS is empty: every request is refused", "Name your host in it."
        )


def proxy(url: str) -> Iterator[Finding]:
    trusted = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
    if not settings.BEHIND_TLS:
        remedy = "Unset BEHIND_TLS, unless only this machine reaches the server."
        yield Finding(WARNING, "proxy", "BEHIND_TLS is off: cookies and tokens travel without TLS", remedy)
        return
    if trusted == "*":
        remedy = "Set FORWARDED_ALLOW_IPS to the address of the proxy."
        yield Finding(WARNING, "proxy", "X-Forwarded-Proto is believed from every address", remedy)
    if not url:
        remedy = "Run doctor --url https://… to ask through the proxy."
        yield Finding(OK, "proxy", f"X-Forwarded-Proto is believed from {trusted}; not tried", remedy)
        return
    yield _through_proxy(url.rstrip("/"))


def _through_proxy(url: str) -> Finding:
    """A page answers without a redirect to itself only if the server believes that the request came by TLS."""
    try:
        with urllib.request.urlopen(f"{url}/admin/login/", timeout=15) as answer:
            if answer.headers.get("Strict-Transport-Security"):
                return Finding(OK, "proxy", f"{url} answers, and the server sees TLS")
            remedy = "Let the proxy pass X-Forwarded-Proto, from an address of FORWARDED_ALLOW_IPS."
            return Finding(PROBLEM, "proxy", "the server does not see that requests come by TLS", remedy)
    except urllib.error.HTTPError as error:
        remedy = "Pass Host and X-Forwarded-Proto, and name the proxy in FORWARDED_ALLOW_IPS."
        return Finding(PROBLEM, "proxy", f"{url}/admin/login/ answers {error.code}", remedy)
    except OSError as error:
        return Finding(PROBLEM, "proxy", f"{url} does not answer: {error}", "Check the proxy and the name.")


def mail() -> Iterator[Finding]:
    """The server of mails, without a connection to it, and the address in their links."""
    if has_mail_server() and settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        remedy = "Set DEFAULT_FROM_EMAIL to an address of your domain: others are taken for unwanted mail."
        yield Finding(WARNING, "mail", f"comes from {settings.DEFAULT_FROM_EMAIL}", remedy)
    elif has_mail_server():
        yield Finding(OK, "mail", f"sent by {settings.EMAIL_HOST or settings.EMAIL_BACKEND}")
    else:
        remedy = "Set EMAIL_URL: passwords cannot be reset, and links of invitations are not mailed."
        yield Finding(WARNING, "mail", "EMAIL_URL is not set: mails are written to the log", remedy)
    parts = urlsplit(settings.PUBLIC_URL)
    if not validate_host(parts.hostname or "", settings.ALLOWED_HOSTS):
        remedy = "Set PUBLIC_URL to the address that browsers use, and name its host in ALLOWED_HOSTS."
        yield Finding(PROBLEM, "links", f"{settings.PUBLIC_URL} in mails is no host of ALLOWED_HOSTS", remedy)
    elif settings.BEHIND_TLS and parts.scheme != "https":
        remedy = "Set PUBLIC_URL to an address with https."
        yield Finding(WARNING, "links", f"{settings.PUBLIC_URL} in mails is without TLS", remedy)
    else:
        yield Finding(OK, "links", f"mails lead to {settings.PUBLIC_URL}")


def backup() -> Iterator[Finding]:
    place = settings.BACKUP_PATH
    if not place:
        remedy = "Set BACKUP_PATH to a directory on another disk, and run manage.py backup every night."
        yield Finding(WARNING, "backup", "BACKUP_PATH is not set: the age of the backup is unknown", remedy)
        return
    found = newest(Path(place))
    if found is None:
        yield Finding(PROBLEM, "backup", f"there is none in {place}", "Run manage.py backup, every night.")
        return
    hours = (time.time() - found.stat().st_mtime) / 3600
    level = OK if hours <= settings.BACKUP_MAX_AGE_HOURS and found.stat().st_size else PROBLEM
    size = f"{found.stat().st_size / 1024**2:.1f} MiB"
    yield Finding(
        level,
        "backup",
        f"{found.name}, {size}, {hours:.1f} hours old",
        "" if level == OK else "Run manage.py backup.",
    )


def disk() -> Iterator[Finding]:
    places = {"temporary files": Path(gettempdir())}
    if connection.vendor == "sqlite" and not connection.is_in_memory_db():  # type: ignore[attr-defined]
        places["database"] = Path(connection.settings_dict["NAME"]).absolute().parent
    if settings.BACKUP_PATH and Path(settings.BACKUP_PATH).exists():
        places["backups"] = Path(settings.BACKUP_PATH)
    for name, place in places.items():
        free = shutil.disk_usage(place).free
        level = OK if free >= LEAST_FREE else PROBLEM
        remedy = "" if level == OK else "Free space, or move it to another disk."
        yield Finding(level, "disk", f"{free / 1024**3:.1f} GiB free for {name} ({place})", remedy)


def database() -> Iterator[Finding]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('server_version'), pg_size_pretty(pg_database_size(current_database()))"
            )
            version, size = cursor.fetchone()
        way = "through a pooler" if connection.connection.behind_pooler else "directly"
        yield Finding(OK, "database", f"PostgreSQL {version}, {size}, reached {way}")
    else:
        yield Finding(OK, "database", "SQLite: for one machine, one writer at a time")
    if is_read_only():
        yield Finding(
            WARNING, "database", "is read-only: reads are served, writes are refused", "Lead to the primary."
        )


def role() -> Iterator[Finding]:
    if connection.vendor != "postgresql":
        return
    sql = """
        SELECT rolname, rolsuper, has_schema_privilege(current_schema(), 'CREATE'),
            (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tableowner <> current_user)
        FROM pg_roles WHERE rolname = current_user
    """
    with connection.cursor() as cursor:
        cursor.execute(sql)
        name, is_superuser, may_create, foreign = cursor.fetchone()
    if is_superuser:
        remedy = "Connect as a role of its own that owns the database: CREATE ROLE crm LOGIN …"
        yield Finding(WARNING, "role", f"{name} is a superuser", remedy)
    elif not may_create or foreign:
        remedy = "Make it the owner of its database and tables: REASSIGN OWNED, ALTER DATABASE … OWNER TO."
        yield Finding(PROBLEM, "role", f"{name} cannot migrate: {foreign} tables of others", remedy)
    else:
        yield Finding(OK, "role", f"{name} owns its tables and is no superuser")


def limits() -> Iterator[Finding]:
    wrong = limit_mismatches()
    if wrong:
        listed = ", ".join(f"{name} is {found} instead of {limit}" for name, (limit, found) in wrong.items())
        remedy = (
            "Run manage.py migrate, or: " + "; ".join(limit_statements()) + ". Then RECONNECT in PgBouncer."
        )
        yield Finding(PROBLEM, "time-outs", listed, remedy)
    else:
        listed = ", ".join(f"{name} {limit}" for name, limit in settings.DATABASE_LIMITS.items())
        yield Finding(
            OK, "time-outs", f"in force: {listed}" if connection.vendor == "postgresql" else "in force"
        )


def connections() -> Iterator[Finding]:
    """What the processes of this machine may open, against what the server grants."""
    if connection.vendor != "postgresql":
        return
    from crm_project import server

    pool = connection.settings_dict["OPTIONS"].get("pool")
    tasks = connections_of_a_process() + settings.WEBHOOK_THREADS
    background = LIMIT_CONNECTIONS + (tasks if settings.TASK_WORKER == "thread" else 0)
    each = pool["max_size"] if pool else server.threads + background
    most = server.workers * each
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        )
        granted = cursor.fetchone()[0]
    text = f"{server.workers} processes of this machine open up to {each} each; the server grants {granted}"
    if most > granted and not connection.connection.behind_pooler:
        remedy = "Lower WEB_CONCURRENCY or WEB_THREADS, set DATABASE_POOL, or raise max_connections."
        yield Finding(PROBLEM, "connections", text, remedy)
    else:
        yield Finding(OK, "connections", text)


def zones() -> Iterator[Finding]:
    unknown = []
    for name in Organization.objects.order_by().values_list("time_zone", flat=True).distinct():
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            unknown.append(name)
    if unknown:
        remedy = "Install the system's time zones (Debian: tzdata)."
        yield Finding(PROBLEM, "zone", f"unknown on this machine: {', '.join(unknown)}", remedy)
    else:
        yield Finding(OK, "zone", f"{settings.TIME_ZONE}, and every organization's is known")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            skew = abs(cursor.fetchone()[0] - timezone.now())
        if skew > MOST_SKEW:
            remedy = "Let both machines keep their time by NTP."
            yield Finding(PROBLEM, "clock", f"{skew.total_seconds():.0f} s apart from the database's", remedy)


def migrations() -> Iterator[Finding]:
    pending = pending_migrations()
    if pending:
        yield Finding(PROBLEM, "migrations", f"pending: {', '.join(pending)}", "Run manage.py migrate.")
    else:
        yield Finding(OK, "migrations", "none is pending")


def tasks() -> Iterator[Finding]:
    """The queue of the background tasks, and whether a process works on it."""
    if pending_migrations():
        return
    found = status()
    minutes = found.oldest_due_seconds // 60
    text = f"{found.queued} queued, {found.running} running, {found.failed} failed"
    if found.failed:
        remedy = "Look at them in the admin, under Tasks; run them again or let retention delete them."
        yield Finding(WARNING, "tasks", text, remedy)
    else:
        yield Finding(OK, "tasks", text)
    if minutes >= LONGEST_WAIT:
        remedy = "Start the server or manage.py worker, on more machines if they are busy."
        yield Finding(PROBLEM, "worker", f"the oldest task has been due for {minutes} minutes", remedy)
    elif not found.has_worker:
        remedy = "Start the server, or manage.py worker where TASK_WORKER=command."
        yield Finding(WARNING, "worker", "no process that runs tasks was seen lately", remedy)
    else:
        yield Finding(OK, "worker", "seen lately")


OF_THE_DATABASE: tuple[Callable[[], Iterator[Finding]], ...] = (
    database,
    role,
    limits,
    connections,
    migrations,
    zones,
    tasks,
)
