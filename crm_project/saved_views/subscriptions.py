"""What saved views set in the hooks of inner rooms.

The lists are imported when they are used: the API's modules need the settings of a server that has started.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from crm_project.accounts.actors import Actor
from crm_project.api.saved_views import hooks as api_hooks
from crm_project.errors import FieldError
from crm_project.saved_views.hooks import hooks
from crm_project.saved_views.models import SavedView
from crm_project.staff.saved_views import StoredView
from crm_project.staff.saved_views import hooks as staff_hooks


def connect() -> None:
    hooks.check = _check
    api_hooks.parameters = _parameters
    staff_hooks.views = _views
    staff_hooks.save_url = _save_url
    staff_hooks.save_filters_url = _save_filters_url


def _views(request: HttpRequest, model: Any) -> Sequence[StoredView]:
    from crm_project.saved_views.admin import stored_views

    return stored_views(request, model)


def _save_url(request: HttpRequest, model: Any) -> str:
    from crm_project.saved_views.admin import save_url

    return save_url(request, model)


def _save_filters_url(request: HttpRequest, model: Any, parameters: Mapping[str, str], ordering: str) -> str:
    from crm_project.saved_views.admin import save_filters_url

    return save_filters_url(request, model, parameters, ordering)


def _check(actor: Actor, view: SavedView) -> Sequence[FieldError]:
    from crm_project.saved_views.lists import wrong_in

    return wrong_in(actor, view)


def _parameters(actor: Actor, model: Any, key: UUID) -> Mapping[str, str] | None:
    from crm_project.saved_views.lists import list_of, parameters_of

    views = SavedView.objects.visible_to(actor.member)
    view = views.filter(list=list_of(model), uuid=key).first()
    return parameters_of(view) if view else None
