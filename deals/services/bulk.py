"""Lists of mixed writes of deals, and the upsert, which is a list of upserts only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from contacts.models import Contact
from contacts.querysets import fold_email
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import change_set
from crm_project.errors import Conflict, DomainError
from crm_project.records import bulk
from crm_project.records.bulk import NO_DELETIONS, Deletions, Found, Operation
from crm_project.records.locks import for_update, hold_keys
from crm_project.records.writing.columns import Change
from crm_project.records.writing.receipts import HasKey, Receipt, has
from crm_project.versions import Versions
from deals.models import Deal, DealReference
from deals.services.context import Context, hold, look_up
from deals.services.trash import trash_deals
from deals.services.write import write_deals

# The keys of an upsert, each with whether a change has it.
MATCH: dict[str, HasKey] = {
    "uuid": has("uuid"),
    "external_reference": has("external_references"),
    "contact_and_pipeline": has("contact", "contact_email"),
}
MATCH_KEYS = tuple(MATCH)
OPEN = Deal.Statuses.OPEN
# A contact, or the e-mail of a new one, in a pipeline.
Pair = tuple[int | str, int]


def carry_out_deals(
    *, actor: Actor, operations: Sequence[Operation], require_name: bool = False
) -> list[Receipt[Deal]]:
    """Carry out all operations or none: RowsRefused has an error for each refused one.

    `require_name` refuses new deals without a name.
    """
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        return bulk.carry_out(operations, _DealWork(actor, require_name))


def upsert_deals(*, actor: Actor, changes: Sequence[Change]) -> list[Receipt[Deal]]:
    """Update the deal with the key of each change, or create one. The key is `match_on`, else the first of MATCH."""
    return carry_out_deals(actor=actor, operations=[Operation("upsert", change=change) for change in changes])


def upsert_deal(*, actor: Actor, change: Change, match_on: Sequence[str]) -> Receipt[Deal]:
    """Like `upsert_deals`, with several keys: the first key with a match is used; without a match a deal is created."""
    actor.require(Permission.EDIT_DEALS)
    work, operations = _DealWork(actor), {0: Operation("upsert", change=change)}
    with change_set(actor):
        for key in match_on:
            found: Any = work.find(operations, {0: key})[0]
            if isinstance(found, DomainError):
                raise found
            if found.row is not None:
                break
        receipt = work.write([(found.row, change)], adding=[0])[0]
        receipt.matched_on = key if found.row is not None else None
        return receipt


@dataclass
class _DealWork:
    actor: Actor
    require_name: bool = False
    match_keys: Mapping[str, HasKey] = field(default_factory=lambda: MATCH)
    # The contacts of `contact_email` in the changes, after the look-up.
    people: dict[str, Contact] = field(default_factory=dict)

    @cached_property
    def visible(self) -> Any:
        return Deal.objects.visible_to(self.actor.member)

    def find(
        self, operations: Mapping[int, Operation], keys: Mapping[int, str]
    ) -> dict[int, Found | DomainError]:
        changes = [operation.change for operation in operations.values()]
        hold(self.actor, changes)
        sorted_out = bulk.sort_out(operations, keys)
        rows = bulk.by_uuid(self.visible, sorted_out["uuid"].values())
        return (
            {index: Found() for index in sorted_out["new"]}
            | {index: bulk.found_by_uuid(rows, one) for index, one in sorted_out["uuid"].items()}
            | bulk.found_by_reference(
                self.actor, self.visible, DealReference, sorted_out["external_reference"]
            )
            | self._find_by_contact(sorted_out["contact_and_pipeline"])
        )

    def lock(self, ids: Collection[int], changes: Sequence[Change]) -> None:
        """Lock the deals, after the rows that the changes refer to."""
        self._look_up(changes)
        list(for_update(self.visible.filter(pk__in=ids)).values_list("pk"))

    def write(
        self,
        targets: Sequence[tuple[Deal | None, Change]],
        *,
        adding: Collection[int],
        deletions: Deletions = NO_DELETIONS,
    ) -> list[Receipt[Deal]]:
        return write_deals(
            self.actor,
            targets,
            add_references=adding,
            require_name=self.require_name,
            people=self.people,
            deletions=deletions,
        )

    def trash(self, rows: Sequence[Deal], *, if_match: Mapping[int, Versions]) -> list[Deal]:
        return trash_deals(actor=self.actor, rows=rows, if_match=if_match)

    def _look_up(self, changes: Sequence[Change]) -> Context:
        context = look_up(self.actor, changes, self.people)
        self.people = context.people
        return context

    def _find_by_contact(self, operations: Mapping[int, Operation]) -> dict[int, Found | DomainError]:
        """The open deal of each contact and pipeline. No constraint makes it unique: the contacts' keys are locked."""
        if not operations:
            return {}
        context = self._look_up([operation.change for operation in operations.values()])
        pairs = {index: _pair(operation.change, context) for index, operation in operations.items()}
        sought = {pair for pair in pairs.values() if pair}
        # A new contact has no deals, and the key of its e-mail address is locked.
        sought = {pair for pair in sought if isinstance(pair[0], int)}
        hold_keys(("deal_of_contact", self.actor.organization_id, contact) for contact, _ in sought)
        open_deals, closed = self._open(sought), self._closed(operations, pairs, context)
        found: dict[int, Found | DomainError] = {}
        for index, pair in pairs.items():
            candidates = open_deals.get(pair, []) if pair else []
            if len(candidates) > 1:
                found[index] = _ambiguous(candidates)
            elif candidates:
                found[index] = Found(candidates[0])
            else:
                # A change without a contact or a pipeline is refused when the deal is written.
                found[index] = Found(closed.get(index), pair)
        return found

    def _open(self, pairs: Collection[Pair]) -> dict[Pair, list[Deal]]:
        found: dict[Pair, list[Deal]] = {}
        for deal in _among(self.visible.open(), pairs).order_by("id"):
            pair = (deal.contact_id, deal.stage.pipeline_id)
            if pair in pairs:
                found.setdefault(pair, []).append(deal)
        return found

    def _closed(
        self, operations: Mapping[int, Operation], pairs: Mapping[int, Pair | None], context: Context
    ) -> dict[int, Deal]:
        """The latest deal with the status of a change that closes, so that a repeated request finds the closed deal."""
        statuses = {index: _status(operation.change, context) for index, operation in operations.items()}
        closing = {
            index for index, status in statuses.items() if status != OPEN and _is_of_contact(pairs[index])
        }
        if not closing:
            return {}
        latest = Window(
            RowNumber(),
            partition_by=[F("contact"), F("stage__pipeline"), F("status")],
            order_by=[F("closed_at").desc(), F("id").desc()],
        )
        among = _among(
            self.visible.filter(status__in={statuses[index] for index in closing}),
            {pair for index in closing if (pair := pairs[index])},
        )
        rows = {
            (deal.contact_id, deal.stage.pipeline_id, deal.status): deal
            for deal in among.annotate(rank=latest).filter(rank=1)
        }
        named = {index: (*(pairs[index] or ()), statuses[index]) for index in closing}
        return {index: rows[name] for index, name in named.items() if name in rows}


