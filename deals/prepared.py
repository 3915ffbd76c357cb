"""The queries of a single deal, compiled once in a process."""

from collections.abc import Collection
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from contacts.models import Contact
from crm_project.accounts.models import Member
from crm_project.changes import is_checking
from crm_project.prepared import Prepared, instances
from crm_project.records.kinds import Visibility, kind_of
from crm_project.records.locks import for_update
from crm_project.records.rows import plain_rows
from deals.models import Deal

# An `IN` of more values is compiled for each request.
MOST_IDS = 10


def stored(deal_id: int) -> list[Any]:
    """The deal of the id, visible or not, as a plain row with contact and client."""
    return _stored.rows(deal_id)


_stored = Prepared(
    lambda deal_id: Deal.objects.filter(pk=deal_id).select_related("contact", "client"), plain_rows
)


def visible(uuid: UUID, member: Member) -> list[Any] | None:
    """The live deal as a plain row with contact and client; None if it has to be read in another way."""
    rule = _rule_by_role()
    if rule is None:
        return None
    return _visible(rule, member.role).rows(uuid, member.organization_id, member.pk)


def locked(key: int | UUID, member: Member) -> list[Any] | None:
    """The live deal of an id or uuid, locked; None if it has to be read in another way."""
    rule = _rule_by_role()
    if rule is None:
        return None
    name = "uuid" if isinstance(key, UUID) else "pk"
    query = _locked(rule, member.role, name, is_checking())
    return query.rows(key, member.organization_id, member.pk)


def contacts(ids: Collection[int]) -> dict[int | None, Contact]:
    """The contacts of the ids, live or not."""
    if len(ids) > MOST_IDS:
        return {**Contact.objects.in_bulk(ids)}
    return {row.pk: row for row in _contacts(len(ids)).rows(*ids)} if ids else {}


def _rule_by_role() -> Visibility | None:
    """The rule of visibility, if it is one that may be compiled for each role: a member has nothing else in it."""
    kind = kind_of(Deal)
    return kind.visible if kind is not None and getattr(kind.visible, "by_role", False) else None


@cache
def _visible(rule: Visibility, role: str) -> Prepared:
    return _of_role(rule, role, "uuid", lambda deals: deals.select_related("contact", "client"), plain_rows)


@cache
def _locked(rule: Visibility, role: str, name: str, checking: bool) -> Prepared:
    """`checking` decides whether the query that is compiled has a lock."""
    return _of_role(rule, role, name, for_update, instances)


def _of_role(rule: Visibility, role: str, name: str, finish: Any, builder: Any) -> Prepared:
    def deals(key: Any, organization_id: int, member_id: int) -> Any:
        member = Member(pk=member_id, organization_id=organization_id, role=role)
        return finish(rule.narrow(Deal.objects.live(), member).filter(**{name: key}))

    return Prepared(deals, builder)


@lru_cache
def _contacts(count: int) -> Prepared:
    return Prepared(lambda *ids: Contact.objects.filter(pk__in=ids))
