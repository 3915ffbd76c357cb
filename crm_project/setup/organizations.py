"""Creation of an organization together with its first admin and a default pipeline."""

from typing import Any

from django.db import transaction

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Organization, User
from crm_project.accounts.rules import Role
from crm_project.accounts.services import add_member, create_organization, find_or_create_user
from crm_project.emails import fold_email
from pipelines.services import create_pipeline

DEFAULT_PIPELINE: dict[str, Any] = {
    "name": "Sales",
    "stages": [
        {"name": "New", "color": "#3b82f6", "probability": 10},
        {"name": "Qualified", "color": "#06b6d4", "probability": 25},
        {"name": "Proposal", "color": "#f59e0b", "probability": 50},
        {"name": "Negotiation", "color": "#f97316", "probability": 75},
        {"name": "Won", "color": "#22c55e", "kind": "won"},
        {"name": "Lost", "color": "#ef4444", "kind": "lost"},
    ],
}


def open_organization(
    *, name: str, owner: User, pipeline: dict[str, Any] = DEFAULT_PIPELINE, **fields: Any
) -> Actor:
    """Create an organization whose admin is `owner`; answers the owner as an actor."""
    with transaction.atomic():
        organization = create_organization(name=name, **fields)
        member = add_member(actor=None, organization=organization, user=owner, role=Role.ADMIN)
        actor = Actor(member)
        create_pipeline(actor=actor, change=pipeline)
    return actor


def opened(*, name: str, owner: User, **fields: Any) -> Organization:
    """Answers the organization, for the hook of the admin."""
    return open_organization(name=name, owner=owner, **fields).organization


def owner_login(email: str) -> tuple[User, bool]:
    """The login of an e-mail address, and whether it is new. A new one is staff and has no password."""
    known = User.objects.filter(email=fold_email(email)).exists()
    return find_or_create_user(email=email, is_staff=True), not known
