"""The declaration of saved views: a private one is seen by its owner, a shared one by the organization."""

from typing import Any

from django.db.models import Q

from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.records.kinds import Kind, Private, register
from crm_project.records.writing.reference_data import one_by_one
from crm_project.saved_views import services
from crm_project.saved_views.models import SavedView


def connect() -> None:
    register(
        Kind(
            SavedView,
            visible=Private(_own_or_shared, by_role=True),
            rank=28,
            permission=Permission.EDIT_DEALS,
            services=one_by_one(
                "saved_view",
                create=services.create_saved_view,
                update=services.update_saved_view,
                trash=services.trash_saved_view,
                restore=services.restore_saved_view,
            ),
            named_by="uuid",
        )
    )


def _own_or_shared(rows: Any, member: Member) -> Any:
    return rows.filter(Q(is_shared=True) | Q(owner=member), organization_id=member.organization_id)
