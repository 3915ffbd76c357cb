"""The write of deals: look up related rows, lock, apply changes and rules to each row, store set-wise."""

import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils import timezone

from contacts.models import Contact
from contacts.querysets import fold_email
from contacts.services.people import create_people
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission, Role
from crm_project.changes import ChangeSet, before_storing, change_set
from crm_project.errors import DomainError, FieldError, Forbidden, Invalid, NotFound, refuse
from crm_project.records import references
from crm_project.records.bulk import NO_DELETIONS, Deletions
from crm_project.records.bulk_sql import insert_rows
from crm_project.records.days import day_at
from crm_project.records.instances import fast_instance
from crm_project.records.rules import column_errors
from crm_project.records.writing import store
from crm_project.records.writing.columns import (
    Change,
    inactive,
    lock_by_key,
    missing,
    set_columns,
    set_custom_fields,
    without,
)
from crm_project.records.writing.receipts import Receipt
from crm_project.records.writing.store import Draft
from crm_project.versions import refusal
from deals import money, prepared, rules
from deals.links import LISTS, note_lists, written_lists
from deals.models import Deal, DealReference
from deals.querysets import DealQuerySet
from deals.services.base_amounts import set_base_amounts
from deals.services.context import (
    Context,
    hidden_next_deals,
    last_open_stages,
    look_up,
    names_person,
    new_person,
    person_errors,
    person_key_of,
)
from deals.services.notify import notify_access_list
from deals.services.past import past_states, set_past
from deals.services.states import note_state, write_states
from pipelines.models import Stage

Target = tuple[Deal | None, Change]

COLUMNS = (
    "name description is_private expected_close_date date date_from date_to number invoice_no url origin"
    " department_id project_id task_id"
).split()
RULED_COLUMNS = "status probability forecast_category tax_rate bid_type bid_periods pause_reason".split()
NAMELESS = FieldError("name", "required", "A new deal needs a name.")
SINGLE = {"contact": "contacts", "client": "contacts", "owner": "members", "lost_reason": "lost_reasons"}


def write_deals(
    actor: Actor,
    targets: Sequence[Target],
    *,
    add_references: Collection[int] = (),
    rows: DealQuerySet | None = None,
    require_name: bool = False,
    people: Mapping[str, Contact] | None = None,
    deletions: Deletions = NO_DELETIONS,
) -> list[Receipt[Deal]]:
    """Apply each change to its deal, or to a new one.

    `add_references` has the indices of changes whose references are added instead of replacing the deal's. `rows` are
    the deals that may be written, instead of those visible to the actor. `require_name` refuses a new deal without a
    name. `people` are the contacts by e-mail address that the caller has looked up in the same transaction. `deletions`
    are those of the same list.
    """
    actor.require(Permission.EDIT_DEALS)
    changes = [change for _, change in targets]
    with change_set(actor) as change:
        context = look_up(actor, changes, people)
        context.next_deals = without(context.next_deals, deletions.ids)
        drafts = lock_drafts(actor, context, [deal for deal, _ in targets], rows)
        now = timezone.now()
        states = {draft.row.pk: note_state(draft) for draft in drafts if draft.before}
        context.hidden_next = hidden_next_deals(
            actor, [draft.row for draft, sent in zip(drafts, changes, strict=True) if "next_deal" in sent]
        )
        last_open = last_open_stages(
            [draft.row for draft, sent in zip(drafts, changes, strict=True) if _reopens(draft, sent)], context
        )
        errors: dict[int, DomainError] = {}
        for index, (draft, sent) in enumerate(zip(drafts, changes, strict=True)):
            adds = index in add_references
            if error := _apply(actor, draft, sent, context, last_open, now, adds, require_name):
                errors[index] = error
        good = [index for index in range(len(drafts)) if index not in errors]
        clashing = references.clashes(
            DealReference, actor.organization_id, [drafts[index] for index in good], without=deletions.ids
        )
        errors |= {good[place]: error for place, error in clashing.items()}
        refuse(errors, rows=len(drafts))
        before_storing()
        deletions.carry_out()
        _create_people(actor, drafts)
        _store(change, actor, drafts, states, now, context)
        _notify(actor, drafts, changes)
        for draft in drafts:
            draft.row.lists = written_lists(draft)
        return [Receipt.of(draft) for draft in drafts]


