"""What every entity of Gauzy has, and fields that say the same of every row."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.fields import SkipField

from crm_project.dialects.kit.serializers import RowField, UnsupportedField


class InstantField(serializers.DateTimeField):
    """UTC with three digits of a second."""

    def to_representation(self, value: Any) -> Any:
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


class NoField(serializers.CharField):
    """What the vendor shows and the core does not have: always null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True, **kwargs})

    def get_attribute(self, instance: Any) -> None:
        return None


class NoneOfThem(serializers.ListField):
    """Rows that the vendor shows and the core does not have: always an empty list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, **kwargs})

    def get_attribute(self, instance: Any) -> list[Any]:
        return []


class FixedField(UnsupportedField):
    """What is the same of every row: its other values are refused."""

    def __init__(self, *values: Any, **kwargs: Any) -> None:
        self.values = values
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if data in self.values:
            raise SkipField
        self.fail("not_supported")


Relations = Mapping[str, Callable[[], serializers.Field[Any, Any, Any, Any]]]


class GauzyOrganizationNested(serializers.Serializer[Any]):
    """The organization, which is its own tenant."""

    id = RowField("organization", source="*")
    name = serializers.CharField()
    tenantId = RowField("organization", source="*")
    currency = serializers.CharField()


class GauzyEntityRead(serializers.Serializer[Any]):
    """What every entity has. Rows that it is related to are shown where the query's `relations` asks for them.

    `within` is the path to it from the entity that was asked for.
    """

    kind: ClassVar[str] = ""
    related: ClassVar[Relations] = {}
    createdAt = InstantField(source="created_at")
    updatedAt = InstantField(source="updated_at")
    deletedAt = InstantField(source="deleted_at", allow_null=True)
    createdByUserId: Any = NoField()
    updatedByUserId = NoField()
    deletedByUserId = NoField()
    isActive = serializers.SerializerMethodField()
    isArchived = serializers.SerializerMethodField()
    archivedAt = NoField()
    tenantId = serializers.SerializerMethodField()
    organizationId = serializers.SerializerMethodField()

    def __init__(self, *args: Any, within: str = "", **kwargs: Any) -> None:
        self.within = within
        super().__init__(*args, **kwargs)

    def get_fields(self) -> dict[str, Any]:
        asked = getattr(self.context.get("view"), "relations", [])
        shown = {name: made() for name, made in self.related.items() if f"{self.within}{name}" in asked}
        return {"id": RowField(self.kind, source="*"), **super().get_fields(), **shown}

    def get_isActive(self, row: Any) -> bool:
        return bool(getattr(row, "is_active", True))

    def get_isArchived(self, row: Any) -> bool:
        """Inactive and archived are one thing here."""
        return not self.get_isActive(row)

    def get_tenantId(self, row: Any) -> str:
        view = self.context["view"]
        return str(view.ids.shown(view.actor.organization))

    get_organizationId = get_tenantId


class GauzyTenantNested(GauzyOrganizationNested):
    """The tenant of any row: the actor's organization."""

    def get_attribute(self, instance: Any) -> Any:
        return self.context["view"].actor.organization


OURS: Relations = {name: lambda: GauzyTenantNested(source="*") for name in ("tenant", "organization")}
