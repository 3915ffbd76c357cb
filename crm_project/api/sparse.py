"""The parameters `fields`, the only keys of each row, and `expand`, the related rows to show as full objects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from crm_project.api.compiled import bound_fields

if TYPE_CHECKING:
    from crm_project.api.views import ScopedView

FIELDS, EXPAND = "fields", "expand"


@dataclass(frozen=True)
class Expansion:
    """A related row in the representation of its own resource.

    `key` is the path of its primary key from the row, `rows` the related rows that a member may see, with what the
    serializer reads.
    """

    key: str
    serializer: Any
    rows: Callable[[Any], Any]


def sparse_parameters(view: Any) -> Mapping[str, Mapping[str, Any]]:
    """The OpenAPI schemas of the parameters, by name, if the view's action takes them."""
    if getattr(view, "action", "") not in getattr(view, "sparse_actions", ()):
        return {}
    names = ", ".join(_readable(view))
    parameters = {
        FIELDS: {
            "type": "string",
            "description": f"The keys of each row, comma-separated; all others are left out. Of: {names}.",
        }
    }
    if view.expansions:
        related = ", ".join(view.expansions)
        parameters[EXPAND] = {
            "type": "string",
            "description": "Related rows to show as their own resources show them, comma-separated. Of: "
            + related
            + ".",
        }
    return parameters


def sparse_errors(view: "ScopedView") -> dict[str, list[str]]:
    """What is wrong with the parameters of the request."""
    query = view.request.query_params
    errors = {}
    for name, choices in ((FIELDS, _readable), (EXPAND, _expandable)):
        if not query.get(name) or name not in sparse_parameters(view):
            continue
        unknown = [one for one in query[name].split(",") if one not in choices(view)]
        if unknown:
            listed = ", ".join(repr(one[:50]) for one in unknown[:10])
            errors[name] = [
                f"Unknown: {listed}. Must be one or more, comma-separated, of: {', '.join(choices(view))}."
            ]
    return errors


def represented(view: "ScopedView", rows: Sequence[Any]) -> list[dict[str, Any]]:
    """The rows with the fields and expansions of the request; each expansion costs a fixed number of queries."""
    serializer: Any = view.get_serializer(rows, many=True)
    requested = _requested(view, FIELDS)
    if requested:
        for name in serializer.child.fields.keys() - requested:
            serializer.child.fields.pop(name)
    data: list[dict[str, Any]] = serializer.data
    view.budget.check_texts(data)
    for name in _requested(view, EXPAND):
        _expand(view, view.expansions[name], name, rows, data)
    return data


def _expand(
    view: "ScopedView", expansion: Expansion, name: str, rows: Sequence[Any], data: list[dict[str, Any]]
) -> None:
    # A part that the row's own serializer leaves out stays out.
    keys = [
        attrgetter(expansion.key)(row) if part.get(name) else None
        for row, part in zip(rows, data, strict=True)
    ]
    found = list(expansion.rows(view.actor.member).filter(pk__in={key for key in keys if key is not None}))
    wholes = expansion.serializer(found, many=True, context=view.get_serializer_context()).data
    by_key = {row.pk: whole for row, whole in zip(found, wholes, strict=True)}
    for key, part in zip(keys, data, strict=True):
        if key in by_key:
            part[name] = by_key[key]


def _requested(view: "ScopedView", name: str) -> list[str]:
    text = view.request.query_params.get(name)
    if not text or name not in sparse_parameters(view):
        return []
    return list(dict.fromkeys(text.split(",")))


def _readable(view: "ScopedView") -> list[str]:
    serializer: Any = view.get_serializer_class()
    fields = bound_fields(serializer)
    return [name for name, field in fields.items() if not field.write_only]


def _expandable(view: "ScopedView") -> list[str]:
    """A related row that `fields` leaves out cannot be expanded."""
    requested = _requested(view, FIELDS)
    return [name for name in view.expansions if not requested or name in requested]
