"""Reference data that a process caches until its organization's catalogue version rises."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connection

from crm_project.accounts.models import Organization
from crm_project.changes import current, is_checking, writes_catalogue

T = TypeVar("T")


class CatalogueCache(Generic[T]):
    """The value that `read` returns for an organization. Callers must not change it.

    A change set that writes the catalogue reads the database and caches nothing, since it may be
    rolled back.
    """

    every: "list[CatalogueCache[Any]]" = []

    def __init__(self, read: Callable[[int], T]) -> None:
        self.read = read
        self.values: dict[int, tuple[int, T]] = {}
        self.every.append(self)

    def of(self, organization: Organization) -> T:
        """The value of the version of the organization's instance, which was read with the token, or a newer one."""
        cached = self.values.get(organization.pk)
        if cached is not None and cached[0] == organization.catalogue_version and not writes_catalogue():
            return cached[1]
        return self.at(organization.pk, catalogue_version(organization.pk))

    def at(self, organization_id: int, version: int) -> T:
        """The value of this version, which is the present one: under the catalogue's lock it stays so."""
        if writes_catalogue():
            return self.read(organization_id)
        cached = self.values.get(organization_id)
        if cached is None or cached[0] != version:
            # Read after the version: newer rows under an older version are read again, and never the reverse.
            cached = self.values[organization_id] = (version, self.read(organization_id))
        return cached[1]

    def present(self, organization_id: int) -> T:
        """The value of the present version: under the catalogue's lock it stays the present one."""
        return self.at(organization_id, present_version(organization_id))


def note_version(organization_id: int) -> None:
    """Called under the catalogue's lock: the open change set reads the version once."""
    changes = current()
    if changes is not None and not is_checking() and organization_id not in changes.versions:
        changes.versions[organization_id] = catalogue_version(organization_id)


def present_version(organization_id: int) -> int:
    changes = current()
    noted = changes.versions.get(organization_id) if changes else None
    return catalogue_version(organization_id) if noted is None else noted


def catalogue_version(organization_id: int) -> int:
    table = connection.ops.quote_name(Organization._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT catalogue_version FROM {table} WHERE id = %s", [organization_id])
        return int(cursor.fetchone()[0])


def clear_all() -> None:
    """For tests, whose transactions are rolled back: a version comes again with other rows."""
    for cache in CatalogueCache.every:
        cache.values.clear()
