"""Contact: a person or a company; a person may belong to a company."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Trim

from contacts.querysets import ContactQuerySet
from contacts.rules import company_key
from crm_project.accounts.models import Member
from crm_project.emails import ascii_email
from crm_project.records.constraints import organization_key, same_organization
from crm_project.records.expressions import CodePoints
from crm_project.records.fields import RowForeignKey
from crm_project.records.indexes import SearchIndex
from crm_project.records.models import ExternalReference, Row, reference_constraints, reference_indexes
from crm_project.records.phones import normalize_phone, phone_forms
from crm_project.records.text import RELATED, name_forms, own_text, search_text, tidy


class Contact(Row):
    class Kinds(models.TextChoices):
        PERSON = "person"
        COMPANY = "company"

    row_kind: ClassVar[str] = "contact"
    derived: ClassVar[frozenset[str]] = Row.derived | {
        "full_name",
        "phone_normalized",
        "mobile_normalized",
        "name_folded",
    }

    # Numbers are read by the organization's country; a person is found by the company, too.
    derived_from: ClassVar[Sequence[str]] = ("organization", "company")

    kind = models.CharField(max_length=8, choices=Kinds, default=Kinds.PERSON)
    full_name = models.CharField(max_length=511, editable=False)
    first_name = models.CharField(max_length=255, blank=True)
    last_name = models.CharField(max_length=255, blank=True)
    name = models.CharField(max_length=255, blank=True)
    # The beginning of a company's name for comparison; empty for people.
    name_folded = models.CharField(max_length=255, blank=True, editable=False, default="", db_default="")
    email = models.EmailField(max_length=254, blank=True)
    phone = models.CharField(max_length=255, blank=True)
    mobile = models.CharField(max_length=255, blank=True)
    # For comparison: E.164, or the digits alone if the number is not valid in the organization's country.
    phone_normalized = models.CharField(max_length=255, blank=True, editable=False, default="", db_default="")
    mobile_normalized = models.CharField(
        max_length=255, blank=True, editable=False, default="", db_default=""
    )
    job_title = models.CharField(max_length=255, blank=True)
    department = models.CharField(max_length=255, blank=True)
    company = RowForeignKey("self", null=True, blank=True, related_name="people")
    owner = RowForeignKey(Member, null=True, blank=True)
    website = models.CharField(max_length=2000, blank=True)
    street = models.CharField(max_length=255, blank=True)
    postal_code = models.CharField(max_length=255, blank=True)
    city = models.CharField(max_length=255, blank=True)
    country = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    origin = models.CharField(max_length=255, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    search_text = models.TextField(blank=True, editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            organization_key("contacts_contact"),
            *same_organization("contacts_contact", "company", "owner"),
            models.UniqueConstraint(
                fields=["organization", "kind", "email"],
                condition=Q(deleted_at=None) & ~Q(email=""),
                name="contacts_contact_live_email",
            ),
            models.CheckConstraint(
                condition=Q(email=Lower(Trim(F("email")))), name="contacts_contact_email_folded"
            ),
            models.CheckConstraint(condition=Q(kind__in=["person", "company"]), name="contacts_contact_kind"),
            models.CheckConstraint(
                condition=Q(company=None) | Q(kind="person"), name="contacts_contact_company"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="contacts_contact_newest"),
            models.Index(fields=["organization", "email"], name="contacts_contact_email"),
            models.Index(
                fields=["organization", "-updated_at", "-id"],
                condition=Q(deleted_at=None),
                name="contacts_contact_updated",
            ),
            models.Index(
                F("organization"),
                CodePoints("full_name"),
                F("id"),
                condition=Q(deleted_at=None),
                name="contacts_contact_by_name",
            ),
            models.Index(
                F("organization"),
                CodePoints("email"),
                F("id"),
                condition=Q(deleted_at=None),
                name="contacts_contact_by_email",
            ),
            models.Index(
                fields=["organization", "deleted_at"],
                condition=Q(deleted_at__isnull=False),
                name="contacts_contact_trash",
            ),
            models.Index(fields=["company"], name="contacts_contact_company_idx"),
            # Imports look up companies by the names in the file.
            models.Index(
                fields=["organization", "name_folded"],
                condition=Q(kind="company", deleted_at=None),
                name="contacts_contact_name_folded",
            ),
            models.Index(
                fields=["organization", "name"],
                condition=Q(kind="company"),
                name="contacts_contact_company_name",
            ),
            models.Index(
                fields=["organization", "phone_normalized"],
                condition=Q(deleted_at=None) & ~Q(phone_normalized=""),
                name="contacts_contact_phone",
            ),
            models.Index(
                fields=["organization", "mobile_normalized"],
                condition=Q(deleted_at=None) & ~Q(mobile_normalized=""),
                name="contacts_contact_mobile",
            ),
            SearchIndex(name="contacts_contact_search"),
        ]

    def __str__(self) -> str:
        return self.full_name

    def refresh_derived(self) -> None:
        person = name_forms(self.first_name, self.last_name)[0]
        self.full_name = (tidy(self.name) if self.kind == self.Kinds.COMPANY else person) or self.email
        self.name_folded = company_key(self.name)[:255] if self.kind == self.Kinds.COMPANY else ""
        refresh_phones_and_search(self, self.organization.country)
        if self.company is not None:
            self.search_text += RELATED + own_text(self.company.search_text)


def refresh_phones_and_search(contact: Any, country: str) -> None:
    """Set the normalized numbers and the search text, without that of the company.

    A function, since models in migrations have no methods.
    """
    typed = [contact.phone, contact.mobile]
    contact.phone_normalized, contact.mobile_normalized = (normalize_phone(text, country) for text in typed)
    names = name_forms(contact.first_name, contact.last_name) if contact.kind == "person" else [contact.name]
    numbers = [" ".join(phone_forms(text, country)) for text in typed if text]
    contact.search_text = search_text(
        [*map(tidy, names), *dict.fromkeys([contact.email, ascii_email(contact.email)]), *typed, *numbers]
    )


class ContactReference(ExternalReference):
    kind: ClassVar[str] = "contact"
    row: Any = RowForeignKey(Contact, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("contacts_contactreference")
        indexes: ClassVar = reference_indexes("contacts")
