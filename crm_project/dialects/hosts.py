"""A host of its own for a dialect, for clients whose base URL cannot have a path."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from crm_project.dialects.registry import DIALECTS


class DialectHostMiddleware:
    """On a host of DIALECT_HOSTS, serve only the paths of its dialect, at the root.

    It precedes SecurityMiddleware, whose redirect would hide from a client without TLS that it has sent its token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        system = settings.DIALECT_HOSTS.get(request.get_host().partition(":")[0].lower())
        if system is None:
            return self.get_response(request)
        request.urlconf = DIALECTS[system].urls
        request.path_info = request.path_info.rstrip("/") or "/"
        in_clear = settings.BEHIND_TLS and not request.is_secure()
        return _refused(request) if in_clear else self.get_response(request)


def _refused(request: HttpRequest) -> HttpResponse:
    """The refusal by the view of the path, in the format of the dialect."""
    found = resolve(request.path_info, request.urlconf)
    response: Any = found.func(request, *found.args, **found.kwargs)
    rendered: HttpResponse = response.render() if hasattr(response, "render") else response
    return rendered
