"""Contact: a person or a company; a person may belong to a company."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Trim
from django.utils.translation import gettext_lazy

from contacts.querysets import ContactQuerySet
from contacts.rules import company_key
from crm_project.accounts.models import Member, Organization
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
        PERSON = "person", gettext_lazy("Person")
        COMPANY = "company", gettext_lazy("Company")

    row_kind: ClassVar[str] = "contact"
    derived: ClassVar[frozenset[str]] = Row.derived | {
        "full_name",
        "phone_normalized",
        "mobile_normalized",
        "name_folded",
    }

    # The further addresses that an open write has read or set, by the names of the lists.
    written_addresses: ClassVar[Mapping[str, Sequence[str]] | None] = None

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
    # The contact that a merge has kept instead of this one, which is in the trash.
    merged_into = RowForeignKey("self", null=True, blank=True, editable=False)
    custom_fields = models.JSONField(default=dict, blank=True)
    search_text = models.TextField(blank=True, editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            organization_key("contacts_contact"),
            *same_organization("contacts_contact", "company", "owner", "merged_into"),
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
            models.Index(
                fields=["merged_into"],
                condition=Q(merged_into__isnull=False),
                name="contacts_contact_merged_into",
            ),
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

    @property
    def further_emails(self) -> list[str]:
        return self._further("further_emails", ContactAddress.Media.EMAIL)

    @property
    def further_phones(self) -> list[str]:
        return self._further("further_phones", ContactAddress.Media.PHONE)

    def _further(self, name: str, medium: str) -> list[str]:
        if self.written_addresses is not None:
            return list(self.written_addresses.get(name, ()))
        if self.pk is None:
            return []
        # One query for both lists.
        models.prefetch_related_objects([self], "addresses")
        return [address.value for address in self.addresses.all() if address.medium == medium]

    def refresh_derived(self) -> None:
        person = name_forms(self.first_name, self.last_name)[0]
        self.full_name = (tidy(self.name) if self.kind == self.Kinds.COMPANY else person) or self.email
        self.name_folded = company_key(self.name)[:255] if self.kind == self.Kinds.COMPANY else ""
        refresh_phones_and_search(
            self, self.organization.country, emails=self.further_emails, phones=self.further_phones
        )
        if self.company is not None:
            self.search_text += RELATED + own_text(self.company.search_text)


def refresh_phones_and_search(
    contact: Any, country: str, *, emails: Sequence[str] = (), phones: Sequence[str] = ()
) -> None:
    """Set the normalized numbers and the search text, without that of the company.

    A function, since models in migrations have no methods. `emails` and `phones` are the further ones.
    """
    typed = [contact.phone, contact.mobile]
    contact.phone_normalized, contact.mobile_normalized = (normalize_phone(text, country) for text in typed)
    names = name_forms(contact.first_name, contact.last_name) if contact.kind == "person" else [contact.name]
    typed += phones
    numbers = [" ".join(phone_forms(text, country)) for text in typed if text]
    spellings = dict.fromkeys(
        form for email in (contact.email, *emails) for form in (email, ascii_email(email))
    )
    contact.search_text = search_text([*map(tidy, names), *spellings, *typed, *numbers])


class ContactAddress(models.Model):
    """A further e-mail address or phone number of a contact: an entry of `further_emails` or `further_phones`.

    `normalized` is the address for comparison. `contact_kind` and `is_live` are those of the contact, since an e-mail
    address is unique among the live contacts of a kind; the first ones are compared under the locks of their keys.
    """

    class Media(models.TextChoices):
        EMAIL = "email"
        PHONE = "phone"

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    contact = RowForeignKey(Contact, related_name="addresses")
    medium = models.CharField(max_length=8, choices=Media)
    value = models.CharField(max_length=255)
    normalized = models.CharField(max_length=255, blank=True)
    contact_kind = models.CharField(max_length=8)
    is_live = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "contact_kind", "normalized"],
                condition=Q(medium="email", is_live=True),
                name="contacts_contactaddress_live_email",
            ),
            *same_organization("contacts_contactaddress", "contact"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["contact"], name="contacts_address_contact"),
            models.Index(fields=["organization", "normalized"], name="contacts_address_normalized"),
        ]

    def __str__(self) -> str:
        return self.value


class ContactReference(ExternalReference):
    kind: ClassVar[str] = "contact"
    row: Any = RowForeignKey(Contact, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("contacts_contactreference")
        indexes: ClassVar = reference_indexes("contacts")
