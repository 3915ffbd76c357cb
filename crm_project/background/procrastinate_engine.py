"""The second engine: procrastinate delivers the tasks, by LISTEN and NOTIFY, on PostgreSQL.

A task is stored as with the first engine, with its arguments, state, attempts and errors: admin, probes and retention
are the same. A job of procrastinate, deferred in the same transaction, has the id of the task; procrastinate decides
when it runs and where, and delivers again what a dead worker had.
"""

import asyncio
import datetime
import logging
from collections.abc import Sequence
from functools import partial
from threading import Lock

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone
from procrastinate import BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.jobs import Job

from crm_project.background import queue
from crm_project.background.backend import DatabaseBackend
from crm_project.background.models import StoredTask
from crm_project.background.worker import ENGINE_CONNECTIONS, Worker

log = logging.getLogger("crm.task")
JOB = "crm.run"
# Seconds: how often a worker looks for jobs beside the notifications, and whether it is to stop.
POLL = 1.0
STOP_INTERVAL = 0.2
_registering = Lock()


class NotYet(Exception):
    """The task is to be attempted again."""

    def __init__(self, due_at: datetime.datetime) -> None:
        super().__init__(f"again at {due_at}")
        self.due_at = due_at


class AsStored(BaseRetryStrategy):
    """Deliver again when the stored task is due; after an error of the database, in a while."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, NotYet):
            return RetryDecision(retry_at=exception.due_at)
        if isinstance(exception, DatabaseError | InterfaceError):
            return RetryDecision(retry_in={"seconds": 5})
        return None


class ProcrastinateBackend(DatabaseBackend):
    def deliver(self, tasks: Sequence[StoredTask]) -> None:
        """Defer a job for each, on the connection and in the transaction that stores them."""
        for stored in tasks:
            app.configure_task(
                JOB,
                queue=stored.queue,
                priority=stored.priority,
                lock=stored.group or None,
                schedule_at=stored.due_at if stored.due_at > timezone.now() else None,
            ).defer(task=stored.pk)

    def start_queue(self, worker: Worker, queue: str) -> None:
        worker.thread(f"tasks-{queue}", run_queue, worker, queue)

    def rescue(self, lease: float) -> int:
        """Let the jobs of dead workers be delivered again; returns their number."""
        stalled = list(async_to_sync(app.job_manager.get_stalled_jobs)(seconds_since_heartbeat=lease))
        for job in stalled:
            app.job_manager.retry_job_by_id(job_id=job.id or 0, retry_at=timezone.now())
        return len(stalled)


def run_queue(worker: Worker, name: str) -> None:
    """The body of a thread: a worker of procrastinate for one queue, begun again after an error."""
    worker.wait_until_present()
    while not worker.stopping.is_set():
        try:
            # A pooler gives the connection to others, with what it listens to.
            asyncio.run(_run_queue(worker, name, listen=not behind_pooler()))
        except Exception:
            log.exception("the queue %s waits for the database", name)
            worker.stopping.wait(POLL)


async def _run_queue(worker: Worker, name: str, *, listen: bool) -> None:
    connector = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=ENGINE_CONNECTIONS)
    # Tasks go on to use the connector of `app`, and with it Django's connection and transaction.
    own = app.with_connector(connector)
    with _registering:
        if JOB not in own.tasks:  # the tasks of all copies are one mapping
            own.task(name=JOB, retry=AsStored())(partial(run_delivered, worker))
    async with own.open_async():
        running = asyncio.create_task(
            own.run_worker_async(
                queues=[name],
                concurrency=worker.threads,
                fetch_job_polling_interval=POLL,
                update_heartbeat_interval=settings.TASK_LEASE_SECONDS / 3,
                stalled_worker_timeout=settings.TASK_LEASE_SECONDS,
                install_signal_handlers=False,
                listen_notify=listen,
            )
        )
        while not worker.stopping.is_set() and not running.done():
            await asyncio.wait([running], timeout=STOP_INTERVAL)
        running.cancel()
        try:
            await running
        except asyncio.CancelledError:
            return


def run_delivered(worker: Worker, task: int) -> None:
    """Run the stored task. Raises NotYet for another attempt, and the exception of the last one."""
    close_old_connections()
    try:
        stored = queue.claim_delivered(task, worker.presence.id)
        failure = worker.run(stored) if stored is not None else None
        if stored is not None and stored.state == StoredTask.States.READY:
            raise NotYet(stored.due_at)
        if failure is not None:
            raise failure
    finally:
        close_old_connections()


def behind_pooler() -> bool:
    try:
        connection.ensure_connection()
        return bool(getattr(connection.connection, "behind_pooler", False))
    finally:
        connection.close()
