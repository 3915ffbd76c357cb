"""The declarations of the kinds of `accounts` and `records`, whose layers are below the journal."""

from django.db.models import Q

from crm_project.accounts.models import ApiToken, Member, Organization
from crm_project.accounts.rules import Permission
from crm_project.journal.catalogue import CatalogueUndoer
from crm_project.journal.members import MemberUndoer
from crm_project.records import services
from crm_project.records.kinds import Everyone, Kind, Private, register
from crm_project.records.models import (
    CustomField,
    CustomFieldReference,
    MemberReference,
    OrganizationReference,
)
from crm_project.records.writing.reference_data import one_by_one


def connect() -> None:
    register(_organization(), _member(), _token(), _custom_field())


def _organization() -> Kind:
    return Kind(
        Organization,
        visible=Everyone(organization="pk"),
        rank=0,
        named_by="uuid",
        references=OrganizationReference,
        lists={"external_references": ""},
        in_catalogue=True,
    )


def _member() -> Kind:
    return Kind(
        Member,
        visible=Everyone(),
        rank=10,
        named_by="uuid",
        label="full_name",
        related=("user",),
        references=MemberReference,
        lists={"external_references": ""},
        hidden_columns=frozenset({"user_id"}),
        in_catalogue=True,
        undoer=MemberUndoer(),
    )


def _token() -> Kind:
    return Kind(
        ApiToken,
        visible=Private(lambda rows, member: rows.visible_to(member)),
        rank=20,
        named_by="uuid",
        expired=lambda before: Q(expires_at__lt=before) | Q(revoked_at__lt=before),
    )


def _custom_field() -> Kind:
    return Kind(
        CustomField,
        visible=Everyone(),
        rank=30,
        permission=Permission.EDIT_PIPELINES,
        services=one_by_one(
            "custom_field",
            create=services.create_custom_field,
            update=services.update_custom_field,
            trash=services.trash_custom_field,
            restore=services.restore_custom_field,
        ),
        references=CustomFieldReference,
        lists={"external_references": ""},
        constraints={"records_customfield_live_key": "key_taken"},
        is_reference_data=True,
        in_catalogue=True,
        undoer=CatalogueUndoer(CustomField, CustomFieldReference, unique=["kind", "key"]),
    )
