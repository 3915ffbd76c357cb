"""Deals for reading, as plain rows: what is in other tables is read once for all deals of a page."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.models import Member
from crm_project.prepared import prepared_by_ids
from crm_project.records.catalogue_cache import CatalogueCache
from crm_project.records.days import end_of_today
from crm_project.records.rows import Rows, by_id, plain_row, plain_rows
from deals import prepared
from deals.links import LISTS, REFERENCES, Link, links_as_written, links_of
from deals.models import Deal, DealReference, LostReason
from deals.rules import next_step
from pipelines.catalogue import cached_stages

if TYPE_CHECKING:
    from deals.querysets import DealQuerySet

cached_lost_reasons: CatalogueCache[Mapping[int, LostReason]] = CatalogueCache(
    lambda organization_id: by_id(LostReason.objects.of(organization_id))
)

COLUMNS = [field.attname for field in Deal._meta.concrete_fields]
COLUMNS_OF_LINES = (
    *("id", "uuid", "organization_id", "version", "created_at", "deleted_at", "name", "number", "is_private"),
    *("amount", "currency", "status", "stage_id", "stage_entered_at", "expected_close_date", "closed_at"),
    *("contact_id", "client_id", "owner_id", "lost_reason_id", "probability", "forecast_category"),
    *("paused_until", "pause_reason", "next_activity", "next_due_at"),
)
CONTACTS_OF_LINES = (
    *("id", "uuid", "organization_id", "kind", "full_name", "company_id", "email", "phone", "mobile"),
    "deleted_at",
)
KINDS_OF_LINKS = tuple(LISTS.values())
LINKS_TO_MEMBERS = {place for place, links in enumerate(KINDS_OF_LINKS) if links.relation == "member"}
LINKS_TO_CONTACTS = {place for place, links in enumerate(KINDS_OF_LINKS) if links.relation == "contact"}


def for_reading(deals: "DealQuerySet", member: Member) -> "DealQuerySet":
    """With all related rows of a response, in a fixed number of queries. `next_deal` is None if hidden."""
    rows: DealQuerySet = deals.as_rows(partial(complete, member))
    return rows


def for_lines(deals: "DealQuerySet") -> "DealQuerySet":
    """The columns of a line in the admin. Others are read when they are used."""
    rows: DealQuerySet = deals.select_related(None).only(*COLUMNS_OF_LINES).as_rows()
    return rows


def for_listing(deals: "DealQuerySet", member: Member) -> "DealQuerySet":
    """Lines with stage, owner, client, contact and its company."""
    rows: DealQuerySet = for_lines(deals).as_rows(partial(_complete_for_listing, member))
    return rows


def set_stages_and_people(member: Member, deals: list[Any]) -> dict[int, Any]:
    """Set stage, client and contact; returns the contacts by id."""
    _set_reference_data(deals, member)
    return _set_people(deals, (), _contacts_of_lines)


def _complete_for_listing(member: Member, deals: list[Any]) -> None:
    people = set_stages_and_people(member, deals)
    owners = by_id(_members({deal.owner_id for deal in deals} - {None}))
    for deal in deals:
        deal.owner = owners.get(deal.owner_id)
    companies = people | by_id(
        _contacts_of_lines({row.company_id for row in people.values()} - {None} - people.keys())
    )
    for row in people.values():
        row.company = companies.get(row.company_id)


def read_again(deal_id: int, member: Member) -> Any:
    """A deal as it is stored now, visible or not, with all related rows."""
    return _completed(prepared.stored(deal_id), member)


def after_write(deal: Deal, member: Member) -> Any:
    """The deal as a write has left it, or as it is stored if that has to be read."""
    return written(deal, member) or read_again(deal.pk, member)


def read_visible(uuid: UUID, member: Member) -> Any:
    """The live deal with all related rows; None if the member may not see it."""
    found = prepared.visible(uuid, member)
    if found is None:
        return for_reading(Deal.objects.visible_to(member).filter(uuid=uuid), member).first()
    return _completed(found, member)


def _completed(deals: list[Any], member: Member) -> Any:
    complete(member, deals)
    return deals[0] if deals else None


def complete(member: Member, deals: list[Any]) -> None:
    """Set everything that is not in the deal's own row."""
    if deals:
        _complete(member, deals, links_of([deal.id for deal in deals]))


