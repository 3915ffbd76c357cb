"""A host of its own for a dialect, for clients whose base URL cannot have a path."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from crm_project.dialects.registry import DIALECTS


class DialectHostMiddleware:
    """On a host of DIALECT_HOSTS, serve only the paths of its dialect, at the root."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        system = settings.DIALECT_HOSTS.get(request.get_host().partition(":")[0].lower())
        if system is None:
            return self.get_response(request)
        request.urlconf = DIALECTS[system].urls
        request.path_info = request.path_info.rstrip("/") or "/"
        response = self.get_response(request)
        response.setdefault("Cache-Control", "no-store")
        return response
