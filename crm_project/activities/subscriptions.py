"""Subscriptions of activities to the hooks of inner apps: leavers, merged and redacted contacts, changed time zones."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from contacts.hooks import hooks as contact_hooks
from contacts.models import Contact
from crm_project.accounts import hooks as account_hooks
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member, Organization
from crm_project.activities.kinds import PERSONAL
from crm_project.activities.models import Activity, ActivityReference
from crm_project.activities.next_steps import refresh_next_steps
from crm_project.activities.querysets import personal_to
from crm_project.activities.services import writer
from crm_project.changes import change_set
from crm_project.journal.hooks import hooks as journal_hooks
from crm_project.journal.redaction import ERASED, erased, redact_events
from crm_project.records import references
from crm_project.records.bulk_sql import update_rows
from crm_project.records.locks import for_update
from crm_project.records.writing import store
from crm_project.records.writing.store import Draft

PORTION = 1000


def connect() -> None:
    account_hooks.hand_over.append(hand_over)
    account_hooks.count_owned["open activity"] = lambda member: owned_by(member).open().count()
    account_hooks.time_zone_changed.append(refresh_deadlines)
    contact_hooks.after_merge.append(pass_on)
    journal_hooks.after_redaction.append(redact)


def owned_by(member: Member) -> Any:
    return Activity.objects.live().filter(owner=member).with_live_parent()


def hand_over(actor: Actor, leaver: Member, heir: Member, with_closed: bool) -> int:
    """Hand over the open activities, also those of private deals. What was done stays the leaver's."""
    return _write_all(actor, owned_by(leaver).open(), {"owner": heir.pk})


def pass_on(actor: Actor, sources: Sequence[Contact], target: Contact) -> None:
    """Move the activities of contacts that are merged into another one, also those of private deals."""
    rows = Activity.objects.live().filter(contact__in=[source.pk for source in sources])
    _write_all(actor, rows, {"contact": target.pk})


def _write_all(actor: Actor, rows: Any, change: dict[str, Any]) -> int:
    own = Activity.objects.of(actor.organization_id).live()
    ids = list(rows.order_by("id").values_list("id", flat=True))
    for start in range(0, len(ids), PORTION):
        portion = own.filter(pk__in=ids[start : start + PORTION])
        writer.write(actor, [(row, change) for row in portion], rows=own)
    return len(ids)


def refresh_deadlines(organization_id: int) -> None:
    """The end of a day is another instant in another time zone. Versions and journal stay the same."""
    organization = Organization.objects.get(pk=organization_id)
    last = 0
    on_days = Activity.objects.of(organization_id).filter(due_on__isnull=False)
    while found := list(on_days.filter(pk__gt=last).order_by("id").values_list("pk", "deal")[:PORTION]):
        last = found[-1][0]
        # Deals are locked before activities.
        deals = {deal for _, deal in found} - {None}
        _lock_deals(deals)
        rows = list(for_update(Activity.objects.filter(pk__in=[pk for pk, _ in found])))
        for row in rows:
            row.organization = organization
        store.refresh_derived(rows)
        update_rows(rows, ["deadline"])
        refresh_next_steps(deals)


def _lock_deals(ids: Any) -> None:
    from deals.models import Deal

    list(for_update(Deal.objects.filter(pk__in=ids)).values_list("pk"))


def redact(row: Any) -> None:
    """Erase the texts of a redacted contact's activities, and of the activities without a contact of its deals.

    A change set without an actor: the command's own.
    """
    if not isinstance(row, Contact):
        return
    rows = Activity.objects.of(row.organization_id).filter(personal_to(row.pk))
    with change_set(None) as changes:
        drafts = [Draft.of(activity) for activity in for_update(rows)]
        for draft in drafts:
            draft.row.organization = row.organization
        references.note(ActivityReference, drafts)
        for draft in drafts:
            _erase(draft)
        touched = store.update(drafts, now=timezone.now())
        references.write(ActivityReference, row.organization_id, touched)
        for draft in drafts:
            redact_events(
                kind=Activity.row_kind,
                row_id=draft.row.pk,
                organization_id=row.organization_id,
                fields=PERSONAL,
            )
        for draft in touched:
            recorded = {name: (erased(old), new) for name, (old, new) in draft.changed.items()}
            changes.record(draft.row, "redacted", recorded)


def _erase(draft: Draft) -> None:
    activity = draft.row
    activity.subject, activity.text, activity.result = ERASED, "", ""
    draft.lists["external_references"] = []
