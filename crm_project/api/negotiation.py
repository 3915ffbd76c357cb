"""A token is always answered in JSON; a signed-in browser that asks for HTML gets the browsable API."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class TokenGetsJson(BaseContentNegotiation):
    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The parser of the body's media type; no type at all is taken for JSON only when there is no body."""
        given = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == given), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        wanted = request.query_params.get("format")
        html = wanted == "api" or (wanted is None and "text/html" in request.headers.get("Accept", ""))
        by_format = {renderer.format: renderer for renderer in renderers}
        # A request with an Idempotency-Key is a program's: a page for people is not kept for its retry.
        program = {"Authorization", "Idempotency-Key"} & set(request.headers)
        if html and "api" in by_format and not program:
            return by_format["api"], by_format["api"].media_type
        renderer = by_format.get("json", renderers[0])
        return renderer, renderer.media_type
