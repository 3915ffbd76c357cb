"""Deals for reading, as plain rows: what is in other tables is read once for all deals of a page."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.models import Member
from crm_project.prepared import Prepared
from crm_project.records.catalogue_cache import CatalogueCache
from crm_project.records.days import end_of_today
from crm_project.records.kinds import Visibility, kind_of
from crm_project.records.rows import Rows, by_id, plain_row, plain_rows
from deals.models import Deal, DealAccess, DealContact, DealFollower, DealReference, LostReason
from deals.rules import next_step
from pipelines.catalogue import cached_stages

if TYPE_CHECKING:
    from deals.querysets import DealQuerySet

cached_lost_reasons: CatalogueCache[Mapping[int, LostReason]] = CatalogueCache(
    lambda organization_id: by_id(LostReason.objects.of(organization_id))
)
# The small lists of a deal: the attribute, the table of its links, and the column and relation of a link.
LINKS: Sequence[tuple[str, Any, str, str]] = (
    ("contact_links", DealContact, "contact_id", "contact"),
    ("follower_links", DealFollower, "member_id", "member"),
    ("access_links", DealAccess, "member_id", "member"),
)
REFERENCES = len(LINKS)


def for_reading(deals: "DealQuerySet", member: Member) -> "DealQuerySet":
    """With all related rows of a response, in a fixed number of queries. `next_deal` is None if hidden."""
    joined: DealQuerySet = deals.select_related("contact", "client").as_rows(partial(complete, member))
    return joined


def read_again(deal_id: int, member: Member) -> Any:
    """A deal as it is stored now, visible or not, with all related rows."""
    return _completed(_stored_deal.rows(deal_id), member)


def read_visible(uuid: UUID, member: Member) -> Any:
    """The live deal with all related rows; None if the member may not see it."""
    kind = kind_of(Deal)
    if kind is None or not getattr(kind.visible, "by_role", False):
        return for_reading(Deal.objects.visible_to(member).filter(uuid=uuid), member).first()
    query = _visible_deal(kind.visible, member.role)
    return _completed(query.rows(uuid, member.organization_id, member.pk), member)


def _completed(deals: list[Any], member: Member) -> Any:
    complete(member, deals)
    return deals[0] if deals else None


_stored_deal = Prepared(
    lambda deal_id: Deal.objects.filter(pk=deal_id).select_related("contact", "client"), plain_rows
)


@cache
def _visible_deal(visible: Visibility, role: str) -> Prepared:
    """Of a rule whose conditions depend on the member's role and id alone: it is compiled once for each role."""

    def deals(uuid: UUID, organization_id: int, member_id: int) -> Any:
        member = Member(pk=member_id, organization_id=organization_id, role=role)
        live = visible.narrow(Deal.objects.live(), member)
        return live.filter(uuid=uuid).select_related("contact", "client")

    return Prepared(deals, plain_rows)


def complete(member: Member, deals: list[Any]) -> None:
    """Set everything that is not in the deal's own row."""
    if not deals:
        return
    links = _links([deal.id for deal in deals])
    _set_reference_data(deals, member)
    keys = {deal.owner_id for deal in deals} | {deal.created_by_id for deal in deals}
    keys |= {key for place, _, _, key, _, _ in links if LINKS_TO_MEMBERS[place]}
    members = _members(keys - {None})
    for deal in deals:
        deal.owner, deal.created_by = members.get(deal.owner_id), members.get(deal.created_by_id)
    _set_lists(deals, links, members)
    _set_next(deals, member)
    _set_next_steps(deals, member)


LINKS_TO_MEMBERS = (*(relation == "member" for *_, relation in LINKS), False)


def _links(ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """The links and external references of the deals, oldest first: place of the list, id, deal, key, two texts."""
    with connection.cursor() as cursor:
        cursor.execute(_links_sql(connection.vendor), _as_parameters(ids) * (REFERENCES + 1))
        return sorted(cursor.fetchall())


@cache
def _links_sql(vendor: str) -> str:
    """One query, made once: Django would compile a union of four querysets at each request."""
    among = "= ANY(%s)" if vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"
    quote = connection.ops.quote_name
    parts = [
        f"SELECT {place}, id, deal_id, {quote(column)}, '', '' FROM {quote(model._meta.db_table)} WHERE deal_id {among}"
        for place, (_, model, column, _) in enumerate(LINKS)
    ]
    table = quote(DealReference._meta.db_table)
    references = f"SELECT {REFERENCES}, id, row_id, 0, system, external_id FROM {table} WHERE row_id {among}"
    return " UNION ALL ".join([*parts, references])


def _as_parameters(ids: Sequence[int]) -> list[Any]:
    return [list(ids)] if connection.vendor == "postgresql" else [json.dumps(list(ids))]


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


def _members(ids: Collection[int]) -> dict[int, Any]:
    return by_id(_members_query(len(ids)).rows(*ids)) if ids else {}


@lru_cache
def _members_query(count: int) -> Prepared:
    return Prepared(lambda *ids: Member.objects.filter(pk__in=ids).select_related("user"), plain_rows)


def _set_lists(deals: Iterable[Any], links: Sequence[tuple[Any, ...]], members: Mapping[int, Any]) -> None:
    of_deal = {deal.id: deal for deal in deals}
    for deal in of_deal.values():
        deal.references = Rows()
        for name, *_ in LINKS:
            setattr(deal, name, Rows())
    people = {key for place, _, _, key, _, _ in links if place < REFERENCES and not LINKS_TO_MEMBERS[place]}
    targets = {
        "member": members,
        "contact": by_id(Contact.objects.filter(pk__in=people).as_rows()) if people else {},
    }
    for place, row_id, deal_id, key, system, external_id in links:
        if place == REFERENCES:
            row = plain_row(DealReference, id=row_id, row_id=deal_id, system=system, external_id=external_id)
            of_deal[deal_id].references.append(row)
            continue
        name, model, column, relation = LINKS[place]
        columns = {"id": row_id, "deal_id": deal_id, column: key, relation: targets[relation][key]}
        getattr(of_deal[deal_id], name).append(plain_row(model, **columns))


def _set_next_steps(deals: Iterable[Any], member: Member) -> None:
    now = timezone.now()
    today = end_of_today(now, member.organization.time_zone)
    for deal in deals:
        deal.next_step = None if deal.next_activity is None else next_step(deal, now, today)


def _set_next(deals: Iterable[Any], member: Member) -> None:
    ids = {deal.next_deal_id for deal in deals} - {None}
    visible = Deal.objects.visible_to(member).filter(pk__in=ids).select_related("contact", "client")
    following = by_id(visible.as_rows()) if ids else {}
    for deal in deals:
        deal.next_deal = following.get(deal.next_deal_id)
