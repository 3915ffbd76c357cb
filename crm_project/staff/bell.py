"""The bell in the header: the number of unread notifications, which the room of notifications counts."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from crm_project.accounts.actors import Actor
from crm_project.staff.request_actor import actor_of

# Larger numbers are displayed as `99+`.
MOST = 99


@dataclass
class Hooks:
    # count(actor, most) -> the number of unread notifications, counted up to `most`
    count: Callable[[Actor, int], int] = lambda actor, most: 0


hooks = Hooks()


def bell(request: HttpRequest) -> dict[str, object]:
    """The context of the header. The number is queried when it is displayed: a part of a page has no header."""
    actor = actor_of(request)
    return {} if actor is None else {"has_bell": True, "unread": SimpleLazyObject(lambda: _label(actor))}


def _label(actor: Actor) -> str:
    count = hooks.count(actor, MOST + 1)
    return "" if not count else f"{MOST}+" if count > MOST else str(count)
