"""The declaration of contacts, and which of their columns hold personal data."""

from contacts import services
from contacts.models import Contact
from contacts.revert import ContactUndoer
from crm_project.records.kinds import Everyone, Kind, Services, fields_of, register

PERSONAL = frozenset(
    "first_name last_name name email phone mobile job_title department website street postal_code city country"
    " description origin custom_fields external_references".split()
)


def connect() -> None:
    register(
        Kind(
            Contact,
            visible=Everyone(),
            services=Services(
                create=services.create_contacts,
                update=services.update_contacts,
                trash=services.trash_contacts,
                restore=services.restore_contacts,
                carry_out=services.carry_out_contacts,
            ),
            named_by="uuid",
            label="full_name",
            fields=fields_of(Contact, lists={"external_references": ""}),
            personal=PERSONAL,
            undoer=ContactUndoer(),
            is_inner=lambda row: row.kind == Contact.Kinds.COMPANY,
        )
    )
