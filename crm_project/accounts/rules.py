"""The permissions of each role and each token scope."""

from collections.abc import Collection
from enum import StrEnum


class Permission(StrEnum):
    VIEW = "view"
    EDIT_DEALS = "edit_deals"
    EDIT_PIPELINES = "edit_pipelines"
    ADMINISTER = "administer"


class Role(StrEnum):
    VIEWER = "viewer"
    REP = "rep"
    MANAGER = "manager"
    ADMIN = "admin"


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    PIPELINES = "pipelines"


_SELLING = {Permission.VIEW, Permission.EDIT_DEALS}
ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.VIEW}),
    Role.REP: frozenset(_SELLING),
    Role.MANAGER: frozenset(_SELLING | {Permission.EDIT_PIPELINES}),
    Role.ADMIN: frozenset(Permission),
}
SCOPE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Scope.READ: frozenset({Permission.VIEW}),
    Scope.WRITE: frozenset({Permission.EDIT_DEALS}),
    Scope.PIPELINES: frozenset({Permission.EDIT_PIPELINES}),
}
ALL_SCOPES = tuple(scope.value for scope in Scope)


def permissions(role: str, scopes: Collection[str] | None = None) -> frozenset[Permission]:
    """The permissions of a role, limited by the scopes of a token. ADMINISTER needs a token with all scopes."""
    granted = ROLE_PERMISSIONS.get(role, frozenset())
    if scopes is None or set(ALL_SCOPES) <= set(scopes):
        return granted
    scoped = frozenset().union(*(SCOPE_PERMISSIONS.get(scope, frozenset()) for scope in scopes))
    return granted & scoped


def scopes_for(permission: Permission) -> str:
    """The scopes of a token that grant a permission, separated by spaces."""
    granting = [str(scope) for scope, granted in SCOPE_PERMISSIONS.items() if permission in granted]
    return " ".join(granting or ALL_SCOPES)
