"""The actor of a request: a member, and the token of the request, if any."""

from dataclasses import dataclass
from functools import cached_property

from crm_project.accounts.models import ApiToken, Member, Organization
from crm_project.accounts.rules import Permission, permissions
from crm_project.errors import Forbidden


@dataclass(frozen=True, eq=False)
class Actor:
    member: Member
    token: ApiToken | None = None

    @property
    def organization(self) -> Organization:
        return self.member.organization

    @property
    def organization_id(self) -> int:
        return self.member.organization_id

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        return permissions(self.member.role, self.token.scopes if self.token else None)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise Forbidden unless role and token allow it. Every service calls this first."""
        if not self.may(permission):
            raise Forbidden
