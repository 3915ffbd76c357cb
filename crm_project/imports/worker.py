"""Who does the work: a thread of the process that was asked, or `manage.py work_imports`; the database is the queue.

An import is one transaction, and is marked as done in it. A worker that dies leaves nothing behind: its import falls
silent, and the next worker, or whoever asks for the import's state, has it begun again.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.errors import DomainError, Forbidden
from crm_project.imports.models import Import, RefusedRow
from crm_project.imports.running import Progress, Runner, Superseded, finish, mark
from crm_project.imports.undoing import take_back, told

log = logging.getLogger(__name__)

ATTEMPTS = 3
EVERY_SECONDS = 1.0
# The worker's own transaction holds the row from its last write on, while the journal of a great import is written.
PULSE = """
UPDATE imports_import SET progress = %s, heartbeat_at = now() WHERE id = (
    SELECT id FROM imports_import WHERE id = %s AND attempt = %s AND state = 'working' FOR UPDATE SKIP LOCKED
)
"""
_working = threading.Lock()


def wake() -> None:
    """See to it that somebody works, unless that is left to `manage.py work_imports`."""
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
    """Work until nothing waits; answers how many imports were worked on."""
    count = 0
    while (source := claim()) is not None:
        carry_out(source)
        count += 1
    return count


def claim() -> Import | None:
    """Take the next import, so that no other worker does."""
    now = timezone.now()
    with transaction.atomic():
        rows = Import.objects.waiting(now).select_for_update(skip_locked=True, of=("self",))
        source: Import | None = rows.first()
        return None if source is None else claimed(source)


def claimed(source: Import) -> Import:
    """The import, taken by this worker. The rows that a run has refused are still of interest when it is undone."""
    source.state, source.attempt = Import.States.WORKING, source.attempt + 1
    source.started_at = source.heartbeat_at = timezone.now()
    source.save(update_fields=["state", "attempt", "started_at", "heartbeat_at"])
    if source.task != Import.Tasks.UNDO:
        RefusedRow.objects.filter(source=source).delete()
    return source


def carry_out(source: Import) -> None:
    """Run one import; whatever happens, its state tells it."""
    try:
        if source.attempt > ATTEMPTS:
            raise DomainError(
                f"The work was broken off {ATTEMPTS} times; the file may be too large for the server."
            )
        with progress_of(source) as progress:
            if source.task == Import.Tasks.UNDO:
                take_back(source, _actor(source))
            else:
                Runner(source, _actor(source), progress).run()
    except Superseded:
        log.warning("import %s was taken over", source.uuid)
    except DomainError as error:
        _fail(source, told(error) if source.task == Import.Tasks.UNDO else error.detail)
    except DatabaseError:
        log.exception("import %s met the database's refusal", source.uuid)
        _again(source)
    except Exception:
        log.exception("import %s failed", source.uuid)
        _fail(source, f"The server made a mistake; it has been noted. {_nothing(source)}")


def _actor(source: Import) -> Actor:
    """The member as he or she is now: who may not write any more does not import either."""
    members = Member.objects.active().select_related("user", "organization")
    member = members.filter(pk=source.asked_by_id or source.member_id).first()
    if member is None:
        raise Forbidden("The member who asked for it is not active any more.")
    actor = Actor(member)
    actor.require(Permission.EDIT_DEALS)
    return actor


def _again(source: Import) -> None:
    """Somebody wrote the same rows at the same moment, or the database went away: begin again, a few times."""
    if source.attempt < ATTEMPTS:
        Import.objects.filter(pk=source.pk, attempt=source.attempt).update(state=Import.States.QUEUED)
    else:
        again = "The data was changed at the same moment, again and again."
        _fail(source, f"{again} {_nothing(source)} Try later.")


def _nothing(source: Import) -> str:
    return "Nothing was undone." if source.task == Import.Tasks.UNDO else "Nothing was imported."


def _fail(source: Import, sentence: str) -> None:
    """An undo that fails leaves the import what it was."""
    try:
        if source.task == Import.Tasks.UNDO:
            mark(source, state=source.state_at_rest, problem=sentence)
        else:
            finish(source, Import.States.FAILED, None, problem=sentence)
    except Superseded:
        log.warning("import %s was taken over", source.uuid)


@contextmanager
def progress_of(source: Import) -> Iterator[Progress]:
    """Tells the number of rows beside the transaction that writes them, and that the worker lives.

    By a thread of its own, since the last statements of a great import take their time. On SQLite nobody else can
    write meanwhile: there the number is known at the end.
    """
    if connection.vendor != "postgresql":
        yield lambda rows: None
        return
    pulse = _Pulse(source)
    pulse.start()
    try:
        yield pulse.tell
    finally:
        pulse.over.set()
        pulse.join()


class _Pulse(threading.Thread):
    """Says every second that the worker of an import lives, and how far it is."""

    def __init__(self, source: Import) -> None:
        super().__init__(name="imports-pulse", daemon=True)
        self.source, self.rows, self.over = source, 0, threading.Event()

    def tell(self, rows: int) -> None:
        self.rows = rows

    def run(self) -> None:
        try:
            while not self.over.wait(EVERY_SECONDS):
                with connection.cursor() as cursor:  # this thread's own
                    cursor.execute(PULSE, [self.rows, self.source.pk, self.source.attempt])
        except DatabaseError:
            log.exception("the worker of import %s cannot tell that it lives", self.source.uuid)
        finally:
            connection.close()
