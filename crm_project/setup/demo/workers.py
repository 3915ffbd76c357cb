"""What another process does: it sets Django up, then tells lives of the world it was given.

Nothing of Django may be imported at the top: this module is read before it is set up.
"""

import pickle
from typing import Any

import django

_world: Any = None


def start(pickled: bytes) -> None:
    global _world
    django.setup()
    _world = pickle.loads(pickled)


def tell(kind: str, start: int, stop: int) -> Any:
    from crm_project.setup.demo import telling

    return telling.tell(_world, kind, start, stop)
