"""Violations of constraints as refusals: two writers at the same moment may both pass the checks of a service."""

import logging
from collections.abc import Iterator
from typing import Any

from django.db import Error, models

from crm_project.errors import Conflict
from crm_project.records.kinds import kinds

log = logging.getLogger(__name__)


def conflict_of(error: Error) -> Conflict:
    """The refusal for a violated constraint, with its declared code."""
    if code := code_of(error):
        return Conflict("Another row has this value already.", code=code)
    # The first line: the others quote the row.
    log.warning("constraint violated: %s", str(error).partition("\n")[0])
    return Conflict("The data was changed at the same moment; try again.")


def code_of(error: Error) -> str | None:
    """The code declared for the violated constraint, or None. SQLite names the columns instead of the constraint."""
    named = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    text = named or str(error)
    for model, constraint, code in _declared():
        if constraint.name in text or (named is None and _columns(model, constraint) in text):
            return code
    return None


def _declared() -> Iterator[tuple[Any, Any, str]]:
    for kind in kinds.values():
        for model in (kind.model, *kind.parts):
            for constraint in _unique(model):
                if code := kind.constraints.get(constraint.name):
                    yield model, constraint, code
        for constraint in _unique(kind.references) if kind.references else ():
            if constraint.name.endswith("_live_key"):
                yield kind.references, constraint, "reference_taken"


def _unique(model: Any) -> list[models.UniqueConstraint]:
    return [one for one in model._meta.constraints if isinstance(one, models.UniqueConstraint)]


def _columns(model: Any, constraint: models.UniqueConstraint) -> str:
    names = (model._meta.get_field(name).column for name in constraint.fields)
    return ", ".join(f"{model._meta.db_table}.{name}" for name in names)
