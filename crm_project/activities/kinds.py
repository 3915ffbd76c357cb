"""The declaration of activities, their columns with personal data, and the sentences of their events."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import pgettext

from crm_project.accounts.rules import Permission
from crm_project.activities import services
from crm_project.activities.models import Activity, ActivityReference
from crm_project.journal.presenting import PresentedEvent
from crm_project.journal.row_undo import RowUndoer
from crm_project.records.kinds import AsFirstParent, Kind, Services, register
from crm_project.records.writing.rows import MATCH

PERSONAL = frozenset({"subject", "text", "result", "external_references"})


def connect() -> None:
    register(
        Kind(
            Activity,
            visible=AsFirstParent(("deal", "contact")),
            rank=85,
            permission=Permission.EDIT_DEALS,
            services=Services(
                create=services.create_activities,
                update=services.update_activities,
                trash=services.trash_activities,
                restore=services.restore_activities,
                carry_out=services.carry_out_activities,
            ),
            named_by="uuid",
            references=ActivityReference,
            lists={"external_references": ""},
            match_keys=MATCH,
            event_types={"done": _was_done},
            clauses=_clauses,
            undoer=RowUndoer(services.writer),
            personal=PERSONAL,
        )
    )


def _was_done(changes: Mapping[str, Any]) -> bool:
    """Also true of a call that was logged afterwards; a note is nothing that is done."""
    is_note = changes.get("type", (None, None))[1] == Activity.Types.NOTE
    return "done_at" in changes and changes["done_at"][1] is not None and not is_note


def _clauses(presented: PresentedEvent) -> tuple[list[str], set[str]]:
    done = presented.of("done_at")
    if done is None or presented.event.action != "updated":
        return [], set()
    return [pgettext("history", "Done") if done.after else pgettext("history", "Opened again")], {"done_at"}
