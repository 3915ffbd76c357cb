"""A process that works: threads that run tasks, one that keeps time, and one for each registered loop."""

import datetime
import logging
import time
from collections.abc import Callable, Iterable
from threading import Event, Lock, Thread, current_thread

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, close_old_connections, connections
from django.utils import timezone

from crm_project.background import loops, queue, schedule
from crm_project.background.api import task_backends
from crm_project.background.backend import DatabaseBackend
from crm_project.background.models import StoredTask
from crm_project.background.presence import BEATS, presence
from crm_project.background.running import run

log = logging.getLogger("crm.task")
# Seconds between two looks at a queue, and at the schedule.
POLL = 1.0
LONGEST_LOOK = 5.0
# Of procrastinate, for each queue.
ENGINE_CONNECTIONS = 3


class Worker:
    """Runs the tasks of its queues, `threads` of each at a time, until it is stopped."""

    def __init__(
        self,
        queues: Iterable[str] | None = None,
        *,
        threads: int = 1,
        now: Callable[[], datetime.datetime] = timezone.now,
    ) -> None:
        self.queues = list(queues or queue_names())
        self.threads, self.now = threads, now
        self.presence = presence()
        self.stopping, self._present = Event(), Event()
        self._wakes = {name: Event() for name in self.queues}
        self._running: dict[Thread, StoredTask] = {}
        self._guard = Lock()
        self._all: list[Thread] = []

    def start(self) -> None:
        self.thread("tasks-keeper", self._keep)
        backend = task_backends["default"]
        if isinstance(backend, DatabaseBackend):
            for name in self.queues:
                backend.start_queue(self, name)
        for name, loop in loops.registered().items():
            self.thread(f"loop-{name}", loops.keep_calling, name, loop, self.stopping)

    def thread(self, name: str, target: Callable[..., None], *args: object) -> None:
        """Start a thread that ends when `stopping` is set."""
        thread = Thread(target=target, args=args, name=name, daemon=True)
        self._all.append(thread)
        thread.start()

    def wake(self, name: str) -> None:
        """Look at the queue at once."""
        if name in self._wakes:
            self._wakes[name].set()

    def begin_to_stop(self) -> None:
        """Claim nothing more; for signal handlers."""
        self.stopping.set()

    def stop(self, patience: float) -> None:
        """Wait for the running tasks, and give back those that take longer; the process must end afterwards."""
        self.begin_to_stop()
        for event in self._wakes.values():
            event.set()
        deadline = time.monotonic() + patience
        for thread in self._all:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._guard:
            left = list(self._running.values())
        try:
            self._give_back(left)
            self.presence.end(is_idle=not left)
        except (DatabaseError, InterfaceError):
            log.warning("the worker could not sign off; its tasks are rescued by another one")
        finally:
            connections.close_all()

    def _give_back(self, left: list[StoredTask]) -> None:
        """Not on SQLite, where a long transaction would be waited for; there they are rescued at once."""
        for task in left if connections[DEFAULT_DB_ALIAS].vendor != "sqlite" else ():
            try:
                queue.release(task)
            except queue.Superseded:
                log.warning("the task was taken over", extra={"fields": {"task": task.name}})

    def work(self, name: str) -> None:
        """Run the tasks of a queue in the database one after the other."""
        wake = self._wakes[name]
        self.wait_until_present()
        while not self.stopping.is_set():
            wake.clear()
            if not self._guarded(lambda: self.run_next(name)):
                wake.wait(POLL)
        connections.close_all()

    def run_next(self, name: str) -> bool:
        """Run the next task of the queue, if one is due."""
        task = queue.claim(name, self.presence.id, self.now())
        if task is None:
            return False
        self.run(task)
        return True

    def run(self, task: StoredTask) -> BaseException | None:
        """Run a task that this process has claimed; returns the exception that ended it."""
        with self._guard:
            self._running[current_thread()] = task
        try:
            return run(task, self.stopping)
        finally:
            with self._guard:
                del self._running[current_thread()]

    def _keep(self) -> None:
        """Show that the process lives, rescue the tasks of those that have died, and enqueue what is scheduled."""
        pause = min(LONGEST_LOOK, settings.TASK_LEASE_SECONDS / BEATS)
        while not self.stopping.is_set():
            self._guarded(self.look)
            self.stopping.wait(pause)
        connections.close_all()

    def look(self) -> bool:
        if not self._present.is_set():
            self.presence.begin()
            self._present.set()
        self.presence.beat()
        for worker in self.presence.dead():
            if count := queue.rescue(worker):
                log.warning("the tasks of a process that has died are run again: %d", count)
        backend = task_backends["default"]
        if isinstance(backend, DatabaseBackend):
            backend.rescue(settings.TASK_LEASE_SECONDS)
        return bool(schedule.enqueue_due(self.now()))

    def _guarded(self, act: Callable[[], bool]) -> bool:
        """Whether there was something to do; errors are logged, and the next look follows after a pause."""
        try:
            return act()
        except (DatabaseError, InterfaceError):
            log.warning("the worker waits for the database", exc_info=True)
        except Exception:
            log.exception("the worker failed")
        finally:
            close_old_connections()
        return False

    def wait_until_present(self) -> None:
        """Until others can find out that this process lives: it has no task before."""
        while not self._present.wait(0.1) and not self.stopping.is_set():
            pass


def queue_names() -> list[str]:
    return list(settings.TASKS["default"]["QUEUES"])


def run_due(
    *, now: Callable[[], datetime.datetime] = timezone.now
) -> list[tuple[StoredTask, BaseException | None]]:
    """Run in this thread what is due, and what that enqueues; returns each task with the exception that ended it."""
    ran = []
    while task := next((task for name in queue_names() if (task := queue.claim(name, "", now()))), None):
        ran.append((task, run(task)))
    return ran


def connections_of_a_process() -> int:
    """The most database connections that a worker in a server process opens, its heartbeat of imports included."""
    each = 1 + (ENGINE_CONNECTIONS if settings.TASK_ENGINE == "procrastinate" else 0)
    return each * len(queue_names()) + len(loops.registered()) + 2
