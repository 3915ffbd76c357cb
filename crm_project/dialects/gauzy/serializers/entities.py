"""The fields that all of Gauzy's entities have."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.dialects.kit.fields import NullField
from crm_project.dialects.kit.instants import InstantField
from crm_project.dialects.kit.rows import RowField

Relations = Mapping[str, Callable[[], serializers.Field[Any, Any, Any, Any]]]


class GauzyOrganizationNested(Serializer):
    """The organization; it is also the tenant."""

    id = RowField("organization", source="*")
    name = serializers.CharField()
    tenantId = RowField("organization", source="*")
    currency = serializers.CharField()


class GauzyEntityRead(Serializer):
    """The common fields. Related rows are nested if the query's `relations` names them.

    `within` is the dotted path from the requested entity to this one.
    """

    varies = True
    kind: ClassVar[str] = ""
    related: ClassVar[Relations] = {}
    createdAt = InstantField(digits=3, source="created_at")
    updatedAt = InstantField(digits=3, source="updated_at")
    deletedAt = InstantField(digits=3, source="deleted_at", allow_null=True)
    createdByUserId: Any = NullField()
    updatedByUserId = NullField()
    deletedByUserId = NullField()
    isActive = serializers.SerializerMethodField()
    isArchived = serializers.SerializerMethodField()
    archivedAt = NullField()
    tenantId = serializers.SerializerMethodField()
    organizationId = serializers.SerializerMethodField()

    def __init__(self, *args: Any, within: str = "", **kwargs: Any) -> None:
        self.within = within
        super().__init__(*args, **kwargs)

    def get_fields(self) -> dict[str, Any]:
        asked = getattr(self.context.get("view"), "relations", [])
        nested = {name: made() for name, made in self.related.items() if f"{self.within}{name}" in asked}
        return {"id": RowField(self.kind, source="*"), **super().get_fields(), **nested}

    def get_isActive(self, row: Any) -> bool:
        return bool(getattr(row, "is_active", True))

    def get_isArchived(self, row: Any) -> bool:
        """Archived is the opposite of active."""
        return not self.get_isActive(row)

    def get_tenantId(self, row: Any) -> str:
        view = self.context["view"]
        return str(view.ids.id_of(view.actor.organization))

    get_organizationId = get_tenantId


class GauzyTenantNested(GauzyOrganizationNested):
    """The tenant of a row: the actor's organization."""

    def get_attribute(self, instance: Any) -> Any:
        return self.context["view"].actor.organization


OURS: Relations = {name: lambda: GauzyTenantNested(source="*") for name in ("tenant", "organization")}
