"""Lives, told and ready to be written, a stretch of indexes at a time; here or in processes of their own."""

import os
import pickle
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from crm_project.setup.demo import workers
from crm_project.setup.demo.steps import Place
from crm_project.setup.demo.tables import GREAT
from crm_project.setup.demo.traces import trace_contacts, trace_deals
from crm_project.setup.demo.wire import wire
from crm_project.setup.demo.world import World

TRACERS = {"contact": trace_contacts, "deal": trace_deals}
STRETCH = 5_000


@dataclass
class Stretch:
    """The lives of `count` consecutive rows, encoded for the database. `events` lack their numbers."""

    count: int
    rows: dict[Any, list[Any]]
    events: list[tuple[Place, Any]]


def tell(world: World, kind: str, start: int, stop: int) -> Stretch:
    encode = wire().encode
    trace = TRACERS[kind](world, range(start, stop))
    rows = {model: [encode(row) for row in rows] for model, rows in trace.rows.items() if rows}
    return Stretch(stop - start, rows, [(place, encode(row)) for place, row in trace.events])


def told(world: World, kind: str, count: int) -> Iterator[Stretch]:
    """All lives of one kind, in order."""
    bounds = [(start, min(start + STRETCH, count)) for start in range(0, count, STRETCH)]
    if count < GREAT:
        return (tell(world, kind, *bound) for bound in bounds)
    return _told_elsewhere(world, kind, bounds)


def _told_elsewhere(world: World, kind: str, bounds: list[tuple[int, int]]) -> Iterator[Stretch]:
    """In other processes, which are kept a little ahead of the writing and no further: memory stays small."""
    processes = os.cpu_count() or 1
    # Started afresh: a forked process would share this one's database connection.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), workers.start, (pickle.dumps(world),))
    with pool:
        coming: deque[Future[Stretch]] = deque()
        for bound in bounds:
            coming.append(pool.submit(workers.tell, kind, *bound))
            if len(coming) > 2 * processes:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
