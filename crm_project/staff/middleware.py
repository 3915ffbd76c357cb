"""Middleware of the admin: the time zone of the organization."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from crm_project.staff.request_actor import actor_of


class OrganizationZoneMiddleware:
    """Activate the time zone of the organization for pages of the admin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        actor = actor_of(request) if request.path_info.startswith(reverse("admin:index")) else None
        if actor is None:
            return self.get_response(request)
        with timezone.override(ZoneInfo(actor.organization.time_zone)):
            return self.get_response(request)
