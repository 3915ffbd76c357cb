"""The declaration of exchange rates."""

import datetime
from collections.abc import Sequence

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import ChangeSet
from crm_project.journal.catalogue import CatalogueUndoer
from crm_project.rates import services
from crm_project.rates.hooks import hooks
from crm_project.rates.models import ExchangeRate, ExchangeRateReference
from crm_project.records.kinds import Everyone, Kind, register
from crm_project.records.writing.reference_data import one_by_one
from crm_project.records.writing.store import Draft


class RateUndoer(CatalogueUndoer):
    """What follows from rates is computed again for the days before and after the undo."""

    def write(self, changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> list[Draft]:
        touched = super().write(changes, actor, drafts)
        days: set[tuple[str, datetime.date]] = set()
        for draft in touched:
            days |= {(draft.row.currency, draft.row.date), (draft.before["currency"], draft.before["date"])}
        for currency, day in sorted(days):
            hooks.after_change(actor.organization_id, currency, day)
        return touched


def connect() -> None:
    register(
        Kind(
            ExchangeRate,
            visible=Everyone(),
            rank=36,
            permission=Permission.EDIT_PIPELINES,
            services=one_by_one(
                "exchange_rate",
                create=services.create_exchange_rate,
                update=services.update_exchange_rate,
                trash=services.trash_exchange_rate,
                restore=services.restore_exchange_rate,
            ),
            label="currency",
            references=ExchangeRateReference,
            lists={"external_references": ""},
            constraints={"rates_exchangerate_live_day": "date_taken"},
            is_reference_data=True,
            undoer=RateUndoer(ExchangeRate, ExchangeRateReference, unique=["base", "currency", "date"]),
        )
    )
