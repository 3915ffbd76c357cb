"""Subscriptions of deals to the hooks of inner apps: counting the uses of contacts and stages, moving deals."""

import datetime
from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q, prefetch_related_objects
from django.utils import timezone

from contacts.hooks import hooks as contact_hooks
from contacts.models import Contact
from crm_project.accounts import hooks as account_hooks
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.errors import Uses
from crm_project.rates.hooks import hooks as rate_hooks
from crm_project.records.bulk_sql import update_rows
from crm_project.records.locks import for_update
from deals import services
from deals.models import Deal, DealContact
from deals.querysets import DealQuerySet
from deals.services.states import write_states
from deals.tasks import recompute_base_amounts
from pipelines.catalogue import held_catalogue
from pipelines.hooks import hooks as pipeline_hooks
from pipelines.models import Stage

PORTION = 1000


def connect() -> None:
    contact_hooks.count_uses = deals_with
    contact_hooks.after_rename = refresh_search
    contact_hooks.before_merge.append(lambda actor: held_catalogue(actor.organization_id))
    contact_hooks.after_merge.append(services.pass_on_deals)
    pipeline_hooks.count_uses = deals_in
    rate_hooks.after_change = after_rates
    for changed in (account_hooks.currency_changed, account_hooks.time_zone_changed):
        changed.append(lambda organization_id: after_rates(organization_id, "", None))
    pipeline_hooks.move_all = move_all
    pipeline_hooks.after_probability = reweigh
    account_hooks.hand_over.append(hand_over)
    account_hooks.count_owned["open deal"] = lambda member: owned_by(member).open().count()
    account_hooks.count_owned["closed deal"] = lambda member: owned_by(member).exclude(status="open").count()


def owned_by(member: Member) -> DealQuerySet:
    return Deal.objects.live().filter(owner=member)


def deals_with(actor: Actor, contact_ids: Sequence[int]) -> Uses:
    taking_part = Exists(DealContact.objects.filter(deal=OuterRef("pk"), contact__in=contact_ids))
    named = Q(contact__in=contact_ids) | Q(client__in=contact_ids)
    return _uses(actor, Deal.objects.live().filter(named | taking_part))


def deals_in(actor: Actor, stage_ids: Sequence[int]) -> Uses:
    return _uses(actor, Deal.objects.live().filter(stage__in=stage_ids))


def _uses(actor: Actor, deals: DealQuerySet) -> Uses:
    count, visible = deals.count(), 0
    if count:
        visible = Deal.objects.visible_to(actor.member).filter(pk__in=deals.order_by().values("pk")).count()
    return Uses(visible, others=count > visible)


def move_all(actor: Actor, stage_ids: Sequence[int], stage: Stage) -> None:
    """Move all live deals: none may be left without a stage."""
    deals = Deal.objects.live().filter(stage__in=stage_ids).order_by("id")
    services.move_deals(actor=actor, deals=list(deals), stage=stage, whole_organization=True)


def reweigh(stage_ids: Sequence[int]) -> None:
    """Begin a new state of the deals of these stages, since a state has the effective probability."""
    standing = Deal.objects.live().open().filter(stage__in=stage_ids, probability=None)
    deals = list(for_update(standing))
    prefetch_related_objects(deals, "stage")
    write_states(deals, {deal.pk: {} for deal in deals}, now=timezone.now())


def after_rates(organization_id: int, currency: str, since: datetime.date | None) -> None:
    recompute_base_amounts.enqueue(organization_id, currency, since.isoformat() if since else None)


def hand_over(actor: Actor, leaver: Member, heir: Member, with_closed: bool) -> int:
    """Hand over live deals, including private ones, PORTION deals at a time."""
    deals = Deal.objects.live().filter(owner=leaver)
    ids = list((deals if with_closed else deals.open()).order_by("id").values_list("id", flat=True))
    for start in range(0, len(ids), PORTION):
        deals = Deal.objects.filter(pk__in=ids[start : start + PORTION])
        services.update_deals(actor=actor, changes=[(deal, {"owner": heir.pk}) for deal in deals])
    return len(ids)


def refresh_search(contact_ids: Sequence[int]) -> None:
    """Update the search text of the deals of renamed contacts and companies. Versions and journal stay the same."""
    people = Contact.objects.filter(company__in=contact_ids)
    named = Q(contact__in=contact_ids) | Q(client__in=contact_ids) | Q(contact__in=people, client=None)
    # No joins: after waiting for a lock, the row is read again, but joined rows are not.
    deals = list(for_update(Deal.objects.filter(named)))
    prefetch_related_objects(deals, "contact", "client")
    for deal in deals:
        deal.refresh_derived()
    update_rows(deals, ["search_text"])
