"""The declarations of the kinds of inner apps, which lie below the journal."""

from crm_project.accounts.models import ApiToken, Member, Organization
from crm_project.journal.catalogue import CatalogueUndoer
from crm_project.journal.members import MemberUndoer
from crm_project.records import services
from crm_project.records.kinds import Everyone, Kind, Private, fields_of, register
from crm_project.records.models import CustomField, CustomFieldReference
from crm_project.records.writing.reference_data import one_by_one

REFERENCES = {"external_references": ""}


def connect() -> None:
    register(
        Kind(
            Organization,
            visible=Everyone(organization="pk"),
            named_by="uuid",
            fields=fields_of(Organization, lists=REFERENCES),
        )
    )
    register(
        Kind(
            Member,
            visible=Everyone(),
            named_by="uuid",
            label="full_name",
            related=("user",),
            fields=fields_of(Member, lists=REFERENCES, omit=frozenset({"user_id"})),
            undoer=MemberUndoer(),
        )
    )
    register(
        Kind(
            ApiToken,
            visible=Private(lambda rows, member: rows.visible_to(member)),
            named_by="uuid",
            fields=fields_of(ApiToken),
        )
    )
    register(
        Kind(
            CustomField,
            visible=Everyone(),
            services=one_by_one(
                "custom_field",
                create=services.create_custom_field,
                update=services.update_custom_field,
                trash=services.trash_custom_field,
                restore=services.restore_custom_field,
            ),
            fields=fields_of(CustomField, lists=REFERENCES),
            is_reference_data=True,
            undoer=CatalogueUndoer(CustomField, CustomFieldReference, unique=["kind", "key"]),
        )
    )
