"""For every request of the API: the final slash, Cache-Control and CORS. For all requests: the rate limits."""

import re
from collections.abc import Callable
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from crm_project.api.errors import problem_of, problem_response
from crm_project.api.limits import QuotaExceeded, bill_address, bill_of, bill_user

API_PATH = re.compile(r"/(api|dialects)(/|$)")


def is_of_api(request: HttpRequest) -> bool:
    """Whether the path is one of the API or of a dialect, whose host has a URLconf of its own."""
    return bool(API_PATH.match(request.path_info)) or hasattr(request, "urlconf")


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


class CrossOriginMiddleware(CorsMiddleware):
    """CORS for the API and the dialects, for the pages of CORS_ALLOWED_ORIGINS.

    Preflights are answered here, without a token. Credentials are never allowed: a page of another origin cannot use
    the cookies of a session or of a dialect.
    """

    def is_enabled(self, request: HttpRequest) -> bool:
        return is_of_api(request) and bool(settings.CORS_ALLOWED_ORIGINS)


class RateLimitMiddleware:
    """Count the requests of pages, for their user or address; views of the API count theirs. Add the headers.

    Probes and static files are answered before it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if bill := bill_of(request):
            # A vendor may have 503 for it, which is no failure of the database.
            request.is_over_quota = bill.refused  # type: ignore[attr-defined]
            for name, value in bill.headers().items():
                response[name] = value
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if getattr(getattr(view, "cls", None), "counts_itself", False):
            return None
        is_staff_page = request.path_info.startswith(reverse("admin:index"))
        user = getattr(request, "user", None) if is_staff_page else None
        try:
            (bill_user(request, user.pk) if user and user.is_authenticated else bill_address(request)).charge(
                1
            )
        except QuotaExceeded as refusal:
            return refused_page(request, refusal)
        return None


def refused_page(request: HttpRequest, refusal: QuotaExceeded) -> HttpResponse:
    """A problem for a path of the API, else a page."""
    problem = problem_of(refusal, wire_names={})
    if is_of_api(request):
        return problem_response(request, problem)
    page = render_to_string("429.html", {"seconds": refusal.wait})
    return HttpResponse(page, status=problem.status, headers=problem.headers)
