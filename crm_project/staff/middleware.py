"""What the admin's pages have of their own: the organization's zone, and a size that a phone can bear."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.urls import reverse
from django.utils import timezone

from crm_project.staff.request_actor import actor_of


class PageCompressionMiddleware(GZipMiddleware):
    """A long list is a page of 400 kB, and a twentieth of that when compressed. Files that stream are left alone."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        is_page = request.path_info.startswith("/admin/") and not response.streaming
        return super().process_response(request, response) if is_page else response


class OrganizationZoneMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        actor = actor_of(request) if request.path_info.startswith(reverse("admin:index")) else None
        if actor is None:
            return self.get_response(request)
        with timezone.override(ZoneInfo(actor.organization.time_zone)):
            return self.get_response(request)
