"""The contacts and deals that `demo.toml` tells in full, typed in through the services."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from contacts.models import Contact
from contacts.services import create_contacts
from crm_project.setup.demo.clock import stopped_at
from crm_project.setup.demo.scene import Scene
from deals.services import create_deals

AMOUNTS = ("amount", "amount_gross", "bid_value")
MINUTE = datetime.timedelta(minutes=1)


def type_contacts(scene: Scene, at: datetime.datetime) -> dict[str, Contact]:
    """The contacts by their handles; a company comes before its people."""
    contacts: dict[str, Contact] = {}
    for told in scene.data.get("contacts", ()):
        change = {name: value for name, value in told.items() if name not in ("handle", "references")}
        if "company" in told:
            change["company"] = contacts[told["company"]].pk
        if "references" in told:
            change["external_references"] = [tuple(key) for key in told["references"]]
        with stopped_at(at):
            contacts[told["handle"]] = create_contacts(actor=scene.admin, changes=[change])[0]
        at += MINUTE
    return contacts


def type_deals(scene: Scene, contacts: Mapping[str, Contact], at: datetime.datetime) -> None:
    """The deals, a minute apart, each typed by its owner."""
    for told in scene.data.get("deals", ()):
        with stopped_at(at):
            create_deals(actor=scene.actors[told["owner"]], changes=[_change(told, scene, contacts, at)])
        at += MINUTE


def _change(
    told: Mapping[str, Any], scene: Scene, contacts: Mapping[str, Contact], at: datetime.datetime
) -> dict[str, Any]:
    change = dict(told)
    pipeline = scene.pipelines[change.pop("pipeline", next(iter(scene.pipelines)))]
    stage = change.pop("stage", None)
    change["stage"] = next(row.pk for row in pipeline.stages.in_order() if stage in (None, row.name))
    for name in AMOUNTS:
        if name in told:
            change[name] = Decimal(told[name])
    if "expected_close_in" in told:
        change["expected_close_date"] = at.date() + datetime.timedelta(days=change.pop("expected_close_in"))
    if "lost_reason" in told:
        change["lost_reason"] = scene.lost_reasons[told["lost_reason"]].pk
    return change | _named(told, scene, contacts)


def _named(told: Mapping[str, Any], scene: Scene, contacts: Mapping[str, Contact]) -> dict[str, Any]:
    """Handles and e-mail addresses, resolved."""
    found: dict[str, Any] = {name: contacts[told[name]].pk for name in ("contact", "client") if name in told}
    found["members"] = [contacts[handle].pk for handle in told.get("members", ())]
    found["owner"] = scene.actors[told["owner"]].member.pk
    for name in ("followers", "access_list"):
        found[name] = [scene.actors[email].member.pk for email in told.get(name, ())]
    return {name: value for name, value in found.items() if value != []}
