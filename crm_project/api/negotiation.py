"""JSON for requests with a token; the browsable API for a signed-in browser that accepts HTML."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

MERGE_PATCH = "application/merge-patch+json"


class TokenGetsJson(BaseContentNegotiation):
    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The parser of the body's media type, or None."""
        given = media_type_of(request)
        return next((parser for parser in parsers if parser.media_type == given), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        format = request.query_params.get("format")
        html = format == "api" or (format is None and "text/html" in request.headers.get("Accept", ""))
        by_format = {renderer.format: renderer for renderer in renderers}
        # A request with an Idempotency-Key comes from a program, whose retry must not get an HTML page.
        program = {"Authorization", "Idempotency-Key"} & set(request.headers)
        if html and "api" in by_format and not program:
            return by_format["api"], by_format["api"].media_type
        renderer = by_format.get("json", renderers[0])
        return renderer, renderer.media_type


class MergePatchNegotiation(TokenGetsJson):
    """The body of a PATCH is a merge patch (RFC 7396), and may have its media type."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        if request.method == "PATCH" and media_type_of(request) == MERGE_PATCH:
            return next(parser for parser in parsers if parser.media_type == JSONRenderer.media_type)
        return super().select_parser(request, parsers)


def media_type_of(request: Request) -> str:
    """The media type of the body, without parameters."""
    return request.content_type.partition(";")[0].strip().lower()
