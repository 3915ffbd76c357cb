"""`manage.py worker`: run tasks until it is stopped."""

import signal
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm_project.background.worker import Worker, queue_names, run_due

INTERVAL = 0.2


class Command(BaseCommand):
    help = "Run tasks, the schedule and the loops. Ends on SIGTERM, after the tasks that are running."
    _is_stopped = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--queue", action="append", choices=queue_names(), help="only this queue; may be given twice"
        )
        parser.add_argument("--threads", type=int, default=1, help="tasks of each queue at a time")
        parser.add_argument("--patience", type=float, default=30, help="seconds to wait for running tasks")
        parser.add_argument("--once", action="store_true", help="run what is due and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"{len(run_due())} tasks run")
            return
        worker = Worker(options["queue"], threads=options["threads"])
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        worker.start()
        while not self._is_stopped:
            time.sleep(INTERVAL)
        worker.stop(options["patience"])

    def _stop(self, *_: Any) -> None:
        """No event: its lock may be held by the code that the signal has interrupted."""
        self._is_stopped = True
