"""Views that are no resources: health, the OpenAPI document and its pages, and the error handlers."""

import sys
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm_project.api.errors import RETRY_AFTER, Problem, problem_of, problem_response
from crm_project.api.middleware import API_PATH


def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the database answers. Public, hence without details."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        body = {"status": "unavailable", "database": "does not answer"}
        return JsonResponse(
            body, status=503, headers={"Retry-After": RETRY_AFTER, "Cache-Control": "no-store"}
        )
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


class DocumentView(APIView):
    """A documentation page, whose errors are problems as in the API."""

    def handle_exception(self, exc: Exception) -> Response:
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(exc)


class SchemaView(DocumentView, SpectacularJSONAPIView):
    """The OpenAPI document."""


class DocsView(DocumentView, SpectacularSwaggerSplitView):
    """Swagger UI, served without external hosts."""


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
