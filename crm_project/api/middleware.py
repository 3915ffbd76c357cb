"""For every request of the API: the final slash, and Cache-Control."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

API_PATH = re.compile(r"/(api|dialects)(/|$)")


class RequestMiddleware:
    """Strip a final slash (a redirect would lose a POST's body) and forbid caches to store answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_api = bool(API_PATH.match(request.path_info))
        if is_api and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
        response = self.get_response(request)
        response.setdefault("Cache-Control", "no-store")
        return response
