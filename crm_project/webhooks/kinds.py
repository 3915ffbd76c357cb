"""The declaration of webhooks: seen and written by admins alone."""

from typing import Any

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission, permissions
from crm_project.records.kinds import Kind, Private, register
from crm_project.records.writing.columns import Change
from crm_project.records.writing.reference_data import one_by_one
from crm_project.webhooks import services
from crm_project.webhooks.models import Webhook, WebhookDelivery, WebhookState


def connect() -> None:
    register(
        Kind(
            Webhook,
            visible=Private(_to_admins),
            rank=25,
            permission=Permission.ADMINISTER,
            services=one_by_one(
                "webhook",
                create=_create,
                update=services.update_webhook,
                trash=services.trash_webhook,
                restore=services.restore_webhook,
            ),
            named_by="uuid",
            label="url",
            parts=(WebhookState, WebhookDelivery),
            hidden_columns=frozenset({"token_uuid"}),
        )
    )


def _to_admins(rows: Any, member: Member) -> Any:
    if Permission.ADMINISTER not in permissions(member.role):
        return rows.none()
    return rows.filter(organization_id=member.organization_id)


def _create(*, actor: Actor, change: Change) -> Webhook:
    """Without the secret, which the caller needs: `rotate_secret` gives another one."""
    return services.create_webhook(actor=actor, change=change)[0]
