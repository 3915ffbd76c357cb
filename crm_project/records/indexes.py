"""The index of `search_text`, on PostgreSQL."""

from typing import Any

from django.contrib.postgres.indexes import GinIndex

# The schema editor executes the SQL of every index, so SQLite needs a statement without effect.
NOTHING = "SELECT 1"


class SearchIndex(GinIndex):
    """A trigram index of `search_text` on PostgreSQL; SQLite scans the rows of the organization."""

    def __init__(self, *, name: str, **kwargs: Any) -> None:
        super().__init__(name=name, fields=["search_text"], opclasses=["gin_trgm_ops"])

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, _, _ = super().deconstruct()
        return path, (), {"name": self.name}

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **kwargs: Any) -> Any:
        if schema_editor.connection.vendor != "postgresql":
            return NOTHING
        return super().create_sql(model, schema_editor, using=using, **kwargs)

    def remove_sql(self, model: Any, schema_editor: Any, **kwargs: Any) -> Any:
        if schema_editor.connection.vendor != "postgresql":
            return NOTHING
        return super().remove_sql(model, schema_editor, **kwargs)
