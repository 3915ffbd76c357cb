"""Taking an import back, and taking that back again: one undo of the journal, done by the worker like the import."""

from uuid import UUID

from crm_project.accounts.actors import Actor
from crm_project.changes import change_set
from crm_project.errors import DomainError
from crm_project.imports.models import Import
from crm_project.imports.running import check_constraints, mark, rare_collections, take_time
from crm_project.journal.models import Event
from crm_project.journal.undo import undo
from crm_project.records.locks import free_keys

States = Import.States
TOLD = 3


def take_back(source: Import, actor: Actor) -> None:
    """All that the import did becomes undone; of one that is undone, all comes back. A refusal leaves it as it is."""
    counts = dict(source.counts)
    last = counts.pop("undone_by", None) or counts["change_set"]
    with rare_collections(), free_keys(), change_set(actor) as changes:
        take_time()
        event = Event.objects.of_change_set(actor.organization_id, UUID(last)).first()
        if event is not None:  # a file of rows that were all there already did nothing
            undo(actor=actor, sequence=event.sequence)
            check_constraints()
        state = States.UNDONE if source.state_at_rest == States.DONE else States.DONE
        undone_by = {"undone_by": str(changes.uuid)} if state == States.UNDONE else {}
        mark(source, state=state, counts=counts | undone_by, problem="")


def told(refusal: DomainError) -> str:
    """Why it cannot be undone: the sentence, and the first fields that somebody changed since."""
    fields = dict.fromkeys(f"{wrong.field}: {wrong.detail}" for wrong in refusal.fields)
    more = f" And {len(fields) - TOLD} more." if len(fields) > TOLD else ""
    return " ".join([f"Nothing was undone. {refusal.detail}", *list(fields)[:TOLD]]) + more
