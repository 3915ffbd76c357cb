"""The rules of docs/migrations.md as code: operations that a migration must not apply to a table that is in use."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.db.migrations import operations
from django.db.models import fields
from django.db.models.functions import Now

from crm_project.records.operations import (
    AddConstraintConcurrently,
    AddIndexConcurrently,
    DropColumn,
    FillInBatches,
)

OWN_PACKAGES = {"crm_project", "contacts", "pipelines", "deals"}
# The last migration of each app that the rules do not apply to: later ones are checked.
BASELINE = {
    "accounts": "0003_token_app_code",
    "api": "0001_idempotency_keys",
    "contacts": "0003_index_lists",
    "deals": "0007_index_lists",
    "imports": "0002_add_undo",
    "journal": "0002_undoes",
    "pipelines": "0001_initial",
    "records": "0001_initial",
}

CONCURRENT = (AddIndexConcurrently, AddConstraintConcurrently)
# Operations that remove or rename columns and tables of the previous release.
CONTRACTING = (
    operations.RemoveField,
    operations.RenameField,
    operations.DeleteModel,
    operations.RenameModel,
    operations.AlterModelTable,
    operations.RenameIndex,
)
# Operations without a statement on the table.
STATE_ONLY = (
    operations.AlterModelOptions,
    operations.AlterModelManagers,
    operations.SeparateDatabaseAndState,
)
# Operations whose statement is over at once.
HARMLESS = (
    *STATE_ONLY,
    operations.RemoveIndex,
    operations.RemoveConstraint,
    operations.AlterModelTableComment,
)
# Attributes of a field that change neither its column nor the data that fits into it.
NOT_IN_THE_DATABASE = {*models.Field.non_db_attrs, "default"} - {"db_column"}


def problems(migration: Any, state: Any) -> Iterator[str]:
    """Yield a sentence for each rule that `migration` breaks.

    `state` is the project state before the migration; it is changed to the one after it.
    """
    steps = migration.operations
    slow = [step for step in steps if isinstance(step, (*CONCURRENT, FillInBatches))]
    if slow and migration.atomic:
        yield f"{_name(slow[0])} needs `atomic = False`."
    if slow and len(slow) < len(steps):
        yield f"{_name(slow[0])} belongs into a migration of its own, without other operations."
    if len({type(step) is FillInBatches for step in slow}) > 1:
        yield "FillInBatches belongs into a migration without indexes and constraints."
    if not slow and not migration.atomic:
        yield "Only AddIndexConcurrently, AddConstraintConcurrently and FillInBatches need `atomic = False`."

    before = state.clone()
    created: set[str] = set()
    altered: set[str] = set()
    for step in steps:
        if isinstance(step, operations.CreateModel):
            created.add(step.name_lower)
        elif (model := _model(step)) not in created:
            if not isinstance(step, (*STATE_ONLY, *CONCURRENT, FillInBatches)):
                altered.add(model)
            yield from _problems_of(step, migration.app_label, state, before)
        step.state_forwards(migration.app_label, state)
    if len(altered) > 1:
        tables = ", ".join(sorted(altered))
        yield f"One migration alters one table that is in use; this one alters {tables}."


def _problems_of(step: Any, app_label: str, state: Any, before: Any) -> Iterator[str]:
    """The problems of one operation on a model that existed `before` the migration."""
    if isinstance(step, operations.AddField):
        yield from _added(step)
    elif isinstance(step, operations.AlterField):
        yield from _altered(step, state.models[app_label, step.model_name_lower].fields[step.name])
    elif isinstance(step, operations.SeparateDatabaseAndState):
        yield from _separated(step, app_label, state)
    elif isinstance(step, DropColumn):
        columns = before.apps.get_model(app_label, step.model_name)._meta.concrete_fields
        if step.column in {field.column for field in columns}:
            yield (
                f"{step.model_name} still has the column {step.column}: remove the field in an earlier release, "
                "with SeparateDatabaseAndState."
            )
    elif isinstance(step, operations.AddIndex) and not isinstance(step, AddIndexConcurrently):
        yield f"AddIndex of {step.index.name} blocks writes: use AddIndexConcurrently."
    elif isinstance(step, operations.AddConstraint) and not isinstance(step, AddConstraintConcurrently):
        yield f"AddConstraint of {step.constraint.name} blocks writes: use AddConstraintConcurrently."
    elif isinstance(step, CONTRACTING):
        yield f"{_name(step)} breaks the running code of the previous release."
    elif isinstance(step, (operations.RunPython, operations.RunSQL)):
        yield f"{_name(step)} has no bounds: use FillInBatches for data and the operations of records for the schema."
    elif not isinstance(step, (*HARMLESS, *CONCURRENT, FillInBatches)):
        yield f"{_name(step)} is not known to the linter; it may block writes."


def _added(step: Any) -> Iterator[str]:
    field, name = step.field, f"{step.model_name}.{step.name}"
    if field.many_to_many:
        yield f"{name}: the table of a many-to-many field is a model of its own."
        return
    if isinstance(field, models.GeneratedField):
        yield f"{name}: a generated column rewrites the table."
        return
    if not field.null and not field.has_db_default():
        yield f"{name}: a new column is nullable or has a `db_default`; the previous release inserts rows without it."
    if field.has_db_default() and not _is_constant(field.db_default):
        yield f"{name}: a `db_default` that is not a constant rewrites the table."
    if field.unique or field.db_index:
        yield f"{name}: add its index with AddIndexConcurrently or AddConstraintConcurrently."
    if field.remote_field and field.db_constraint:
        yield f"{name}: use RowForeignKey, and add SameOrganization with AddConstraintConcurrently."
    if isinstance(field, fields.PositiveIntegerRelDbTypeMixin):
        yield f"{name}: its CHECK reads the whole table; use a field without one, and AddConstraintConcurrently."


def _altered(step: Any, before: Any) -> Iterator[str]:
    """Allowed: attributes that are not in the database, dropping NOT NULL, and a longer varchar."""
    old, new = _in_the_database(before), _in_the_database(step.field)
    if old["null"] is False and new["null"] is True:
        del old["null"], new["null"]
    both_text = type(before) is type(step.field) is fields.CharField
    if both_text and (new.get("max_length") or 0) >= (old.get("max_length") or 0):
        old["max_length"] = new.get("max_length")
    if old != new:
        names = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        yield (
            f"AlterField of {step.model_name}.{step.name} changes {', '.join(names)}: "
            "add a new column, fill it and drop the old one."
        )


def _separated(step: Any, app_label: str, state: Any) -> Iterator[str]:
    if step.database_operations:
        yield "SeparateDatabaseAndState with `database_operations` is not checked: use the operations of records."
    for inner in step.state_operations:
        if isinstance(inner, operations.RemoveField):
            field = state.models[app_label, inner.model_name_lower].fields[inner.name]
            if not field.null and not field.has_db_default():
                yield (
                    f"{inner.model_name}.{inner.name} has no default in the database: "
                    "code without the field could not insert rows."
                )
        elif not isinstance(inner, operations.DeleteModel):
            yield f"SeparateDatabaseAndState: {_name(inner)} is not a removal."


def _in_the_database(field: Any) -> dict[str, Any]:
    _, path, args, kwargs = field.deconstruct()
    stored = {key: value for key, value in kwargs.items() if key not in NOT_IN_THE_DATABASE}
    return {"type": path, "args": args, "null": field.null, **stored}


def _is_constant(default: Any) -> bool:
    # The database evaluates Now() once for all existing rows.
    return not hasattr(default, "resolve_expression") or isinstance(default, (models.Value, Now))


def _model(step: Any) -> str:
    return str(getattr(step, "model_name", getattr(step, "name", "")) or "").lower()


def _name(step: Any) -> str:
    return type(step).__name__


def broken_rules(loader: Any) -> Iterator[tuple[str, str]]:
    """Yield (migration, problem) for all migrations of our own apps after the baseline."""
    for app_label, name in sorted(loader.disk_migrations):
        is_own = apps.get_app_config(app_label).name.partition(".")[0] in OWN_PACKAGES
        if is_own and name > BASELINE.get(app_label, ""):
            state = loader.project_state((app_label, name), at_end=False)
            for problem in problems(loader.disk_migrations[app_label, name], state):
                yield f"{app_label}.{name}", problem
