"""What a path may hold, beyond Django's own."""

from django.urls.converters import PathConverter


class RestConverter(PathConverter):
    """The rest of a path, whatever is in it: `path` stops at a line feed, and the answer is Django's own page."""

    regex = "(?s:.+)"
