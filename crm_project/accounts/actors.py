"""The actor of a request: a member, and the token of the request, if any."""

from dataclasses import dataclass
from functools import cached_property

from crm_project.accounts.models import ApiToken, Member, Organization
from crm_project.accounts.rules import Permission, permissions, scopes_for
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
        """Raise Forbidden unless role and token allow it. Every service calls this first.

        `permission` of the refusal is the missing one; `required` has the scopes that the token lacks, if the role of
        the member would allow it.
        """
        if self.may(permission):
            return
        if permission not in permissions(self.member.role):
            raise Forbidden(permission=str(permission))
        scopes = scopes_for(permission)
        raise Forbidden(
            "The token lacks the scope for this: %(scopes)s.",
            {"scopes": scopes},
            permission=str(permission),
            required=scopes,
        )
