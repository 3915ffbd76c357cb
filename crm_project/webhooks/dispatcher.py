"""The dispatcher: finds the webhooks with something to do, and serves each in a thread of a bounded pool.

Endpoints are independent: a slow one occupies one thread for a turn, and slow ones together half of the pool at most.
Any number of processes may dispatch: a lease in the database gives each webhook to one of them, and ends when its
process dies.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from crm_project.webhooks.models import WebhookState
from crm_project.webhooks.serving import Turn, claim

log = logging.getLogger(__name__)


class Pool:
    """Threads that serve webhooks, at most one each."""

    def __init__(self, size: int) -> None:
        self._size = max(size, 2)
        self._threads = ThreadPoolExecutor(self._size, thread_name_prefix="webhooks")
        self._guard = threading.Lock()
        # The webhooks that are served, and whether each is slow.
        self._served: dict[int, bool] = {}

    def has_room(self, webhook_id: int, is_slow: bool) -> bool:
        with self._guard:
            if webhook_id in self._served or len(self._served) >= self._size:
                return False
            return not is_slow or sum(self._served.values()) < self._size // 2

    def serve(self, webhook_id: int, lease: UUID, is_slow: bool) -> None:
        with self._guard:
            self._served[webhook_id] = is_slow
        self._threads.submit(self._serve, webhook_id, lease)

    def _serve(self, webhook_id: int, lease: UUID) -> None:
        try:
            Turn(webhook_id, lease).run()
        except DatabaseError:
            log.warning("webhooks wait for the database", exc_info=True)
        except Exception:
            log.exception("a webhook could not be served", extra={"webhook": webhook_id})
        finally:
            with self._guard:
                self._served.pop(webhook_id, None)
            connections.close_all()


_pool: Pool | None = None


def dispatch() -> bool:
    """Start serving the webhooks with something to do; called every second. Reads, and writes only for those."""
    global _pool
    pool = _pool = _pool or Pool(settings.WEBHOOK_THREADS)
    now = timezone.now()
    for state in WebhookState.objects.free(now).with_work(now)[: 4 * settings.WEBHOOK_THREADS]:
        if pool.has_room(state.pk, state.is_slow) and (lease := claim(state.pk)) is not None:
            pool.serve(state.pk, lease, state.is_slow)
    return False


def dispatch_here() -> int:
    """Serve what has something to do now, in this thread, one after the other; returns the number of tries."""
    now = timezone.now()
    tries = 0
    for state in list(WebhookState.objects.free(now).with_work(now)):
        if (lease := claim(state.pk)) is not None:
            tries += Turn(state.pk, lease).run()
    return tries
