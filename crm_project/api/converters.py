"""Path converters beyond Django's."""

from typing import Any
from uuid import UUID

from django.urls.converters import PathConverter, UUIDConverter


class RestConverter(PathConverter):
    """The rest of a path, line feeds included, which `path` does not match."""

    regex = "(?s:.+)"


class AnyCaseUUIDConverter(UUIDConverter):
    """A UUID in either case, as RFC 9562 has it."""

    regex = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


class IdOrUUIDConverter:
    """A row of a kind that has an integer id, by this or by its uuid, which is what events name it by."""

    regex = f"[0-9]+|{AnyCaseUUIDConverter.regex}"

    def to_python(self, value: str) -> int | UUID:
        return int(value) if value.isdigit() else UUID(value)

    def to_url(self, value: int | str | UUID) -> str:
        return str(value)


def row_lookup(field: str, value: int | str | UUID) -> dict[str, Any]:
    """The filter for the row that a path names: by its uuid if that is what the path has, else by `field`."""
    return {"uuid" if isinstance(value, UUID) else field: value}
