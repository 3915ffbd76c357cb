"""The writes of deals that all dialects share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from crm_project.dialects.kit.money import exact_amounts
from crm_project.dialects.kit.views import DialectView
from crm_project.records.writing.receipts import Receipt
from deals.models import Deal
from deals.services import create_deals, update_deals
from pipelines.models import Stage

Change = dict[str, Any]
IGNORE = {"closed_probability": "ignore"}


class DealWritesView(DialectView):
    """Base of the views that write deals: exact amounts, and the probability of a closed deal ignored and reported."""

    # "always", or "if_needed": only out of a closing stage that cannot have the status.
    status_moves: ClassVar[str] = "always"

    def create_deal(self, change: Mapping[str, Any]) -> Deal:
        deal = create_deals(actor=self.actor, changes=[self.prepared(change, None)])[0]
        in_force = (None, deal.effective_probability)
        if deal.status != Deal.Statuses.OPEN and change.get("probability") not in in_force:
            self._report(["probability"])
        return deal

    def update_deal(self, deal: Deal, change: Mapping[str, Any]) -> Receipt[Deal]:
        return self.update_deals([(deal, change)])[0]

    def update_deals(self, changes: Sequence[tuple[Deal, Mapping[str, Any]]]) -> list[Receipt[Deal]]:
        prepared = [(deal, self.prepared(change, deal)) for deal, change in changes]
        receipts = update_deals(actor=self.actor, changes=prepared)
        for receipt in receipts:
            self.report(receipt)
        return receipts

    def prepared(self, change: Mapping[str, Any], deal: Deal | None) -> Change:
        """The core's change with the options of the dialects."""
        currency = change.get("currency") or (deal.currency if deal else self.actor.organization.currency)
        return {**exact_amounts(change, currency), **IGNORE, "status_moves": self.status_moves}

    def report(self, receipt: Receipt[Deal]) -> None:
        self._report(receipt.ignored)

    def _report(self, ignored: Iterable[str]) -> None:
        """Report the fields that the body has; a vendor's default value is none of the client's."""
        names = [self.wire_names.get(name, name) for name in ignored]
        self.ignore(name for name in names if name in self.sent_names)

    def without_conflict(self, change: Mapping[str, Any], deal: Deal | None) -> Change:
        """The change without a closing stage that cannot have the status beside it, for vendors that keep both apart.

        The stage's pipeline stays, and the status finds its stage there.
        """
        status, key = change.get("status"), change.get("stage")
        if not status or not key or (deal is not None and status == deal.status):
            return dict(change)
        stage = Stage.objects.visible_to(self.actor.member).get(pk=key)
        is_won, is_of_won = status == Deal.Statuses.WON, stage.kind == Stage.Kinds.WON
        if stage.kind == Stage.Kinds.OPEN or (status != Deal.Statuses.OPEN and is_won == is_of_won):
            return dict(change)
        if change.get("pipeline") not in (None, stage.pipeline_id):
            return dict(change)
        self.ignore([self.wire_names["stage"]])
        rest = {name: value for name, value in change.items() if name != "stage"}
        return {**rest, "pipeline": stage.pipeline_id}
