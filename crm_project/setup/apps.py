"""Management commands, the creation of organizations, and the demo."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.urls import URLPattern


class SetupConfig(AppConfig):
    name = "crm_project.setup"
    label = "setup"

    def ready(self) -> None:
        from crm_project.accounts.admin.operators import OrganizationAdmin
        from crm_project.setup.organizations import opened
        from crm_project.staff.first_steps import hooks

        OrganizationAdmin.open_organization = opened
        # The pages are imported with the site's addresses: they need the settings of a server that has started.
        hooks.urls = _urls
        hooks.on_home = _on_home
        hooks.first_page = _first_page


def _urls(site: Any) -> Sequence[URLPattern]:
    from crm_project.setup.first_steps.pages import urls

    return urls(site)


def _on_home(request: HttpRequest, has_deals: bool) -> Mapping[str, Any] | None:
    from crm_project.setup.first_steps.steps import on_home

    return on_home(request, has_deals)


def _first_page(request: HttpRequest) -> str:
    from crm_project.setup.first_steps.steps import first_page

    return first_page(request)
