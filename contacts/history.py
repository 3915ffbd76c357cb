"""How the journal tells of contacts, and which of their columns are a person's data."""

from contacts.models import Contact
from contacts.revert import ContactUndoer
from crm_project.journal.hooks import Kind, fields_of, person_by_uuid, register

PERSONAL = frozenset(
    "first_name last_name name email phone mobile job_title department website street postal_code city country"
    " description origin custom_fields external_references".split()
)


def connect() -> None:
    register(
        Kind(
            Contact,
            rows=lambda member: Contact.objects.seen_by(member),
            part=person_by_uuid,
            fields=fields_of(Contact, lists={"external_references": ""}),
            personal=PERSONAL,
            undoer=ContactUndoer(),
            is_inner=lambda row: row.kind == Contact.Kinds.COMPANY,
        )
    )
