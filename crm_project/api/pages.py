"""Views that are no resources: the OpenAPI document and its pages, and the error handlers."""

import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLResolver, get_resolver, reverse
from django.views import defaults
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.exceptions import NotAcceptable, NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer, TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm_project.api.authentication import require_tls
from crm_project.api.browsable import BrowsableRenderer
from crm_project.api.documents import StoredDocumentView
from crm_project.api.error_codes import ERROR_CODES, GROUPS, ErrorCode
from crm_project.api.errors import Problem, problem_of, problem_response, type_of
from crm_project.api.limits import count
from crm_project.api.middleware import API_PATH
from crm_project.api.negotiation import TokenGetsJson


class DocumentView(APIView):
    """A documentation page, whose errors are problems as in the API."""

    def handle_exception(self, exc: Exception) -> Response:
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(exc)


class DocumentNegotiation(DefaultContentNegotiation):
    """406 for a format that is not available, in the query as in the Accept header."""

    def filter_renderers(self, renderers: Any, format: str) -> Any:
        try:
            return super().filter_renderers(renderers, format)
        except Http404:
            raise NotAcceptable from None


class SchemaView(DocumentView, StoredDocumentView):
    """The OpenAPI document, as JSON unless the request asks for YAML."""

    renderer_classes: Any = [
        OpenApiJsonRenderer,
        OpenApiJsonRenderer2,
        OpenApiYamlRenderer2,
        OpenApiYamlRenderer,
    ]
    content_negotiation_class = DocumentNegotiation


class DocsView(DocumentView, SpectacularSwaggerSplitView):
    """Swagger UI, served without external hosts."""


class IndexView(APIView):
    """The resources of this API by name. Every one but the documents needs a token or a session."""

    permission_classes: Any = [AllowAny]
    renderer_classes: Any = [JSONRenderer, BrowsableRenderer]
    content_negotiation_class = TokenGetsJson
    counts_itself = True
    schema = None

    def perform_authentication(self, request: Request) -> None:
        count(request, super().perform_authentication, lambda _: 1)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        require_tls(request)
        super().initial(request, *args, **kwargs)

    def get(self, request: Request) -> Response:
        links = ", ".join(
            f'<{reverse(name)}>; rel="{relation}"'
            for name, relation in (("schema", "service-desc"), ("docs", "service-doc"))
        )
        return Response(self.index(), headers={"Link": links})

    def index(self) -> dict[str, str]:
        """The URL of each resource by its name."""
        root = self.request.build_absolute_uri(reverse("api-index"))
        return {name: f"{root}/{name}" for name in resource_names()}


def resource_names() -> list[str]:
    """The first part of every path below /api that answers a GET."""
    return sorted(set(_names_below(get_resolver().url_patterns, "")))


def _names_below(patterns: Any, prefix: str) -> Iterator[str]:
    for pattern in patterns:
        place = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _names_below(pattern.url_patterns, place)
        elif re.fullmatch(r"api/[a-z-]+", place) and hasattr(pattern.callback, "cls"):
            yield place.removeprefix("api/")


class ProblemsView(DocumentView):
    """The error codes, whose pages are the types of problems."""

    authentication_classes: Any = []
    permission_classes: Any = []
    renderer_classes: Any = [JSONRenderer, TemplateHTMLRenderer]
    content_negotiation_class = DocumentNegotiation
    schema = None

    def get(self, request: Request) -> Response:
        if request.accepted_renderer.format == "html":
            return Response({"groups": GROUPS}, template_name="api/problems.html")
        return Response([described(entry) for entry in ERROR_CODES.values()])


class ProblemView(ProblemsView):
    """One error code."""

    def get(self, request: Request, code: str) -> Response:  # type: ignore[override]
        entry = ERROR_CODES.get(code)
        if entry is None:
            raise NotFound("There is no such error code.")
        if request.accepted_renderer.format == "html":
            return Response({"entry": entry, "type": type_of(code)}, template_name="api/problem.html")
        return Response(described(entry))


def described(entry: ErrorCode) -> dict[str, Any]:
    return {"type": type_of(entry.code), **asdict(entry)}


class UnknownView(APIView):
    """404 for an unknown path under /api, for every method."""

    authentication_classes: Any = []
    permission_classes: Any = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound("There is no such resource.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if API_PATH.match(request.path_info):
        return problem_response(request, Problem(404, "not_found", "There is no such resource."))
    return defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Requests that Django refuses before any view, such as those with an unknown Host."""
    if API_PATH.match(request.path_info):
        return problem_response(request, Problem(400, "invalid", "Bad request."))
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Called by Django while the exception is handled; 503 if the database is not available."""
    error = sys.exception()
    problem = problem_of(error if isinstance(error, Exception) else Exception(), wire_names={})
    if API_PATH.match(request.path_info):
        return problem_response(request, problem)
    if problem.status == 503:
        return HttpResponse(render_to_string("503.html"), status=503, headers=problem.headers)
    return defaults.server_error(request)
