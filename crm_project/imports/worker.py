"""The import worker: a thread of the web process, or `manage.py work_imports`. The database is the queue.

An import is one transaction, which also sets its state. If a worker dies, the transaction is rolled back and the
heartbeat stops; the next worker, or the next request for the state of the import, starts it again.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import ApiToken, Member
from crm_project.accounts.rules import Permission
from crm_project.errors import DomainError, Forbidden, message
from crm_project.imports.models import Import, RefusedRow
from crm_project.imports.running import Progress, Runner, Superseded, finish, mark
from crm_project.imports.undoing import take_back, undo_problem

log = logging.getLogger(__name__)

UNEXPECTED = "An unexpected error occurred; it has been logged. %(outcome)s"
CONFLICTING = "Other changes of the same data interrupted it %(attempts)s times. %(outcome)s Try again later."
ATTEMPTS = 3
HEARTBEAT_SECONDS = 1.0
# SKIP LOCKED: the worker's transaction locks the row at its end, while the journal of a large import is written.
HEARTBEAT = """
UPDATE imports_import SET progress = %s, heartbeat_at = %s WHERE id = (
    SELECT id FROM imports_import WHERE id = %s AND attempt = %s AND state = 'working' FOR UPDATE SKIP LOCKED
)
"""
_working = threading.Lock()


def wake() -> None:
    """Start a worker thread unless one is running or IMPORT_WORKER leaves the work to `manage.py work_imports`."""
    if settings.IMPORT_WORKER == "thread" and not _working.locked():
        threading.Thread(target=_work_in_thread, name="imports", daemon=True).start()


def _work_in_thread() -> None:
    if not _working.acquire(blocking=False):
        return
    try:
        work()
    except DatabaseError:
        log.exception("imports wait for the database")
    finally:
        _working.release()
        connections.close_all()


def work() -> int:
    """Run the imports in the queue; returns their number."""
    count = 0
    while (source := claim()) is not None:
        carry_out(source)
        count += 1
    return count


def claim() -> Import | None:
    """Claim the next import, so that no other worker runs it."""
    now = timezone.now()
    with transaction.atomic():
        rows = Import.objects.waiting(now).select_for_update(skip_locked=True, of=("self",))
        source: Import | None = rows.first()
        return None if source is None else claimed(source)


def claimed(source: Import) -> Import:
    """Mark the import as claimed. An undo does not delete the refused rows of the run, which its page lists."""
    source.state, source.attempt = Import.States.WORKING, source.attempt + 1
    source.started_at = source.heartbeat_at = timezone.now()
    source.save(update_fields=["state", "attempt", "started_at", "heartbeat_at"])
    if source.task != Import.Tasks.UNDO:
        RefusedRow.objects.filter(source=source).delete()
    return source


def carry_out(source: Import) -> None:
    """Run one import. Every error ends in its state and `problem`."""
    try:
        if source.attempt > ATTEMPTS:
            raise DomainError(
                "The work was interrupted %(attempts)s times; the file may be too large for the server.",
                {"attempts": ATTEMPTS},
            )
        with progress_of(source) as progress:
            if source.task == Import.Tasks.UNDO:
                take_back(source, _actor(source))
            else:
                Runner(source, _actor(source), progress).run()
    except Superseded:
        log.warning("import %s was taken over", source.uuid)
    except DomainError as error:
        _fail(source, undo_problem(error) if source.task == Import.Tasks.UNDO else error.detail)
    except DatabaseError:
        log.exception("import %s failed with a database error", source.uuid)
        _retry(source)
    except Exception:
        log.exception("import %s failed", source.uuid)
        _fail(source, message(UNEXPECTED, {"outcome": _unchanged(source)}))


def _actor(source: Import) -> Actor:
    """The member with the role of today: a member who may no longer edit deals cannot import either."""
    members = Member.objects.active().select_related("user", "organization")
    member = members.filter(pk=source.asked_by_id or source.member_id).first()
    if member is None:
        raise Forbidden("The member who started this is no longer active.")
    actor = Actor(member, _token(source))
    actor.require(Permission.EDIT_DEALS)
    return actor


def _token(source: Import) -> ApiToken | None:
    """The token that asked for the work. It may have expired since, but not been revoked."""
    if source.token_uuid is None:
        return None
    token: ApiToken | None = ApiToken.objects.filter(uuid=source.token_uuid, revoked_at=None).first()
    if token is None:
        raise Forbidden("The token that started this is revoked.")
    return token


def _retry(source: Import) -> None:
    """Queue the import again after a serialization failure or a lost connection, up to ATTEMPTS times."""
    if source.attempt < ATTEMPTS:
        Import.objects.filter(pk=source.pk, attempt=source.attempt).update(state=Import.States.QUEUED)
    else:
        _fail(source, message(CONFLICTING, {"attempts": ATTEMPTS, "outcome": _unchanged(source)}))


def _unchanged(source: Import) -> str:
    return "Nothing was undone." if source.task == Import.Tasks.UNDO else "Nothing was imported."


def _fail(source: Import, problem: str) -> None:
    """Store the problem. An import whose undo failed keeps its state."""
    try:
        if source.task == Import.Tasks.UNDO:
            mark(source, state=source.state_at_rest, problem=problem)
        else:
            finish(source, Import.States.FAILED, None, problem=problem)
    except Superseded:
        log.warning("import %s was taken over", source.uuid)


@contextmanager
def progress_of(source: Import) -> Iterator[Progress]:
    """Store the number of rows and the heartbeat of a running import, outside its transaction.

    A thread does it, since the last statements of a large import take minutes. SQLite allows no second writer: there
    only a preview, which works on a copy of the database, has a heartbeat.
    """
    is_writer = connection.in_atomic_block or source.task != Import.Tasks.PREVIEW
    if connection.vendor == "sqlite" and is_writer:
        yield lambda rows: None
        return
    heartbeat = _Heartbeat(source)
    heartbeat.start()
    try:
        yield heartbeat.update
    finally:
        heartbeat.stopped.set()
        heartbeat.join()


class _Heartbeat(threading.Thread):
    """Stores the heartbeat and the progress of an import every second."""

    def __init__(self, source: Import) -> None:
        super().__init__(name="imports-heartbeat", daemon=True)
        self.source, self.rows, self.stopped = source, 0, threading.Event()

    def update(self, rows: int) -> None:
        self.rows = rows

    def run(self) -> None:
        sql = HEARTBEAT.replace("FOR UPDATE SKIP LOCKED", "") if connection.vendor == "sqlite" else HEARTBEAT
        try:
            while not self.stopped.wait(HEARTBEAT_SECONDS):
                with connection.cursor() as cursor:  # a connection of this thread
                    cursor.execute(sql, [self.rows, timezone.now(), self.source.pk, self.source.attempt])
        except DatabaseError:
            log.exception("the heartbeat of import %s failed", self.source.uuid)
        finally:
            connection.close()
