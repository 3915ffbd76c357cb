"""The kinds of row of the inner apps, which know nothing of the journal."""

from crm_project.accounts.models import ApiToken, Member, Organization
from crm_project.journal.catalogue import CatalogueUndoer
from crm_project.journal.hooks import Kind, fields_of, named_by_id, named_by_uuid, person_by_uuid, register
from crm_project.journal.members import MemberUndoer
from crm_project.records.models import CustomField, CustomFieldReference

REFERENCES = {"external_references": ""}


def connect() -> None:
    register(
        Kind(
            Organization,
            rows=lambda member: Organization.objects.filter(pk=member.organization_id),
            part=named_by_uuid,
            fields=fields_of(Organization, lists=REFERENCES),
        )
    )
    register(
        Kind(
            Member,
            rows=lambda member: Member.objects.visible_to(member).select_related("user"),
            part=person_by_uuid,
            fields=fields_of(Member, lists=REFERENCES, omit=frozenset({"user_id"})),
            undoer=MemberUndoer(),
        )
    )
    register(
        Kind(
            ApiToken,
            rows=lambda member: ApiToken.objects.visible_to(member),
            part=named_by_uuid,
            fields=fields_of(ApiToken),
            private=True,
        )
    )
    register(
        Kind(
            CustomField,
            rows=lambda member: CustomField.objects.seen_by(member),
            part=named_by_id,
            fields=fields_of(CustomField, lists=REFERENCES),
            catalogue=True,
            undoer=CatalogueUndoer(CustomField, CustomFieldReference, unique=["kind", "key"]),
        )
    )