def _pair(change: Change, context: Context) -> Pair | None:
    email, named = change.get("contact_email"), change.get("contact")
    contact = (
        context.people.get(fold_email(email))
        if email and isinstance(email, str) and named is None
        else context.contacts.get(named)
    )
    pipeline = context.catalogue.pipeline_of(stage=change.get("stage"), pipeline=change.get("pipeline"))
    return (contact.pk or contact.email, pipeline.pk) if contact and pipeline else None


def _is_of_contact(pair: Pair | None) -> bool:
    return pair is not None and isinstance(pair[0], int)


def _among(deals: Any, pairs: Collection[Pair]) -> Any:
    contacts, pipelines = {contact for contact, _ in pairs}, {pipeline for _, pipeline in pairs}
    return deals.filter(contact__in=contacts, stage__pipeline__in=pipelines).select_related("stage")


def _status(change: Change, context: Context) -> str:
    stage = context.catalogue.stages.get(change.get("stage"))
    return str(change.get("status") or (stage.kind if stage else OPEN))


def _ambiguous(deals: Sequence[Deal]) -> Conflict:
    return Conflict(
        "%(count)s open deals of this contact in this pipeline; name one by its uuid.",
        {"count": len(deals)},
        code="ambiguous_match",
        candidates=[{"uuid": str(deal.uuid), "name": str(deal)} for deal in deals],
    )
