"""The kind of contacts, and their columns with personal data."""

from collections.abc import Mapping
from typing import Any

from contacts import services
from contacts.models import Contact, ContactAddress, ContactReference
from contacts.revert import ContactUndoer, refuse_used
from crm_project.accounts.rules import Permission
from crm_project.records.kinds import Everyone, Kind, Services, register

PERSONAL = frozenset(
    "first_name last_name name email phone mobile job_title department website street postal_code city country"
    " description origin custom_fields external_references further_emails further_phones".split()
)


def _was_merged(changes: Mapping[str, Any]) -> bool:
    return "merged_into_id" in changes and changes["merged_into_id"][1] is not None


def connect() -> None:
    register(
        Kind(
            Contact,
            visible=Everyone(),
            rank=40,
            permission=Permission.EDIT_DEALS,
            services=Services(
                create=services.create_contacts,
                update=services.update_contacts,
                trash=services.trash_contacts,
                restore=services.restore_contacts,
                carry_out=services.carry_out_contacts,
            ),
            named_by="uuid",
            label="full_name",
            references=ContactReference,
            lists={"external_references": "", "further_emails": "", "further_phones": ""},
            parts=(ContactAddress,),
            match_keys=services.MATCH,
            constraints={
                "contacts_contact_live_email": "email_taken",
                "contacts_contactaddress_live_email": "email_taken",
            },
            undoer=ContactUndoer(),
            moves_hidden=lambda changes: "merged_into_id" in changes,
            check_moved=refuse_used,
            event_types={"merged": _was_merged},
            is_inner=lambda row: row.kind == Contact.Kinds.COMPANY,
            personal=PERSONAL,
        )
    )
