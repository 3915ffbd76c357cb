"""For every request: a request id, the final slash, and Cache-Control."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

API_PATH = re.compile(r"/(api|dialects)(/|$)")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestMiddleware:
    """Set the request id, strip a final slash (a redirect would lose a POST's body) and forbid caches to store it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())  # type: ignore[attr-defined]
        is_api = bool(API_PATH.match(request.path_info))
        if is_api and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
        response = self.get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        response.setdefault("Cache-Control", "no-store")
        return response
