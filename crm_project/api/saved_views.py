"""The query parameter `view` of lists: it stands for the parameters of a saved view.

A parameter that the request names itself replaces the view's of the same name, the order included; all others apply
together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import QueryDict
from rest_framework.request import Request

from crm_project.accounts.actors import Actor
from crm_project.api.filter_values import StrictField, UUIDValue
from crm_project.api.filters import DocumentedFilter

if TYPE_CHECKING:
    from crm_project.api.views import ScopedView

VIEW = "view"
ORDER = "ordering"


@dataclass
class Hooks:
    # parameters(actor, model, uuid) -> the parameters of a view of the model's list; None if the actor sees no such one
    parameters: Callable[[Actor, Any, UUID], Mapping[str, str] | None] = lambda actor, model, key: None


hooks = Hooks()


class NoView(StrictField):
    """The parameter of a view that was found is replaced by the view's own before filters are read."""

    sentence = "Must be the uuid of a saved view of this list that you may see."

    def read(self, text: str) -> None:
        return None


class ViewFilter(DocumentedFilter):
    """Documents and refuses the parameter."""

    field_class = NoView
    schema = {"type": "string", "format": "uuid"}

    @property
    def description(self) -> str:
        return "A saved view. A parameter of the request replaces the view's of the same name; others are combined."


def _takes_order(view: "ScopedView", order: str) -> bool:
    """Whether the action sorts, and has this order: a board has fewer orders than the list of the view."""
    sorts = view.pages or ORDER in view.action_parameters.get(view.action or "", {})
    return sorts and (not view.leaves_out_orders or order.removeprefix("-") in view.orderings)


def expand_view(view: "ScopedView", request: Request) -> None:
    """Replace the parameter `view` by the parameters of the saved view."""
    given = request.query_params
    names = given.getlist(VIEW)
    key = UUIDValue().read(names[0]) if len(names) == 1 else None
    stored = hooks.parameters(view.actor, view.model, key) if key else None
    if stored is None:
        return
    merged = QueryDict(mutable=True)
    used = {name: value for name, value in stored.items() if name not in given}
    if not _takes_order(view, used.get(ORDER, "")):
        used.pop(ORDER, None)
    merged.update(used)
    for name, values in given.lists():
        if name != VIEW:
            merged.setlist(name, values)
    request._request.GET = merged  # type: ignore[assignment]
