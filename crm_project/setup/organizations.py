"""Creation of an organization together with its first admin and a default pipeline."""

from typing import Any

from django.db import transaction
from django.utils import translation

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Organization, User
from crm_project.accounts.rules import Role
from crm_project.accounts.services import add_member, create_organization, find_or_create_user
from crm_project.emails import fold_email
from crm_project.languages import nearest
from crm_project.setup.pipeline_templates import DEFAULT, template
from pipelines.services import create_pipeline


def open_organization(*, name: str, owner: User, **fields: Any) -> Actor:
    """Create an organization whose admin is `owner`, with a pipeline in its language; answers the owner as an actor."""
    with transaction.atomic():
        organization = create_organization(name=name, **fields)
        member = add_member(actor=None, organization=organization, user=owner, role=Role.ADMIN)
        actor = Actor(member)
        with translation.override(nearest(organization.language)):
            create_pipeline(actor=actor, change=template(DEFAULT))
    return actor


def opened(*, name: str, owner: User, **fields: Any) -> Organization:
    """Answers the organization, for the hook of the admin."""
    return open_organization(name=name, owner=owner, **fields).organization


def owner_login(email: str) -> tuple[User, bool]:
    """The login of an e-mail address, and whether it is new. A new one is staff and has no password."""
    known = User.objects.filter(email=fold_email(email)).exists()
    return find_or_create_user(email=email, is_staff=True), not known
