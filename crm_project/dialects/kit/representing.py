"""What the serializers of a dialect need to write rows: the actor, the ids of the system, the custom fields."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from crm_project.accounts.actors import Actor
from crm_project.dialects.kit.ids import Ids
from crm_project.dialects.kit.rows import referenced_rows
from crm_project.records.models import CustomField
from crm_project.records.writing.columns import definitions_of


class Representing:
    """The part of a view that serializers read as `context["view"]`."""

    system: ClassVar[str]
    actor: Actor

    @cached_property
    def ids(self) -> Ids:
        return Ids(self.actor, self.system)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.actor.organization.time_zone)

    @cached_property
    def _definitions(self) -> dict[str, dict[str, CustomField]]:
        return {}

    def definitions(self, kind: str) -> dict[str, CustomField]:
        """The custom fields of a kind of row by key, in order; read once, together with their ids."""
        if kind not in self._definitions:
            self._definitions[kind] = definitions_of(self.actor.organization_id, kind)
            self.ids.prefetch(self._definitions[kind].values())
        return self._definitions[kind]

    def prefetch_ids(self, serializer: Any, rows: Iterable[Any]) -> None:
        """Look up the ids that the serializer will write, with one query for each kind."""
        self.ids.prefetch(row for instance in rows for row in referenced_rows(serializer, instance))


class Representation(Representing):
    """Writes rows where there is no request, such as in a webhook."""

    def __init__(self, actor: Actor, system: str) -> None:
        self.actor = actor
        self.system = system  # type: ignore[misc]

    def serialize(self, serializer_class: Any, rows: list[Any]) -> list[dict[str, Any]]:
        context = {"view": self}
        self.prefetch_ids(serializer_class(context=context), rows)
        return [dict(item) for item in serializer_class(rows, many=True, context=context).data]
