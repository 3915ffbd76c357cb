"""The task that carries an import out: a preview, a run or an undo.

An import is one transaction, which also sets its state. If its worker dies, the transaction is rolled back and another
worker begins again; `attempt` is that of the import, so that only the last one to claim it can end it.
"""

import datetime
import logging
from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.background.api import task
from crm_project.background.models import StoredTask
from crm_project.background.options import options
from crm_project.errors import DomainError
from crm_project.imports.acting import acting
from crm_project.imports.errors import stored
from crm_project.imports.models import Import, RefusedRow
from crm_project.imports.progress import progress_of
from crm_project.imports.running import Runner, Superseded, finish, mark, with_problems
from crm_project.imports.undoing import take_back, undo_problem
from crm_project.write_queue import write_transaction

log = logging.getLogger(__name__)

UNEXPECTED = gettext_noop("An unexpected error occurred; it has been logged.")
CONFLICTING = gettext_noop("Other changes of the same data interrupted it %(attempts)s times.")
LATER = gettext_noop("Try again later.")
ATTEMPTS = 3


def group_of(source_id: int, organization_id: int) -> str:
    """Imports of an organization run one at a time."""
    return f"imports:{organization_id}"


# The import counts its attempts itself, and needs one more to store that there were too many.
@task(queue_name="long")
@options(attempts=2 * ATTEMPTS, delay=datetime.timedelta(0), group=group_of)
def carry_out_import(source_id: int, organization_id: int) -> None:
    """Carry out what was asked for, unless it is done."""
    source = claim(source_id)
    if source is not None:
        carry_out(source)


def enqueue(source: Import) -> None:
    carry_out_import.enqueue(source_id=source.pk, organization_id=source.organization_id)


@task
@options(is_atomic=True)
def enqueue_abandoned() -> None:
    """Give imports that wait without a task a new one: those of an earlier release, or whose task has failed."""
    unfinished = StoredTask.objects.filter(state__in=[StoredTask.States.READY, StoredTask.States.RUNNING])
    for source in Import.objects.abandoned(timezone.now()):
        if not unfinished.filter(group=group_of(source.pk, source.organization_id)).exists():
            enqueue(source)


def claim(source_id: int) -> Import | None:
    """Claim the import, from a worker that has died if need be; None if it has ended or is gone."""
    with write_transaction():
        waiting = Import.objects.filter(pk=source_id, state__in=[Import.States.QUEUED, Import.States.WORKING])
        source: Import | None = waiting.select_for_update(of=("self",)).first()
        return None if source is None else claimed(source)


def claimed(source: Import) -> Import:
    """Mark the import as claimed. An undo does not delete the refused rows of the run, which its page lists."""
    source.state, source.attempt = Import.States.WORKING, source.attempt + 1
    source.started_at = source.heartbeat_at = timezone.now()
    source.save(update_fields=["state", "attempt", "started_at", "heartbeat_at"])
    if not source.is_undo:
        RefusedRow.objects.filter(source=source).delete()
    return source


def carry_out(source: Import) -> None:
    """Run one import. Errors end in its state and `problem`; those of the database are also raised."""
    try:
        if source.attempt > ATTEMPTS:
            raise DomainError(
                "The work was interrupted %(attempts)s times; the file may be too large for the server.",
                {"attempts": ATTEMPTS},
            )
        with progress_of(source) as progress:
            if source.is_undo:
                take_back(source, _actor(source))
            else:
                Runner(source, _actor(source), progress).run()
    except Superseded:
        log.warning("import %s was taken over", source.uuid)
    except DomainError as error:
        _fail(source, undo_problem(error) if source.is_undo else [stored(error.template, error.params)])
    except DatabaseError:
        _retry(source)
        raise
    except Exception:
        log.exception("import %s failed", source.uuid)
        _fail(source, [stored(UNEXPECTED), stored(_unchanged(source))])


def _actor(source: Import) -> Actor:
    """A member who may no longer edit deals cannot import either."""
    return acting(source.asked_by_id or source.member_id, source.token_uuid, Permission.EDIT_DEALS)


def _retry(source: Import) -> None:
    """Queue the import again after a serialization failure or a lost connection, up to ATTEMPTS times."""
    if source.attempt < ATTEMPTS:
        Import.objects.filter(pk=source.pk, attempt=source.attempt).update(state=Import.States.QUEUED)
    else:
        _fail(
            source, [stored(CONFLICTING, {"attempts": ATTEMPTS}), stored(_unchanged(source)), stored(LATER)]
        )


def _unchanged(source: Import) -> str:
    return gettext_noop("Nothing was undone.") if source.is_undo else gettext_noop("Nothing was imported.")


def _fail(source: Import, problems: Sequence[dict[str, Any]]) -> None:
    """Store the sentences of the problem. An import whose undo failed keeps its state."""
    try:
        if source.is_undo:
            mark(source, state=source.state_at_rest, **with_problems(source.summary, problems))
        else:
            finish(source, Import.States.FAILED, None, problems=problems)
    except Superseded:
        log.warning("import %s was taken over", source.uuid)
