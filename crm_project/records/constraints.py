"""A composite foreign key, which Django lacks: a row and the row it refers to have the same organization."""

from typing import Any

from django.db import models
from django.db.models.constraints import BaseConstraint


class SameOrganization(BaseConstraint):
    """FOREIGN KEY (organization_id, x_id) REFERENCES x (organization_id, id), as a table constraint.

    Part of the table definition, so that it survives when SQLite rebuilds the table; a trigger would not.
    """

    def __init__(self, *, field: str, name: str) -> None:
        super().__init__(name=name)
        self.field = field

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        field = model._meta.get_field(self.field)
        quote = schema_editor.quote_name
        target = quote(field.remote_field.model._meta.db_table)
        here = f"{quote('organization_id')}, {quote(field.column)}"
        there = f"{quote('organization_id')}, {quote('id')}"
        return (
            f"CONSTRAINT {quote(self.name)} FOREIGN KEY ({here}) REFERENCES {target} ({there})"
            " DEFERRABLE INITIALLY DEFERRED"
        )

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self.constraint_sql(model, schema_editor)}"

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        quote = schema_editor.quote_name
        return f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "default") -> None:
        """Services treat a row of another organization as an unknown one, before the constraint is checked."""

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, _, kwargs = super().deconstruct()
        return path, (), {**kwargs, "field": self.field}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SameOrganization):
            return NotImplemented
        return (self.name, self.field) == (other.name, other.field)

    __hash__ = None  # type: ignore[assignment]


def same_organization(table: str, *fields: str) -> list[BaseConstraint]:
    """One constraint for each foreign key."""
    return [SameOrganization(field=field, name=f"{table}_{field}_same_org") for field in fields]


def organization_key(table: str) -> models.UniqueConstraint:
    """The unique key that `SameOrganization` of other tables refers to."""
    return models.UniqueConstraint(fields=["organization", "id"], name=f"{table}_organization_id")
