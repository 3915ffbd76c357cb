"""The contacts and deals that `demo.toml` describes in full."""

import datetime
from collections.abc import Mapping
from typing import Any

from contacts.models import Contact
from contacts.services import create_contacts
from crm_project.setup.demo.clock import frozen_time
from crm_project.setup.demo.organizations import DemoOrganization, references_of
from deals.services import create_deals

MINUTE = datetime.timedelta(minutes=1)


def create_example_contacts(organization: DemoOrganization) -> dict[str, Contact]:
    """The contacts by their handles; in the file a company precedes its people."""
    contacts: dict[str, Contact] = {}
    for entry in organization.data.get("contacts", ()):
        change = {name: value for name, value in entry.items() if name not in ("handle", "references")}
        change["external_references"] = references_of(entry)
        if "company" in entry:
            change["company"] = contacts[entry["company"]].pk
        contacts[entry["handle"]] = create_contacts(actor=organization.admin, changes=[change])[0]
    return contacts


def create_example_deals(
    organization: DemoOrganization, contacts: Mapping[str, Contact], at: datetime.datetime
) -> None:
    """The deals, each created by its owner, a minute apart from `at` on."""
    for number, entry in enumerate(organization.data.get("deals", ())):
        with frozen_time(at + number * MINUTE):
            change = _change(entry, organization, contacts, at.date())
            create_deals(actor=organization.actors[entry["owner"]], changes=[change])


def _change(
    entry: Mapping[str, Any],
    organization: DemoOrganization,
    contacts: Mapping[str, Contact],
    today: datetime.date,
) -> dict[str, Any]:
    """The entry as a service takes it: handles, e-mail addresses and names replaced by ids."""
    change = dict(entry)
    stages = organization.stages[change.pop("pipeline", next(iter(organization.stages)))]
    change["stage"] = next(stage.pk for stage in stages if entry.get("stage") in (None, stage.name))
    if "expected_close_in" in entry:
        change["expected_close_date"] = today + datetime.timedelta(days=change.pop("expected_close_in"))
    if "lost_reason" in entry:
        change["lost_reason"] = organization.lost_reasons[entry["lost_reason"]].pk
    for name in {"contact", "client"} & entry.keys():
        change[name] = contacts[entry[name]].pk
    if "members" in entry:
        change["members"] = [contacts[handle].pk for handle in entry["members"]]
    change["owner"] = organization.actors[entry["owner"]].member.pk
    for name in {"followers", "access_list"} & entry.keys():
        change[name] = [organization.actors[email].member.pk for email in entry[name]]
    return change
