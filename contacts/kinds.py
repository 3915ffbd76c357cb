"""The kind of contacts, and their columns with personal data."""

from contacts import services
from contacts.models import Contact, ContactReference
from contacts.revert import ContactUndoer
from crm_project.accounts.rules import Permission
from crm_project.records.kinds import Everyone, Kind, Services, register

PERSONAL = frozenset(
    "first_name last_name name email phone mobile job_title department website street postal_code city country"
    " description origin custom_fields external_references".split()
)


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
            lists={"external_references": ""},
            match_keys=services.MATCH,
            constraints={"contacts_contact_live_email": "email_taken"},
            undoer=ContactUndoer(),
            is_inner=lambda row: row.kind == Contact.Kinds.COMPANY,
            personal=PERSONAL,
        )
    )