def lock_drafts(
    actor: Actor, context: Context, deals: Sequence[Deal | None], rows: DealQuerySet | None = None
) -> list[Draft]:
    """Drafts of the deals, locked in id order, each with its stage, contact and client; of a new deal for None.

    An instance without an id is found by its uuid.
    """
    keys = [None if deal is None else deal.pk or deal.uuid for deal in deals]
    locked = _lock(actor, keys) if rows is None else lock_by_key(rows, keys)
    gone = {index: NotFound() for index, key in enumerate(keys) if key and key not in locked}
    refuse(gone, rows=len(deals))
    _load_related(list({row.pk: row for row in locked.values()}.values()), context)
    drafts = [Draft.of(locked[key]) if key else Draft(_new(actor)) for key in keys]
    note_lists(drafts)
    return drafts


def _lock(actor: Actor, keys: Sequence[Any]) -> dict[Any, Deal]:
    if len(keys) == 1 and keys[0] is not None:
        found = prepared.locked(keys[0], actor.member)
        if found is not None:
            return {key: row for row in found for key in (row.pk, row.uuid)}
    return lock_by_key(Deal.objects.visible_to(actor.member), keys) if any(keys) else {}


def _load_related(deals: Collection[Deal], context: Context) -> None:
    people = prepared.contacts({key for deal in deals for key in (deal.contact_id, deal.client_id) if key})
    context.contacts_of_deals = list(people.values())
    for deal in deals:
        deal.contact, deal.client = people.get(deal.contact_id), people.get(deal.client_id)
        # A stage that is not in the catalogue is in the trash, like the deal itself.
        if deal.stage_id in context.catalogue.stages:
            deal.stage = context.catalogue.stages[deal.stage_id]


def _new(actor: Actor) -> Deal:
    deal = fast_instance(Deal, organization_id=actor.organization_id, currency=actor.organization.currency)
    deal.created_by = actor.member
    return deal


def _apply(
    actor: Actor,
    draft: Draft,
    change: Change,
    context: Context,
    last_open: Mapping[int, Stage],
    now: datetime.datetime,
    add_references: bool,
    require_name: bool,
) -> DomainError | None:
    """Apply the change to the draft; returns one refusal with all field errors, or None."""
    if stale := refusal(draft.row, change.get("if_match")):
        return stale
    was_private = bool(draft.before.get("is_private"))
    ruled = {name: change[name] for name in RULED_COLUMNS if name in change}
    texts = {name: ruled.get(name) or "" for name in ("tax_rate", "pause_reason")}
    errors = column_errors(Deal, {**ruled, **texts})
    errors += rules.probability_errors(change) if not errors else []
    steps: list[Callable[[], list[FieldError]]] = [
        lambda: set_columns(draft.row, change, COLUMNS),
        lambda: [NAMELESS] if require_name and not draft.before and not draft.row.name else [],
        lambda: _set_named(draft, change, context),
        lambda: money.price(draft.row, change),
        lambda: _travel(draft, change, context, last_open, now),
        lambda: rules.set_pause(draft.row, change, today=day_at(now, actor.organization.time_zone)),
        lambda: set_past(actor, draft, change, context, now),
        lambda: _owner_errors(draft, change),
        lambda: set_custom_fields(draft.row, change, context.definitions, creating=not draft.before),
        lambda: _set_lists(actor, draft, change, context),
        lambda: _notice_errors(draft, change),
        lambda: references.set_on(draft, change, add=add_references),
    ]
    for step in steps if not errors else steps[:3]:
        errors += step()
    if errors:
        return Invalid(fields=errors)
    return (
        None
        if may_set_privacy(actor, draft, was_private)
        else Forbidden("Only its owner, its creator, its access list and admins set a deal's privacy.")
    )


def _set_named(draft: Draft, change: Change, context: Context) -> list[FieldError]:
    """Set the foreign keys of the deal; returns the errors."""
    row, errors = draft.row, person_errors(change)
    for name, source in SINGLE.items():
        if name not in change or name == "lost_reason":
            continue
        target = getattr(context, source).get(change[name]) if change[name] is not None else None
        if change[name] is not None and target is None:
            errors.append(missing(name))
        setattr(row, name, target)
    if "next_deal" in change:
        errors += _set_next(row, change["next_deal"], context)
    if change.get("contact_email") and change.get("contact") is None and not errors:
        contact = context.people.get(fold_email(change["contact_email"]))
        if contact is None:
            errors.append(FieldError("contact_first_name", "required", "A new contact needs a first name."))
        row.contact = contact
    elif not errors:
        errors += _set_person(row, change, context)
    return errors


