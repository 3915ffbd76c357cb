"""Two contacts that are one: one of them takes over all that the other has."""

from typing import Any

from django.db.models import Exists, OuterRef, Q

from contacts.models import Contact
from contacts.services import COLUMNS, trash_contacts, update_contacts
from contacts.services.write import hold
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import change_set
from crm_project.errors import FieldError, Invalid, NotFound
from crm_project.records.locks import for_update
from crm_project.records.writing.columns import Change
from deals.models import Deal, DealContact
from deals.services.write import write_deals
from pipelines.catalogue import held_catalogue

PORTION = 1000
# Whoever is renamed is somebody else; a name is taken over only by who has none at all.
NAMES = frozenset({"first_name", "last_name", "name"})


def merge_contacts(*, actor: Actor, source: Contact, target: Contact) -> Contact:
    """Give the target the source's deals, people and references, and what it lacks; the source goes to the trash.

    Every live deal moves, also those that the actor does not see: nobody's deal may lose its contact.
    """
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        source, target, people = _held(actor, source, target)
        gained = _gained(source, target)
        _pass_on_deals(actor, source, target)
        update_contacts(actor=actor, changes=[(person, {"company": target.pk}) for person in people])
        # Before the target takes over the address and the references, of which there is only one alive.
        trash_contacts(actor=actor, rows=[source])
        return update_contacts(actor=actor, changes=[(target, gained)])[0].row


def _held(actor: Actor, source: Contact, target: Contact) -> tuple[Contact, Contact, list[Contact]]:
    """Both as they are now, and the source's people; nobody else writes them, or links them to a deal, meanwhile."""
    visible = Contact.objects.visible_to(actor.member)
    held_catalogue(actor.organization_id)
    hold(actor, [_gained(row, Contact()) for row in visible.filter(pk=source.pk)])
    ids = (source.pk, target.pk)
    rows = {row.pk: row for row in for_update(visible.filter(Q(pk__in=ids) | Q(company=source.pk)))}
    if not rows.keys() >= set(ids):
        raise NotFound
    if wrong := _misfit(rows[source.pk], rows[target.pk]):
        raise Invalid(wrong, fields=[FieldError("target", "invalid", wrong)])
    return rows[source.pk], rows[target.pk], [row for pk, row in rows.items() if pk not in ids]


def _misfit(source: Contact, target: Contact) -> str:
    if source.pk == target.pk:
        return "This is the same contact."
    return "" if source.kind == target.kind else "A person and a company cannot be one."


def _gained(source: Contact, target: Contact) -> Change:
    """What the source has and the target lacks."""
    named = any(getattr(target, name) for name in NAMES)
    wanted = [name for name in COLUMNS if name != "kind" and not (named and name in NAMES)]
    gained: dict[str, Any] = {
        name: getattr(source, name) for name in wanted if getattr(source, name) and not getattr(target, name)
    }
    if target.company_id is None and source.company_id is not None:
        gained["company"] = source.company_id
    # A deactivated member keeps contacts, and gets no new ones.
    if target.owner_id is None and source.owner is not None and source.owner.has_access:
        gained["owner"] = source.owner_id
    own = target.custom_fields
    gained["custom_fields"] = {key: value for key, value in source.custom_fields.items() if key not in own}
    gained["free_custom_fields"] = True
    keys = [(reference.system, reference.external_id) for reference in _references(target, source)]
    return {**gained, "external_references": keys}


def _references(*contacts: Contact) -> list[Any]:
    return [reference for row in contacts if row.pk for reference in row.references.order_by("id")]


def _pass_on_deals(actor: Actor, source: Contact, target: Contact) -> None:
    """In portions: each is one set-wise write."""
    taking_part = Exists(DealContact.objects.filter(deal=OuterRef("pk"), contact=source.pk))
    live = Deal.objects.of(actor.organization_id).live()
    named = live.filter(Q(contact=source.pk) | Q(client=source.pk) | taking_part)
    ids = list(named.order_by("id").values_list("pk", flat=True))
    for start in range(0, len(ids), PORTION):
        deals = live.filter(pk__in=ids[start : start + PORTION]).prefetch_related("contact_links")
        changes = [(deal, _renamed(deal, source.pk, target.pk)) for deal in deals]
        write_deals(actor, changes, rows=live)


def _renamed(deal: Deal, source: int, target: int) -> Change:
    """The deal's change: wherever it names the source, it names the target."""
    change: dict[str, Any] = {
        name: target for name in ("contact", "client") if getattr(deal, f"{name}_id") == source
    }
    members = [link.contact_id for link in deal.contact_links.all()]
    if source in members:
        change["members"] = list(dict.fromkeys(target if pk == source else pk for pk in members))
    return change
