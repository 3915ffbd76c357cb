"""Middleware of the admin: activates the time zone and the language of the member."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from crm_project.accounts.reading import read_by
from crm_project.staff.request_actor import actor_of


class ReaderMiddleware:
    """Activate the member's time zone and language for pages of the admin.

    Pages without a member, such as the sign-in page, have the language that the browser asks for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(reverse("admin:index")):
            return self.get_response(request)
        actor = actor_of(request)
        if actor is None:
            with translation.override(translation.get_language_from_request(request)):
                response = self.get_response(request)
            patch_vary_headers(response, ["Accept-Language"])
            return response
        with read_by(actor.member):
            return self.get_response(request)
