"""The trash of deals. References and stage of a trashed deal are free: a restore checks them again."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import change_set
from crm_project.errors import Conflict, Invalid, refuse
from crm_project.records import references
from crm_project.records.locks import share
from crm_project.records.writing import store
from crm_project.records.writing.columns import missing
from crm_project.records.writing.store import Draft
from crm_project.versions import Versions, refusal
from deals import rules
from deals.models import Deal, DealContact, DealReference
from deals.services.context import Context, look_up
from deals.services.states import bring_back, note_state, write_states
from deals.services.write import lock_drafts

ANY: Mapping[int, Versions] = MappingProxyType({})


def trash_deals(*, actor: Actor, rows: Sequence[Deal], if_match: Mapping[int, Versions] = ANY) -> list[Deal]:
    """Move deals to the trash. `if_match` has the expected version by id."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        drafts = lock_drafts(actor, look_up(actor, []), rows)
        _require(drafts, if_match)
        now = timezone.now()
        states = {draft.row.pk: rules.state_of(draft.row) for draft in drafts}
        for draft in drafts:
            draft.row.deleted_at = now
        store.record(changes, store.update(drafts, now=now), "trashed")
        deals = [draft.row for draft in drafts]
        write_states(deals, states, now=now)
        references.set_live(DealReference, deals, live=False)
        return deals


def restore_deals(
    *, actor: Actor, rows: Sequence[Deal], stage: Any = None, if_match: Mapping[int, Versions] = ANY
) -> list[Deal]:
    """Restore deals from the trash. `stage` is required if the deal's own stage was removed."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        now = timezone.now()
        trashed = Deal.objects.trash_visible_to(actor.member, now)
        context = look_up(actor, [])
        _hold_references(actor, rows)
        people = _held_people(actor, rows)
        drafts = lock_drafts(actor, context, rows, rows=trashed)
        _require(drafts, if_match)
        states = {draft.row.pk: note_state(draft) for draft in drafts}
        references.check_restorable(DealReference, [draft.row.pk for draft in drafts])
        if any(person.deleted_at for person in people):
            raise Conflict(
                "A contact of the deal is in the trash; restore the contact first.", code="restore_conflict"
            )
        for draft in drafts:
            _restore(draft, context, stage, now)
        store.record(changes, store.update(drafts, now=now), "restored")
        deals = [draft.row for draft in drafts]
        references.set_live(DealReference, deals, live=True)
        write_states(deals, states, now=now)
        bring_back([deal.pk for deal in deals])
        return deals


def _require(drafts: Sequence[Draft], if_match: Mapping[int, Versions]) -> None:
    stale = ((index, refusal(draft.row, if_match.get(draft.row.pk))) for index, draft in enumerate(drafts))
    refuse({index: error for index, error in stale if error}, rows=len(drafts))


def _hold_references(actor: Actor, deals: Sequence[Deal]) -> None:
    held = DealReference.objects.filter(
        organization_id=actor.organization_id, row__in=[deal.pk for deal in deals]
    )
    references.hold(DealReference, actor.organization_id, held.values_list("system", "external_id"))


def _held_people(actor: Actor, deals: Sequence[Deal]) -> list[Contact]:
    """The contacts of the deals, locked against the trash: uses by trashed deals do not prevent it."""
    ids = [deal.pk for deal in deals]
    parts = Deal.objects.of(actor.organization_id).filter(pk__in=ids).values_list("contact", "client")
    members = DealContact.objects.filter(organization_id=actor.organization_id, deal__in=ids)
    people = {person for pair in parts for person in pair} | set(members.values_list("contact", flat=True))
    return share(Contact.objects.of(actor.organization_id).filter(pk__in=people - {None}))


def _restore(draft: Draft, context: Context, stage: Any, now: Any) -> None:
    row: Deal = draft.row
    goal = context.catalogue.stages.get(row.stage_id if stage is None else stage)
    if goal is None and stage is not None:
        raise Invalid(fields=[missing("stage")])
    if goal is None:
        raise Conflict("The deal's stage is gone; name a stage_id to restore it to.", code="restore_conflict")
    # The kind of its stage may have changed since.
    if errors := rules.travel(row, goal, {}, now=now) or rules.fit_errors(row):
        raise Conflict(errors[0].template, errors[0].params, code="restore_conflict")
    row.deleted_at = None