def _set_person(row: Deal, change: Change, context: Context) -> list[FieldError]:
    """Set the contact of a change without an e-mail address, unless the deal has one: an existing or a new person."""
    if row.contact is not None:
        return _contact_conflicts(row.contact, change, context)
    if not names_person(change):
        return []
    name, phone = person_key_of(change, context.country)
    if not name:
        return [FieldError("contact_first_name", "required", "A new contact needs a name.")]
    row.contact = context.named_people[name, phone] if phone else new_person(row.organization_id, change)
    return []


def _contact_conflicts(contact: Contact, change: Change, context: Context) -> list[FieldError]:
    """The further addresses of all contacts of the list are read where the first ones of one differ."""
    errors = rules.contact_conflicts(contact, change, country=context.country)
    if not any(error.field in ("contact_email", "contact_phone") for error in errors):
        return errors
    prefetch_related_objects([*context.contacts.values(), *context.contacts_of_deals], "addresses")
    return rules.contact_conflicts(
        contact,
        change,
        country=context.country,
        further_emails=contact.further_emails,
        further_phones=contact.further_phones,
    )


def _set_next(row: Deal, key: Any, context: Context) -> list[FieldError]:
    """Null leaves a next deal that the actor may not see, who is shown null for it."""
    if key is None and row.next_deal_id in context.hidden_next:
        return []
    row.next_deal = context.next_deals.get(key) if key is not None else None
    if key is not None and row.next_deal is None:
        return [missing("next_deal")]
    if row.pk is not None and row.next_deal_id == row.pk:
        return [FieldError("next_deal", "invalid", "A deal does not follow itself.")]
    return []


def _travel(
    draft: Draft,
    change: Change,
    context: Context,
    last_open: Mapping[int, Stage],
    now: datetime.datetime,
) -> list[FieldError]:
    """Move the deal to the stage of the change; returns the errors."""
    row, catalogue = draft.row, context.catalogue
    stage, pipeline = (
        catalogue.stages.get(change.get("stage")),
        catalogue.pipelines.get(change.get("pipeline")),
    )
    errors = [
        missing(name)
        for name, found in (("stage", stage), ("pipeline", pipeline))
        if change.get(name) is not None and found is None
    ]
    reason = context.lost_reasons.get(change.get("lost_reason"))
    # A deal keeps a lost reason that was trashed later.
    if reason is not None and reason.deleted_at and reason.pk != row.lost_reason_id:
        reason = None
    if change.get("lost_reason") is not None and reason is None:
        errors.append(missing("lost_reason"))
    if errors:
        return errors
    if pipeline is None and (stage is not None or not draft.before):
        pipeline = stage.pipeline if stage else catalogue.default
    own = pipeline.pk if pipeline else row.stage.pipeline_id if draft.before else None
    goal, errors = rules.destination(
        row if draft.before else None,
        stage=stage,
        pipeline=pipeline,
        stages=catalogue.stages_of[own] if own else (),
        change=change,
        last_open=last_open.get(row.pk) if draft.before else None,
    )
    if goal is None:
        return errors
    resolved = {**change, "lost_reason": reason} if "lost_reason" in change else change
    in_force = row.effective_probability if draft.before else None
    errors = rules.travel(row, goal, resolved, now=now)
    draft.ignored = rules.ignored_fields(row, change, in_force=in_force)
    return errors


def _reopens(draft: Draft, change: Change) -> bool:
    return bool(draft.before) and rules.may_reopen(draft.row, change)


def _owner_errors(draft: Draft, change: Change) -> list[FieldError]:
    """A deactivated member may own closed deals, and the open ones that the member has already."""
    row = draft.row
    is_new = change.get("owner") is not None and row.owner_id != draft.before.get("owner_id")
    wrong = is_new and row.owner is not None and row.status == Deal.Statuses.OPEN and not row.owner.has_access
    return [inactive("owner")] if wrong else []


def _set_lists(actor: Actor, draft: Draft, change: Change, context: Context) -> list[FieldError]:
    errors: list[FieldError] = []
    for name in LISTS:
        if not change.keys() & {name, f"add_{name}", f"remove_{name}"}:
            continue
        known = context.contacts if name == "members" else context.members
        before = draft.lists.get(name, [])
        if name in change:
            draft.lists[name] = _ids(name, change[name], known, errors, before)
        added = _ids(f"add_{name}", change.get(f"add_{name}"), known, errors, before)
        removed = _ids(f"remove_{name}", change.get(f"remove_{name}"), known, errors)
        remaining = [key for key in draft.lists.get(name, []) if key not in removed]
        draft.lists[name] = list(dict.fromkeys([*remaining, *added]))
        if sorted(draft.lists[name]) == sorted(before):
            draft.lists[name] = before
        elif name == "access_list":
            _stay_on_list(actor, draft, before)
    return errors


