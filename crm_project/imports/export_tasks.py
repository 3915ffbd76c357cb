"""The task that writes an export, block by block, so that neither memory nor a transaction holds the whole file.

If its worker dies, another one begins again: `attempt` is that of the export, so that only the last one to claim it
stores anything.
"""

import datetime
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.background.api import task
from crm_project.background.options import options
from crm_project.errors import DomainError
from crm_project.imports.acting import acting
from crm_project.imports.exporting import STREAMS, table_of
from crm_project.imports.files import BLOCK
from crm_project.imports.kinds import import_kind
from crm_project.imports.layouts import stored_layout
from crm_project.imports.models import Export, ExportChunk
from crm_project.write_queue import write_transaction

log = logging.getLogger(__name__)

ATTEMPTS = 3
States = Export.States
# rows(export, actor) -> what `kind.for_export` returns, for each listing; set by the API and the admin
listings: dict[str, Callable[[Export, Actor], Iterable[dict[str, Any]]]] = {}


class Superseded(Exception):
    """Another worker has the export, or it is gone."""


def group_of(export_id: int, member_id: int) -> str:
    """The exports of a member run one at a time."""
    return f"exports:{member_id}"


@task(queue_name="long")
@options(attempts=2 * ATTEMPTS, delay=datetime.timedelta(0), group=group_of)
def carry_out_export(export_id: int, member_id: int) -> None:
    """Write the file, unless it is written."""
    export = claim(export_id)
    if export is not None:
        carry_out(export)


def enqueue(export: Export) -> None:
    carry_out_export.enqueue(export_id=export.pk, member_id=export.member_id)


def claim(export_id: int) -> Export | None:
    """Claim the export, from a worker that has died if need be; None if it has ended or is gone."""
    with write_transaction():
        waiting = Export.objects.filter(pk=export_id, state__in=[States.QUEUED, States.WORKING])
        export: Export | None = waiting.select_for_update(of=("self",)).first()
        if export is None:
            return None
        export.state, export.attempt = States.WORKING, export.attempt + 1
        export.rows = export.size = 0
        export.save(update_fields=["state", "attempt", "rows", "size"])
        export.chunks.all().delete()
    return export


def carry_out(export: Export) -> None:
    """A refusal ends the export; another error is the task's, which is attempted again."""
    try:
        if export.attempt > ATTEMPTS:
            raise DomainError("The work was interrupted %(attempts)s times.", {"attempts": ATTEMPTS})
        _write(export)
        _end(export, States.DONE)
    except Superseded:
        log.warning("export %s was taken over", export.uuid)
    except DomainError as error:
        _end(export, States.FAILED, problem=error.detail)


def _write(export: Export) -> None:
    actor = acting(export.member_id, export.token_uuid, Permission.VIEW)
    stream, _ = STREAMS[export.format]
    rows = _counted(export, listings[export.listing](export, actor))
    layout = stored_layout(export.layout)
    table = table_of(import_kind(export.kind, actor), rows, layout)
    pieces = stream(table, raw=export.raw, layout=layout)
    for number, block in enumerate(_blocks(pieces)):
        export.size += len(block)
        with write_transaction():
            if not _mine(export).update(rows=export.rows, size=export.size):
                raise Superseded
            ExportChunk.objects.create(export=export, number=number, data=block)


def _counted(export: Export, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        export.rows += 1
        yield row


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces joined to blocks of at least BLOCK bytes, but for the last one."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= BLOCK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if size:
        yield b"".join(waiting)


def _mine(export: Export) -> Any:
    return Export.objects.filter(pk=export.pk, attempt=export.attempt, state=States.WORKING)


def _end(export: Export, state: str, *, problem: str = "") -> None:
    with write_transaction():
        ended = _mine(export).update(
            state=state,
            rows=export.rows,
            size=export.size,
            problem=problem,
            finished_at=timezone.now(),
        )
        if ended and state == States.FAILED:
            export.chunks.all().delete()
