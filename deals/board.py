"""The board of a pipeline: for each of its stages the sums of its deals, and the first of them as cards.

Three queries, whatever the number of stages: the stages with the ids of their first cards, the cards, the sums.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery, TextField

from crm_project.records.paging import Cursor, Key, KeysetPage, order_of, page_of
from deals.querysets import DealQuerySet
from pipelines.models import Pipeline, Stage
from pipelines.querysets import StageQuerySet

# The latest to enter a stage is the first in its column, so that a card stays where it was dropped.
DEFAULT_ORDERING = "-stage_entered_at"
ORDERINGS: Mapping[str, Key] = {
    "stage_entered_at": Key("stage_entered_at"),
    "created_at": Key("created_at"),
    "expected_close_date": Key("expected_close_date", nullable=True),
    "amount": Key("amount", nullable=True),
    "name": Key("name", text=True),
}
# What a card shows beside the columns of its deal, and the long columns that it does not show.
CARD_RELATED = ("contact__company", "client", "owner__user")
CARD_DEFERRED = (
    "description",
    "search_text",
    "custom_fields",
    "contact__search_text",
    "contact__company__search_text",
    "client__search_text",
)


class _Ids(Subquery):
    """The ids of a subquery in its order, as one value: an array, or JSON on SQLite."""

    output_field = TextField()
    template = "ARRAY(%(subquery)s)"

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        template = "(SELECT json_group_array(id) FROM (%(subquery)s))"
        return self.as_sql(compiler, connection, template=template)


@dataclass(frozen=True)
class Column:
    """A stage. `totals` has count, amount and weighted_amount of its deals for each currency."""

    stage: Stage
    totals: Sequence[Mapping[str, Any]]
    page: KeysetPage

    @property
    def count(self) -> int:
        return sum(total["count"] for total in self.totals)


def columns_of(
    pipeline: Pipeline, deals: DealQuerySet, *, size: int, key: Key, ordering: str = DEFAULT_ORDERING
) -> list[Column]:
    """The columns of all live stages, each with the first `size` of `deals`, which are visible and filtered."""
    stages = _with_card_ids(Stage.objects.filter(pipeline=pipeline.pk).in_order(), deals, size, key, ordering)
    ids = {stage.pk: _read(stage.card_ids) for stage in stages}
    page_ids = [pk for found in ids.values() for pk in found[:size]]
    # All conditions again: a deal may have become private since its id was read.
    rows, name = key.annotated(for_cards(deals.filter(pk__in=page_ids)))
    cards, totals = {card.pk: card for card in rows.order_by()}, totals_of(stages, deals)
    return [
        Column(
            stage, totals.get(stage.pk, []), _first_page(stage, ids[stage.pk], cards, name, size, ordering)
        )
        for stage in stages
    ]


def totals_of(stages: Sequence[Stage], deals: DealQuerySet) -> dict[int, list[dict[str, Any]]]:
    """Count and sums of the deals of each stage that has any, per currency."""
    totals: dict[int, list[dict[str, Any]]] = {}
    for total in deals.filter(stage__in=[stage.pk for stage in stages]).totals("stage"):
        totals.setdefault(total["stage"], []).append(total)
    return totals


def cards_of(
    stage: Stage, deals: DealQuerySet, *, size: int, key: Key, ordering: str, cursor: Cursor
) -> KeysetPage:
    """A later page of a column."""
    page = page_of(for_cards(deals.filter(stage=stage.pk)), key, ordering, cursor, size)
    for row in page.rows:
        row.stage = stage
    return page


def for_cards(deals: DealQuerySet) -> DealQuerySet:
    """With the related rows of cards, without the stage, which the column has."""
    cards: DealQuerySet = deals.select_related(*CARD_RELATED).defer(*CARD_DEFERRED).as_rows()
    return cards


def _with_card_ids(
    stages: StageQuerySet, deals: DealQuerySet, size: int, key: Key, ordering: str
) -> list[Any]:
    """The stages with the ids of one card more than are shown, so that a next page is found without a count."""
    rows, name = key.annotated(deals.filter(stage=OuterRef("pk")))
    order = order_of(name, key.nullable, ordering.startswith("-"))
    return list(stages.annotate(card_ids=_Ids(rows.order_by(*order).values("id")[: size + 1])))


def _read(ids: Any) -> list[int]:
    """None if the filters cannot match anything, so that there is no subquery."""
    found: list[int] = json.loads(ids) if isinstance(ids, str) else ids or []
    return found


def _first_page(
    stage: Stage, ids: Sequence[int], cards: Mapping[int, Any], name: str, size: int, ordering: str
) -> KeysetPage:
    rows = [cards[pk] for pk in ids[:size] if pk in cards]
    for row in rows:
        row.stage = stage
    if not rows or len(ids) <= size:
        return KeysetPage(rows)
    return KeysetPage(rows, next=Cursor(ordering, False, getattr(rows[-1], name), rows[-1].pk))
