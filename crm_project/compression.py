"""Compression of answers. The tag of an answer is that of its plain form, and an answer with a secret stays plain."""

from typing import Any

from django.http import HttpRequest
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers
from rest_framework.permissions import SAFE_METHODS


def leave_uncompressed(response: Any) -> None:
    """Mark an answer that holds a secret: the length of a compressed one would reveal it (BREACH)."""
    response.holds_secret = True


class CompressionMiddleware(GZipMiddleware):
    """Compress what is built in memory; streams and static files have other ways.

    Conditional requests compare the tag of the plain answer, so a client may use it with either form. A page that
    answers a write may hold a new secret (a token, a link of an invitation); a page with a CSRF token is compressed,
    since Django masks the token in each answer.
    """

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        if response.streaming or response.has_header("Content-Encoding"):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        writes_page = request.method not in SAFE_METHODS and response.get("Content-Type", "").startswith(
            "text/html"
        )
        if writes_page or getattr(response, "holds_secret", False):
            return response
        tag = response.get("ETag")
        response = super().process_response(request, response)
        if tag is not None:
            response["ETag"] = tag
        return response
