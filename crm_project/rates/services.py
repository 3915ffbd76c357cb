"""Writes of exchange rates, one row at a time or a whole file."""

import datetime
from collections.abc import Sequence

from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.errors import Conflict, FieldError, Invalid
from crm_project.rates.hooks import hooks
from crm_project.rates.models import ExchangeRate, ExchangeRateReference
from crm_project.rates.reading import Read
from crm_project.rates.rules import rate_errors
from crm_project.records.days import day_at
from crm_project.records.locks import for_update
from crm_project.records.writing import store
from crm_project.records.writing.columns import Change
from crm_project.records.writing.reference_data import (
    catalogue_writing,
    locked,
    restore_named,
    save_named,
    trash_rows,
)
from crm_project.records.writing.store import Draft
from crm_project.versions import Versions

TAKEN = FieldError("date", "date_taken", "There is a rate of this currency and day already.")


def create_exchange_rate(*, actor: Actor, change: Change) -> ExchangeRate:
    row = ExchangeRate(organization_id=actor.organization_id, base=actor.organization.currency)
    return _save(actor, row, change)


def update_exchange_rate(*, actor: Actor, exchange_rate: ExchangeRate, change: Change) -> ExchangeRate:
    before = ExchangeRate.objects.filter(pk=exchange_rate.pk).first()
    saved = _save(actor, exchange_rate, change)
    if before is not None and (before.currency, before.date) != (saved.currency, saved.date):
        hooks.after_change(actor.organization_id, before.currency, before.date)
    return saved


def trash_exchange_rate(
    *, actor: Actor, exchange_rate: ExchangeRate, if_match: Versions | None = None
) -> None:
    """Move a rate to the trash: the one before it counts for its days."""
    with catalogue_writing(actor) as changes:
        row = locked(ExchangeRate, actor, exchange_rate.pk, if_match)
        trash_rows(changes, ExchangeRateReference, [row])
        hooks.after_change(actor.organization_id, row.currency, row.date)


def restore_exchange_rate(
    *, actor: Actor, exchange_rate: ExchangeRate, if_match: Versions | None = None
) -> ExchangeRate:
    with catalogue_writing(actor):
        restored: ExchangeRate = restore_named(
            actor=actor,
            row=exchange_rate,
            reference_model=ExchangeRateReference,
            check=lambda row: _check(actor, row),
            if_match=if_match,
        )
        hooks.after_change(actor.organization_id, restored.currency, restored.date)
        return restored


def set_exchange_rates(*, actor: Actor, rates: Sequence[Read]) -> dict[str, int]:
    """Create or correct the rates of a file, all or none; returns how many were created, updated and unchanged."""
    base, today = actor.organization.currency, _today(actor)
    with catalogue_writing(actor) as changes:
        known = for_update(ExchangeRate.objects.of(actor.organization_id).live().filter(base=base))
        days = {read.date for read in rates}
        drafts = {(row.currency, row.date): Draft.of(row) for row in known.filter(date__in=days)}
        for read in rates:
            key = (read.currency, read.date)
            if key not in drafts:
                row = ExchangeRate(organization_id=actor.organization_id, base=base)
                row.currency, row.date = key
                drafts[key] = Draft(row)
            drafts[key].row.rate = read.rate
        touched = [drafts[read.currency, read.date] for read in rates]
        errors = [
            FieldError(f"rates.{index}.{wrong.field}", wrong.code, wrong.template, wrong.params)
            for index, draft in enumerate(touched)
            for wrong in rate_errors(draft.row, today)
        ]
        if errors:
            raise Invalid(fields=errors)
        new = [draft for draft in drafts.values() if not draft.before]
        now = timezone.now()
        changed = store.update([draft for draft in drafts.values() if draft.before], now=now)
        store.insert(new, now=now)
        store.record(changes, changed, "updated")
        store.record(changes, new, "created")
        _announce(actor, [draft.row for draft in (*new, *changed)])
    return {"created": len(new), "updated": len(changed), "unchanged": len(rates) - len(new) - len(changed)}


def _announce(actor: Actor, rows: Sequence[ExchangeRate]) -> None:
    """One call for each currency, with the first day of its changed rates."""
    first: dict[str, datetime.date] = {}
    for row in rows:
        first[row.currency] = min(row.date, first.get(row.currency, row.date))
    for currency, since in first.items():
        hooks.after_change(actor.organization_id, currency, since)


def _save(actor: Actor, row: ExchangeRate, change: Change) -> ExchangeRate:
    if isinstance(change.get("currency"), str):
        change = {**change, "currency": change["currency"].upper()}
    with catalogue_writing(actor):
        saved: ExchangeRate = save_named(
            actor=actor,
            row=row,
            change=change,
            columns=("currency", "date", "rate"),
            reference_model=ExchangeRateReference,
            check=lambda changed: _check(actor, changed),
        )
        hooks.after_change(actor.organization_id, saved.currency, saved.date)
        return saved


def _check(actor: Actor, row: ExchangeRate) -> list[FieldError]:
    if errors := rate_errors(row, _today(actor)):
        return errors
    others = ExchangeRate.objects.of(row.organization_id).live().exclude(pk=row.pk)
    if others.filter(base=row.base, currency=row.currency, date=row.date).exists():
        raise Conflict(TAKEN.template, TAKEN.params, code=TAKEN.code, fields=[TAKEN])
    return []


def _today(actor: Actor) -> datetime.date:
    return day_at(timezone.now(), actor.organization.time_zone)
