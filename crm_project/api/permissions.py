"""Whether the actor may use a view at all; the services ask again for each write."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission


class IsMember(BasePermission):
    """Somebody's token or session; reading asks for `view`, writing for the view's `edit_permission`."""

    message = "Your role or token does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        actor = request.auth
        if not isinstance(actor, Actor):
            return False
        needed = Permission.VIEW if request.method in SAFE_METHODS else view.edit_permission
        return actor.may(needed)
