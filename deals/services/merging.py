"""The merge of two contacts."""

from typing import Any

from django.db.models import Exists, OuterRef, Q

from contacts.hooks import hooks
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
# Copied only to a contact without any name: a first name of one contact and a last name of the other make no person.
NAMES = frozenset({"first_name", "last_name", "name"})


def merge_contacts(*, actor: Actor, source: Contact, target: Contact) -> Contact:
    """Move deals, people and references of the source to the target, and move the source to the trash.

    Empty fields of the target get the source's values. All live deals move, including those that the actor may not
    see: none may be left without its contact.
    """
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        source, target, people = _held(actor, source, target)
        gained = _gained(source, target)
        _pass_on_deals(actor, source, target)
        for pass_on in hooks.after_merge:
            pass_on(actor, source, target)
        update_contacts(actor=actor, changes=[(person, {"company": target.pk}) for person in people])
        # First, since e-mail address and references are unique among live contacts.
        trash_contacts(actor=actor, rows=[source])
        return update_contacts(actor=actor, changes=[(target, gained)])[0].row


def _held(actor: Actor, source: Contact, target: Contact) -> tuple[Contact, Contact, list[Contact]]:
    """Both contacts and the source's people, locked against writes and against new links to deals."""
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
    """The values of the source for the empty fields of the target."""
    named = any(getattr(target, name) for name in NAMES)
    names = [name for name in COLUMNS if name != "kind" and not (named and name in NAMES)]
    gained: dict[str, Any] = {
        name: getattr(source, name) for name in names if getattr(source, name) and not getattr(target, name)
    }
    if target.company_id is None and source.company_id is not None:
        gained["company"] = source.company_id
    # A deactivated member may own contacts but gets no new ones.
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
    """Write PORTION deals at a time."""
    taking_part = Exists(DealContact.objects.filter(deal=OuterRef("pk"), contact=source.pk))
    live = Deal.objects.of(actor.organization_id).live()
    named = live.filter(Q(contact=source.pk) | Q(client=source.pk) | taking_part)
    ids = list(named.order_by("id").values_list("pk", flat=True))
    for start in range(0, len(ids), PORTION):
        deals = live.filter(pk__in=ids[start : start + PORTION]).prefetch_related("contact_links")
        changes = [(deal, _renamed(deal, source.pk, target.pk)) for deal in deals]
        write_deals(actor, changes, rows=live)


def _renamed(deal: Deal, source: int, target: int) -> Change:
    """The change of the deal: the target in place of the source."""
    change: dict[str, Any] = {
        name: target for name in ("contact", "client") if getattr(deal, f"{name}_id") == source
    }
    members = [link.contact_id for link in deal.contact_links.all()]
    if source in members:
        change["members"] = list(dict.fromkeys(target if pk == source else pk for pk in members))
    return change
