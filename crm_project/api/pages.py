"""What is no resource: the OpenAPI document and its pages, and answers for paths that nobody serves."""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm_project.api.errors import Problem, problem_of, problem_response
from crm_project.api.middleware import API_PATH


class DocumentView(APIView):
    """A page for people or programs, whose refusals are problems all the same."""

    def handle_exception(self, exc: Exception) -> Response:
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(exc)


class SchemaView(DocumentView, SpectacularJSONAPIView):
    """The OpenAPI document."""


class DocsView(DocumentView, SpectacularSwaggerSplitView):
    """The document to read and try, without any outside host."""


class UnknownView(APIView):
    """A path under /api that nobody serves, whatever the method."""

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
    """What Django refuses before any view is asked, such as a Host that is not ours."""
    if API_PATH.match(request.path_info):
        return problem_response(request, Problem(400, "invalid", "The request was not understood."))
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls it while the error is at hand: a database that is away or busy is no mistake of the server."""
    error = sys.exception()
    problem = problem_of(error if isinstance(error, Exception) else Exception(), wire_names={})
    if API_PATH.match(request.path_info):
        return problem_response(request, problem)
    if problem.status == 503:
        return HttpResponse(render_to_string("503.html"), status=503, headers=problem.headers)
    return defaults.server_error(request)
