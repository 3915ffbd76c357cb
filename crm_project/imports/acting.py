"""The actor of work in the background: the member with the role of today, and the token of the request."""

from uuid import UUID

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import ApiToken, Member
from crm_project.accounts.rules import Permission
from crm_project.errors import Forbidden


def acting(member_id: int, token_uuid: UUID | None, permission: Permission) -> Actor:
    """Raises Forbidden if the member, the role or the token no longer allows the work."""
    member = Member.objects.active().select_related("user", "organization").filter(pk=member_id).first()
    if member is None:
        raise Forbidden("The member who started this is no longer active.")
    actor = Actor(member, _token(token_uuid))
    actor.require(permission)
    return actor


def _token(token_uuid: UUID | None) -> ApiToken | None:
    """It may have expired since, but not been revoked."""
    if token_uuid is None:
        return None
    token: ApiToken | None = ApiToken.objects.filter(uuid=token_uuid, revoked_at=None).first()
    if token is None:
        raise Forbidden("The token that started this is revoked.")
    return token
