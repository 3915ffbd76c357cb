"""System checks of the declarations of kinds, so that an incomplete one fails at start."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.db.models import ForeignKey

from crm_project.records.kinds import AsFirstParent, AsParent, Everyone, Kind, Private, kind_of, kinds
from crm_project.records.models import CustomField, ExternalReference, Row


def check_kinds(**_: Any) -> list[CheckMessage]:
    """Run by every `manage.py` command that checks, `migrate` among them."""
    messages: list[CheckMessage] = list(_undeclared_rows())
    messages += _same_ranks()
    messages += _custom_fields()
    for kind in kinds.values():
        messages += _visibility(kind)
        messages += _lists(kind)
        messages += _ranks_of_targets(kind)
        messages += _constraints(kind)
    for model in apps.get_models(include_auto_created=True):
        messages += _relations_to_private_rows(model)
    return messages


def _undeclared_rows() -> Iterator[Error]:
    for model in apps.get_models():
        if issubclass(model, Row) and kind_of(model) is None:
            yield Error(
                f"{model.__name__} is not the model of a registered kind: its rows are visible to nobody.",
                hint="Declare a Kind for it in the app's kinds.py and register it in AppConfig.ready().",
                obj=model,
                id="records.E001",
            )


def _visibility(kind: Kind) -> Iterator[Error]:
    if not isinstance(kind.visible, Everyone | Private | AsParent | AsFirstParent):
        yield _error(kind, "E002", "`visible` must be Everyone, Private, AsParent or AsFirstParent.")
    for name in kind.parents:
        relation = _foreign_keys(kind.model).get(name)
        if relation is None or kind_of(relation.related_model) is None:
            yield _error(kind, "E003", f"`{name}` is not a foreign key to a registered kind.")
        elif relation.related_model is kind.model:
            yield _error(kind, "E003", "A kind cannot be as visible as itself.")


def _same_ranks() -> Iterator[Error]:
    by_rank: dict[int, Kind] = {}
    for kind in kinds.values():
        other = by_rank.setdefault(kind.rank, kind)
        if other is not kind:
            yield _error(kind, "E004", f"It has the same rank as {other.name}: {kind.rank}.")


def _custom_fields() -> Iterator[Error]:
    """The choices of `CustomField.kind` are part of the schema: they have to match the kinds with custom fields."""
    declared = {name for name, kind in kinds.items() if "custom_fields" in kind.fields}
    for name in sorted(declared ^ set(CustomField.Kinds.values)):
        yield Error(
            f"{name} has a column `custom_fields` or is in CustomField.Kinds, but not both.",
            obj=CustomField,
            id="records.E011",
        )


def _ranks_of_targets(kind: Kind) -> Iterator[Error]:
    """An undo locks and restores the target of a foreign key before the row that refers to it."""
    for name, relation in _foreign_keys(kind.model).items():
        target = kind_of(relation.related_model)
        if target is not None and target is not kind and target.rank >= kind.rank:
            yield _error(kind, "E005", f"`{name}` leads to {target.name}, whose rank is not lower.")


def _relations_to_private_rows(model: Any) -> Iterator[Error]:
    """A foreign key shows the name of its target, so one to a private kind has to be declared safe."""
    kind = kind_of(model)
    for name, relation in _foreign_keys(model).items():
        target = kind_of(relation.related_model)
        if target is None or not target.is_private or model in target.all_parts:
            continue
        # A row may be visible by its first parent, and so show a second one that is not.
        if kind is not None and (name in kind.guarded or kind.parents[:1] == (name,)):
            continue
        yield Error(
            f"{model.__name__}.{name} leads to {target.name}, some of whose rows are private.",
            hint="Make the kind visible AsParent, or its rows a part of the target, or guard the relation.",
            obj=model,
            id="records.E006",
        )


def _lists(kind: Kind) -> Iterator[Error]:
    for name, target in kind.lists.items():
        if target and target not in kinds:
            yield _error(
                kind, "E007", f"The list `{name}` holds ids of {target}, which is not a registered kind."
            )
    if kind.undoer is not None and set(kind.undoer.lists) != kind.lists.keys():
        yield _error(kind, "E010", "Its undoer must have the same `lists` as the kind.")
    has_list = "external_references" in kind.lists
    if has_list != (kind.references is not None):
        yield _error(kind, "E008", "`references` and the list `external_references` come together.")
    if kind.references is not None and not (
        issubclass(kind.references, ExternalReference) and kind.references.kind == kind.name
    ):
        yield _error(kind, "E008", f"`references` is the table of another kind: {kind.references.__name__}.")


def _constraints(kind: Kind) -> Iterator[Error]:
    models = (kind.model, *kind.parts)
    names = {constraint.name for model in models for constraint in model._meta.constraints}
    for name in kind.constraints.keys() - names:
        yield _error(kind, "E009", f"The model has no constraint `{name}`.")
    for name in kind.guarded - _foreign_keys(kind.model).keys():
        yield _error(kind, "E009", f"The model has no foreign key `{name}` that could be guarded.")


def _foreign_keys(model: Any) -> dict[str, Any]:
    return {field.name: field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)}


def _error(kind: Kind, number: str, text: str) -> Error:
    return Error(f"Kind {kind.name}: {text}", obj=kind.model, id=f"records.{number}")
