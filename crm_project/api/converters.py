"""What a path may hold, beyond Django's own."""

from django.urls.converters import PathConverter, UUIDConverter


class RestConverter(PathConverter):
    """The rest of a path, whatever is in it: `path` stops at a line feed, and the answer is Django's own page."""

    regex = "(?s:.+)"


class AnyCaseUUIDConverter(UUIDConverter):
    """A uuid as RFC 9562 reads it: some systems write theirs in capitals."""

    regex = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
