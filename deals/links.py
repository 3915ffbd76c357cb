"""The small lists of deals in other tables (participants, followers, access list, references), in one statement."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection

from crm_project.records.writing.store import Draft
from deals.models import DealAccess, DealContact, DealFollower, DealReference


@dataclass(frozen=True)
class Links:
    """A list of a deal: the table of its links, column and relation of a link, and the deal's attribute for them."""

    model: Any
    column: str
    relation: str
    attribute: str


LISTS = {
    "members": Links(DealContact, "contact_id", "contact", "contact_links"),
    "followers": Links(DealFollower, "member_id", "member", "follower_links"),
    "access_list": Links(DealAccess, "member_id", "member", "access_links"),
}
NAMES = (*LISTS, "external_references")
REFERENCES = len(LISTS)
# The place of a list in NAMES, the id of the link, the deal, the linked row, the system and the external id.
Link = tuple[int, int, int, int, str, str]


def links_of(ids: Sequence[int]) -> list[Link]:
    """The links and external references of the deals, list by list, oldest first."""
    among = list(ids) if connection.vendor == "postgresql" else json.dumps(list(ids))
    with connection.cursor() as cursor:
        cursor.execute(_links_sql(connection.vendor), [among] * (REFERENCES + 1))
        return sorted(cursor.fetchall())


@cache
def _links_sql(vendor: str) -> str:
    """SQL of one union, built once per process: the ORM would compile it again for each request."""
    among = "= ANY(%s)" if vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"
    quote = connection.ops.quote_name
    parts = [
        f"SELECT {place}, id, deal_id, {quote(links.column)}, '', '' FROM {quote(links.model._meta.db_table)}"
        f" WHERE deal_id {among}"
        for place, links in enumerate(LISTS.values())
    ]
    table = quote(DealReference._meta.db_table)
    references = f"SELECT {REFERENCES}, id, row_id, 0, system, external_id FROM {table} WHERE row_id {among}"
    return " UNION ALL ".join([*parts, references])


def note_lists(drafts: Iterable[Draft]) -> None:
    """Set all lists of the drafts of existing deals."""
    existing = {draft.row.pk: draft for draft in drafts if draft.before}
    if not existing:
        return
    for draft in existing.values():
        draft.lists_before = {name: [] for name in NAMES}
    for place, _, deal_id, key, system, external_id in links_of(list(existing)):
        held = [system, external_id] if place == REFERENCES else key
        existing[deal_id].lists_before[NAMES[place]].append(held)
    for draft in existing.values():
        draft.lists = {name: list(held) for name, held in draft.lists_before.items()}


def written_lists(draft: Draft) -> dict[str, list[Any]] | None:
    """The lists of a stored draft in the order of their ids; None if the row differs from what is read again.

    PostgreSQL stores the keys of custom fields in an order of its own.
    """
    if draft.row.custom_fields != draft.before.get("custom_fields", {}):
        return None
    lists = {}
    for name in NAMES:
        before, after = draft.lists_before.get(name, []), draft.lists.get(name, [])
        lists[name] = [key for key in before if key in after] + [key for key in after if key not in before]
    return lists


def links_as_written(deal: Any) -> list[Link]:
    """What `links_of` answers for a deal that was just written, but for the ids of the links."""
    return [
        (place, number, deal.pk, 0, *key) if place == REFERENCES else (place, number, deal.pk, key, "", "")
        for place, name in enumerate(NAMES)
        for number, key in enumerate(deal.lists[name])
    ]
