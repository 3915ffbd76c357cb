"""The permission to use a view; services check the permission of each write again."""

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.errors import Forbidden


class IsMember(BasePermission):
    """A token or session of a member. Reads need `view`, writes the view's `edit_permission`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        actor = request.auth
        if not isinstance(actor, Actor):
            return False
        try:
            actor.require(Permission.VIEW if request.method in SAFE_METHODS else view.edit_permission)
        except Forbidden as error:
            # DRF expects one of its own exceptions; the problem is made of the cause.
            raise PermissionDenied(error.detail) from error
        return True
