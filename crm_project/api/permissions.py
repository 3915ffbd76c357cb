"""The permission to use a view; services check the permission of each write again."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission


class IsMember(BasePermission):
    """A token or session of a member. Reads need `view`, writes the view's `edit_permission`."""

    message = "Your role or token does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        actor = request.auth
        if not isinstance(actor, Actor):
            return False
        needed = Permission.VIEW if request.method in SAFE_METHODS else view.edit_permission
        return actor.may(needed)