def _notice_errors(draft: Draft, change: Change) -> list[FieldError]:
    wrong = change.get("notify_access_list") and not draft.lists.get("access_list")
    return (
        [FieldError("notify_access_list", "invalid", "Nobody is in the deal's access list.")] if wrong else []
    )


def _stay_on_list(actor: Actor, draft: Draft, before: list[int]) -> None:
    """Add the actor to the access list if the actor would lose access by the change."""
    listed, own = draft.lists["access_list"], actor.member.pk
    if own not in listed and (own in before or (not draft.before and listed)):
        listed.append(own)


def _ids(
    field: str, keys: Any, known: Any, errors: list[FieldError], before: Collection[int] | None = None
) -> list[int]:
    """The ids of the rows. Deactivated members are refused unless they are in `before`; None allows them."""
    found = []
    for index, key in enumerate(keys or ()):
        row = known.get(key)
        if row is None:
            errors.append(missing(f"{field}.{index}"))
        elif before is not None and isinstance(row, Member) and not row.has_access and row.pk not in before:
            errors.append(inactive(f"{field}.{index}"))
        else:
            found.append(row.pk)
    return list(dict.fromkeys(found))


def may_set_privacy(actor: Actor, draft: Draft, was_private: bool) -> bool:
    row, listed = draft.row, draft.lists_before.get("access_list", [])
    unchanged = row.is_private == was_private and draft.lists.get("access_list", []) == listed
    own = actor.member.pk
    insider = own in (draft.before.get("owner_id"), draft.before.get("created_by_id"), *listed)
    return not draft.before or unchanged or insider or actor.member.role == Role.ADMIN


def _create_people(actor: Actor, drafts: Sequence[Draft]) -> None:
    """Create the new contacts of the changes, after all deals were accepted."""
    new = {id(draft.row.contact): draft.row.contact for draft in drafts if _has_new_contact(draft)}
    created = create_people(actor=actor, people=list(new.values()))
    stored = dict(zip(new, created, strict=True))
    for draft in drafts:
        if _has_new_contact(draft):
            draft.row.contact = stored[id(draft.row.contact)]


def _has_new_contact(draft: Draft) -> bool:
    row = draft.row
    return row.contact_id is None and row.contact is not None


def _store(
    changes: ChangeSet,
    actor: Actor,
    drafts: Sequence[Draft],
    states: dict[int, dict[str, Any]],
    now: datetime.datetime,
    context: Context,
) -> None:
    set_base_amounts(actor.organization, drafts)
    new = [draft for draft in drafts if not draft.before]
    store.insert(new, now=now)
    touched = store.update([draft for draft in drafts if draft.before], now=now)
    written = [*new, *touched]
    write_lists(actor.organization_id, written)
    references.write(DealReference, actor.organization_id, written)
    past = [state for draft in new for state in past_states(draft, _entry_stage(draft.row, context))]
    insert_rows(past)
    write_states([draft.row for draft in written if draft.created_at is None], states, now=now)
    store.record(changes, new, "created")
    store.record(changes, touched, "updated")


def _entry_stage(row: Deal, context: Context) -> Stage | None:
    """The first open stage of the deal's pipeline."""
    stages = context.catalogue.stages_of[row.stage.pipeline_id]
    return next((stage for stage in stages if stage.kind == Stage.Kinds.OPEN), None)


def write_lists(organization_id: int, drafts: Sequence[Draft]) -> None:
    for name, links in LISTS.items():
        model, column = links.model, links.column
        new: list[Any] = []
        gone: set[tuple[int, int]] = set()
        for draft in drafts:
            before, after = draft.lists_before.get(name, []), draft.lists.get(name, [])
            new += [
                model(organization_id=organization_id, deal_id=draft.row.pk, **{column: key})
                for key in after
                if key not in before
            ]
            gone |= {(draft.row.pk, key) for key in before if key not in after}
        if gone:
            held = model.objects.filter(deal__in={deal_id for deal_id, _ in gone})
            stored = held.values_list("pk", "deal_id", column)
            model.objects.filter(pk__in=[pk for pk, *link in stored if tuple(link) in gone]).delete()
        if new:
            model.objects.bulk_create(new)


def _notify(actor: Actor, drafts: Sequence[Draft], changes: Sequence[Change]) -> None:
    newly_listed = [
        draft.row.pk
        for draft, change in zip(drafts, changes, strict=True)
        if change.get("notify_access_list")
    ]
    if newly_listed:
        notify_access_list(actor, newly_listed)
