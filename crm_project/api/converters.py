"""Path converters beyond Django's."""

from django.urls.converters import PathConverter, UUIDConverter


class RestConverter(PathConverter):
    """The rest of a path, line feeds included, which `path` does not match."""

    regex = "(?s:.+)"


class AnyCaseUUIDConverter(UUIDConverter):
    """A UUID in either case, as RFC 9562 has it."""

    regex = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
