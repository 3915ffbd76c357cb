"""The lists that have saved views: what a view may contain, and how it narrows rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from contacts.api.views import ContactViewSet
from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.api.saved_views import VIEW
from crm_project.errors import FieldError
from crm_project.saved_views.models import SavedView
from deals.api.views import DealViewSet
from deals.models import Deal


@dataclass(frozen=True)
class List:
    """A list of the API, with the fields that the lists of the admin have columns for."""

    model: Any
    viewset: Any
    columns: Sequence[str]


LISTS: Mapping[str, List] = {
    SavedView.Lists.DEALS: List(
        Deal,
        DealViewSet,
        ("name", "amount", "stage", "status", "client", "owner", "expected_close_date", "stage_entered_at"),
    ),
    SavedView.Lists.CONTACTS: List(
        Contact, ContactViewSet, ("name", "kind", "email", "phone", "company", "owner", "created_at")
    ),
}


def list_of(model: Any) -> str:
    """The name of the list of a model's rows; empty if it has no saved views."""
    return next((name for name, one in LISTS.items() if one.model is model), "")


def parameters_of(view: SavedView) -> dict[str, str]:
    """The parameters of the API's list that a view stands for."""
    return {**view.filters, **({"ordering": view.ordering} if view.ordering else {})}


def narrowed(actor: Actor, view: SavedView, rows: Any) -> Any:
    """The rows that the filters of a view leave; none if one of them has become invalid."""
    filters = _filter_set(actor, view, rows)
    return filters.qs if filters.is_valid() and not _unknown(view, filters) else rows.none()


def wrong_in(actor: Actor, view: SavedView) -> list[FieldError]:
    """What is wrong in the filters, the order and the columns of a view."""
    one = LISTS[view.list]
    filters = _filter_set(actor, view, one.model.objects.none())
    errors = [
        FieldError(f"filters.{name}", "invalid", str(text))
        for name, texts in filters.errors.items()
        for text in texts
    ]
    errors += [
        FieldError(f"filters.{name}", "unknown_parameter", "There is no such parameter.")
        for name in _unknown(view, filters)
    ]
    errors += [
        FieldError(f"filters.{name}", "blank", "A value is missing.")
        for name, value in view.filters.items()
        if not value
    ]
    known = {"", *one.viewset.orderings, *(f"-{name}" for name in one.viewset.orderings)}
    if view.ordering not in known:
        offered = {"known": ", ".join(sorted(one.viewset.orderings))}
        errors.append(
            FieldError(
                "ordering", "invalid", "Must be one of these, or one with a minus: %(known)s.", offered
            )
        )
    unknown = [name for name in view.columns if name not in one.columns]
    if unknown:
        offered = {"known": ", ".join(one.columns)}
        errors.append(FieldError("columns", "invalid", "Must be of these: %(known)s.", offered))
    return errors


def _filter_set(actor: Actor, view: SavedView, rows: Any) -> Any:
    data = QueryDict(mutable=True)
    data.update(view.filters)
    return LISTS[view.list].viewset.filterset_class(data, rows, request=None, actor=actor)


def _unknown(view: SavedView, filters: Any) -> list[str]:
    known = set(filters.filters)
    return sorted(name for name in view.filters if name not in known or name == VIEW)
