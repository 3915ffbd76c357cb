"""The declaration of goals."""

from crm_project.accounts.rules import Permission
from crm_project.goals import services
from crm_project.goals.models import Goal, GoalReference
from crm_project.goals.querysets import GoalQuerySet
from crm_project.journal.catalogue import CatalogueUndoer
from crm_project.records.kinds import Kind, Private, register
from crm_project.records.writing.reference_data import one_by_one


def connect() -> None:
    register(
        Kind(
            Goal,
            visible=Private(GoalQuerySet.shared_with),
            rank=38,
            permission=Permission.EDIT_PIPELINES,
            services=one_by_one(
                "goal",
                create=services.create_goal,
                update=services.update_goal,
                trash=services.trash_goal,
                restore=services.restore_goal,
            ),
            named_by="uuid",
            references=GoalReference,
            lists={"external_references": ""},
            constraints={
                "goals_goal_live_of_member": "month_taken",
                "goals_goal_live_of_organization": "month_taken",
            },
            is_reference_data=True,
            undoer=CatalogueUndoer(Goal, GoalReference, unique=["member_id", "month"]),
        )
    )