def written(deal: Deal, member: Member) -> Any:
    """The deal as a write has left it, with all related rows, as `read_again` has it; None if it has to be read."""
    if deal.lists is None:
        return None
    row = plain_row(Deal, **{name: deal.__dict__[name] for name in COLUMNS})
    row.contact, row.client = deal.contact, deal.client
    _complete(member, [row], links_as_written(deal))
    return row


def _complete(member: Member, deals: list[Any], links: Sequence[Link]) -> None:
    _set_reference_data(deals, member)
    keys = {deal.owner_id for deal in deals} | {deal.created_by_id for deal in deals}
    keys |= {key for place, _, _, key, _, _ in links if place in LINKS_TO_MEMBERS}
    # The reader was read with the token.
    members = {member.pk: member} if Member.user.is_cached(member) else {}
    members |= by_id(_members(keys - {None} - members.keys()))
    for deal in deals:
        deal.owner, deal.created_by = members.get(deal.owner_id), members.get(deal.created_by_id)
    people = _set_people(deals, links)
    _set_lists(deals, links, {"member": members, "contact": people})
    _set_next(deals, member)
    _set_next_steps(deals, member)


def _set_reference_data(deals: Iterable[Any], member: Member) -> None:
    stages = cached_stages.of(member.organization)
    reasons = None
    for deal in deals:
        # What is not cached yet is read when it is used.
        if deal.stage_id in stages:
            deal.stage = stages[deal.stage_id]
        if deal.lost_reason_id is None:
            deal.lost_reason = None
            continue
        reasons = cached_lost_reasons.of(member.organization) if reasons is None else reasons
        if deal.lost_reason_id in reasons:
            deal.lost_reason = reasons[deal.lost_reason_id]


_members = prepared_by_ids(lambda ids: Member.objects.filter(pk__in=ids).select_related("user"), plain_rows)
_contacts = prepared_by_ids(lambda ids: Contact.objects.filter(pk__in=ids), plain_rows)
_contacts_of_lines = prepared_by_ids(
    lambda ids: Contact.objects.filter(pk__in=ids).only(*CONTACTS_OF_LINES), plain_rows
)


def _set_people(deals: Iterable[Any], links: Sequence[Link], read: Any = _contacts) -> dict[int, Any]:
    """Set contact and client of the deals that were read without them; returns all contacts of the deals by id.

    They are not joined: a list has a contact often, and Django compiles a joined table anew for each request.
    """
    bare = [deal for deal in deals if "contact" not in deal.__dict__]
    keys = {key for place, _, _, key, _, _ in links if place in LINKS_TO_CONTACTS}
    keys |= {key for deal in bare for key in (deal.contact_id, deal.client_id)}
    people = by_id(read(keys - {None}))
    for deal in bare:
        deal.contact, deal.client = people.get(deal.contact_id), people.get(deal.client_id)
    return people


def _set_lists(deals: Iterable[Any], links: Sequence[Link], targets: Mapping[str, Mapping[int, Any]]) -> None:
    of_deal = {deal.id: deal for deal in deals}
    for deal in of_deal.values():
        deal.references = Rows()
        for each in KINDS_OF_LINKS:
            setattr(deal, each.attribute, Rows())
    for place, row_id, deal_id, key, system, external_id in links:
        if place == REFERENCES:
            row = plain_row(DealReference, id=row_id, row_id=deal_id, system=system, external_id=external_id)
            of_deal[deal_id].references.append(row)
            continue
        each = KINDS_OF_LINKS[place]
        columns = {"id": row_id, "deal_id": deal_id, each.column: key}
        columns[each.relation] = targets[each.relation][key]
        getattr(of_deal[deal_id], each.attribute).append(plain_row(each.model, **columns))


def _set_next_steps(deals: Iterable[Any], member: Member) -> None:
    now = timezone.now()
    today = end_of_today(now, member.organization.time_zone)
    for deal in deals:
        deal.next_step = None if deal.next_activity is None else next_step(deal, now, today)


def _set_next(deals: Iterable[Any], member: Member) -> None:
    ids = {deal.next_deal_id for deal in deals} - {None}
    following = {}
    if ids:
        visible = Deal.objects.visible_to(member).filter(pk__in=ids).select_related("contact", "client")
        following = by_id(visible.as_rows())
    for deal in deals:
        deal.next_deal = following.get(deal.next_deal_id)
