"""The contacts and deals that `demo.toml` describes in full."""

import datetime
from collections.abc import Mapping
from typing import Any

from contacts.models import Contact
from contacts.services import create_contacts
from crm_project.setup.demo.clock import frozen_time
from crm_project.setup.demo.organizations import DemoOrganization, change_of
from deals.services import create_deals

MINUTE = datetime.timedelta(minutes=1)


def create_example_contacts(organization: DemoOrganization) -> dict[str, Contact]:
    """The contacts by their handles; in the file a company precedes its people."""
    contacts: dict[str, Contact] = {}
    for entry in organization.data.get("contacts", ()):
        change = change_of(entry)
        if "company" in entry:
            change["company"] = contacts[entry["company"]].pk
        contacts[entry["handle"]] = create_contacts(actor=organization.admin, changes=[change])[0]
    return contacts


def create_example_deals(
    organization: DemoOrganization, contacts: Mapping[str, Contact], at: datetime.datetime
) -> None:
    """The deals, each created by its owner, a minute apart from `at` on."""
    handles = {handle: contact.pk for handle, contact in contacts.items()}
    members = {email: actor.member.pk for email, actor in organization.actors.items()}
    reasons = {name: reason.pk for name, reason in organization.lost_reasons.items()}
    # The ids of the names in each field.
    ids = {"contact": handles, "client": handles, "members": handles, "owner": members}
    ids |= {"followers": members, "access_list": members, "lost_reason": reasons}
    for number, entry in enumerate(organization.data.get("deals", ())):
        change: dict[str, Any] = {
            name: _ids(ids[name], value) if name in ids else value for name, value in entry.items()
        }
        stages = organization.stages[change.pop("pipeline", next(iter(organization.stages)))]
        change["stage"] = next(stage.pk for stage in stages if entry.get("stage") in (None, stage.name))
        if "expected_close_in" in entry:
            days = datetime.timedelta(days=change.pop("expected_close_in"))
            change["expected_close_date"] = at.date() + days
        with frozen_time(at + number * MINUTE):
            create_deals(actor=organization.actors[entry["owner"]], changes=[change])


def _ids(ids: Mapping[str, int], names: Any) -> Any:
    return ids[names] if isinstance(names, str) else [ids[name] for name in names]
