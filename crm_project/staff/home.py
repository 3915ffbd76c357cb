"""The home page: what this person should look at today, in a few indexed queries.

What is on it comes from outer apps: each registers a function that answers its part.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from crm_project.accounts.actors import Actor
from crm_project.staff.request_actor import actor_of, is_operator

Part = Callable[[Actor, HttpRequest], dict[str, Any]]
parts: list[Part] = []


def home(request: HttpRequest) -> dict[str, Any]:
    actor = actor_of(request)
    if actor is None:
        return {"is_operator": is_operator(request), "actor": None}
    merged: dict[str, Any] = {"actor": actor}
    for part in parts:
        merged |= part(actor, request)
    return merged
