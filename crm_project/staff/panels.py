"""Panels below a form: lists that belong to a row. Outer apps add theirs to the pages of inner ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.http import HttpRequest


@dataclass
class Panel:
    """A table, or a template with a context of its own."""

    title: str
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    empty: str = "Nothing here yet."
    more_url: str = ""
    add_url: str = ""
    template: str = ""
    context: dict[str, Any] = field(default_factory=dict)


Maker = Callable[[HttpRequest, Any], Panel | None]
_makers: dict[type[Model], list[Maker]] = {}


def register(model: type[Model], maker: Maker) -> None:
    _makers.setdefault(model, []).append(maker)


def panels_of(request: HttpRequest, row: Any) -> list[Panel]:
    made = [maker(request, row) for maker in _makers.get(type(row), [])]
    return [panel for panel in made if panel is not None]
