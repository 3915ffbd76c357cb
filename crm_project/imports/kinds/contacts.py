"""Contacts as rows of a table."""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext_noop

from contacts.models import Contact, ContactAddress
from contacts.services.addresses import LISTS
from crm_project.errors import DomainError, FieldError, RowsRefused
from crm_project.imports import cells
from crm_project.imports.errors import UnreadableCell
from crm_project.imports.fields import ExportRow, ImportField, export_only, import_only, plain
from crm_project.imports.kinds.base import ImportKind, Values, oldest_reference
from crm_project.imports.kinds.links import Link
from crm_project.imports.kinds.values import ValueField, unknown
from crm_project.imports.people import Several, person_name
from crm_project.records.expressions import IsOneOf
from crm_project.records.text import fold
from crm_project.records.writing.receipts import Receipt

TEXTS = {
    "job_title": gettext_noop("Job title"),
    "department": gettext_noop("Department"),
    "website": gettext_noop("Website"),
    "street": gettext_noop("Street"),
    "postal_code": gettext_noop("Postal code"),
    "city": gettext_noop("City"),
    "country": gettext_noop("Country"),
    "description": gettext_noop("Description"),
    "origin": gettext_noop("Origin"),
}


FURTHER = {
    "further_emails": gettext_noop("Further e-mails"),
    "further_phones": gettext_noop("Further phones"),
}
# Where the other entries of a cell go that has several.
OTHERS = {"email": "add_further_emails", "phone": "add_further_phones", "mobile": "add_further_phones"}


class ContactImportKind(ImportKind[Contact]):
    model = Contact
    plural = "contacts"
    company_fields = ("company_name", "company")
    links = (Link("company_external_id", "company", ("company_name",), is_company=True),)
    parts = ("company__uuid", "company__full_name", "company__deleted_at")

    stand_ins = MappingProxyType({"person_name": ("first_name", "last_name"), "company_name": ("name",)})

    in_lists = MappingProxyType(
        {"name": ("full_name",), "company": ("company_name",), "owner": ("owner_email",)}
    )

    def preview(self, row: Contact) -> list[list[str]]:
        return [
            [gettext_noop("Kind"), row.get_kind_display()],
            [gettext_noop("Name"), row.full_name],
            [gettext_noop("E-mail"), row.email],
            [gettext_noop("Phone"), row.phone],
            [gettext_noop("Mobile"), row.mobile],
            [gettext_noop("Company"), str(row.company or "")],
            [gettext_noop("Owner"), str(row.owner or "")],
            [gettext_noop("Created"), day_of(row.created_at, self.cell_format.zone)],
        ]

    def own_fields(self) -> list[ImportField]:
        return [
            plain("uuid", gettext_noop("UUID"), cells.uuid, can_clear=False),
            ImportField("external_system", gettext_noop("External system"), cells.word, oldest_reference(0)),
            ImportField("external_id", gettext_noop("External ID"), cells.identifier, oldest_reference(1)),
            plain("kind", gettext_noop("Kind"), cells.word, can_clear=False),
            plain("first_name", gettext_noop("First name"), cells.text),
            plain("last_name", gettext_noop("Last name"), cells.text),
            plain("name", gettext_noop("Name of the company"), cells.text),
            import_only("person_name", gettext_noop("Full name"), cells.person, attribute="full_name"),
            plain("email", gettext_noop("E-mail"), cells.email),
            plain("phone", gettext_noop("Phone"), cells.phone),
            plain("mobile", gettext_noop("Mobile"), cells.phone),
            *(_further(key, label) for key, label in FURTHER.items()),
            *(plain(key, label, cells.text) for key, label in TEXTS.items()),
            ImportField(
                "company_uuid",
                gettext_noop("Company's UUID"),
                cells.uuid,
                _of_company("uuid"),
                can_clear=True,
                attribute="company",
            ),
            import_only(
                "company_external_id",
                gettext_noop("Company's external ID"),
                cells.identifiers,
                attribute="company_external_id",
            ),
            ImportField(
                "company_name", gettext_noop("Company"), cells.word, _of_company("full_name"), can_clear=True
            ),
            ImportField(
                "owner_email",
                gettext_noop("Owner"),
                cells.word,
                "owner__user__email",
                can_clear=True,
                attribute="owner",
            ),
            export_only("full_name", gettext_noop("Name in lists")),
            plain("created_at", gettext_noop("Created"), cells.instant, can_clear=False),
            export_only("updated_at", gettext_noop("Updated")),
        ]

    @cached_property
    def resolvers(self) -> dict[str, Any]:
        return {
            "owner_email": lambda email, values: self.member(email),
            "kind": lambda written, values: kind_of_contact(written),
        }

    @cached_property
    def value_fields(self) -> Mapping[str, ValueField]:
        return {
            "owner_email": self.member_field(),
            "kind": ValueField(
                kind_of_contact,
                lambda: [(value, str(label)) for value, label in Contact.Kinds.choices],
                str,
            ),
        }

    def combine(self, values: Values) -> list[FieldError]:
        """Split a full name; a row with the name of a company alone is that company."""
        if full_name := values.pop("person_name", None):
            try:
                name = person_name(full_name)
            except UnreadableCell as error:
                return [FieldError("person_name", "invalid", error.template, error.params)]
            if not values.get("first_name") and not values.get("last_name"):
                values |= {"first_name": name.first_name, "last_name": name.last_name}
            if name.email and not values.get("email"):
                values["email"] = name.email
        is_company = "kind" in values and self._is_company(values["kind"])
        if (
            "kind" not in values
            and values.get("name")
            and not (values.get("first_name") or values.get("last_name"))
        ):
            values["kind"], is_company = Contact.Kinds.COMPANY.value, True
        if is_company and not values.get("name") and values.get("company_name"):
            values["name"] = values.pop("company_name")
        return []

    def _is_company(self, written: Any) -> bool:
        try:
            return (self._choice("kind", written) or kind_of_contact(written)) == Contact.Kinds.COMPANY
        except UnreadableCell:
            return False

    def write(self, changes: Sequence[Values]) -> list[Receipt[Contact]]:
        """Write companies before people, who may name them."""
        is_company = [change.get("kind") == Contact.Kinds.COMPANY for change in changes]
        if len(set(is_company)) < 2:
            return super().write(changes)
        receipts: dict[int, Receipt[Contact]] = {}
        for wanted in (True, False):
            part = [index for index, found in enumerate(is_company) if found is wanted]
            try:
                written = super().write([changes[index] for index in part])
            except RowsRefused as refused:
                raise RowsRefused({part[place]: error for place, error in refused.errors.items()}) from None
            except DomainError as error:
                if len(part) > 1:
                    raise
                raise RowsRefused({part[0]: error}) from None
            receipts |= dict(zip(part, written, strict=True))
        return [receipts[index] for index in range(len(changes))]

    def to_change(self, values: Values) -> Values:
        """A cleared name clears the company, unless a UUID names one."""
        others = {name: values.pop(name) for name in set(OTHERS.values()) & values.keys()}
        return {**cleared_name(super().to_change(values), "company_name", "company"), **others}

    def _first(self, key: str, several: Several, values: Values) -> str:
        if key not in OTHERS:
            return super()._first(key, several, values)
        if several.others:
            values[OTHERS[key]] = [*values.get(OTHERS[key], ()), *several.others]
        return several.first

    def lists(self, ids: Sequence[int]) -> dict[str, Iterable[tuple[int, Any]]]:
        stored = ContactAddress.objects.filter(IsOneOf("contact", ids)).order_by("id")
        addresses = list(stored.values_list("contact_id", "medium", "value"))
        return {
            **super().lists(ids),
            **{
                name: [(pk, value) for pk, kept_as, value in addresses if kept_as == medium]
                for name, medium in LISTS.items()
            },
        }


def _further(key: str, label: str) -> ImportField:
    return ImportField(key, label, cells.items, itemgetter(key), clears=[], can_clear=True)


KIND_WORDS = {
    "person": frozenset("person contact individual personne persona osoba people".split()),
    "company": frozenset(
        "company organization organisation account business entreprise empresa azienda firma".split()
    ),
}


def kind_of_contact(written: str) -> str:
    """`person` or `company`, by some words for them."""
    plain = fold(written.strip())
    for kind, words in KIND_WORDS.items():
        if plain in words:
            return kind
    raise unknown("kind_of_contact", written, list(KIND_WORDS))


def day_of(value: datetime.datetime | datetime.date | None, zone: datetime.tzinfo) -> str:
    """`3 April 2025`: no order of numbers can be mistaken."""
    if value is None:
        return ""
    day = value.astimezone(zone).date() if isinstance(value, datetime.datetime) else value
    return f"{day.day} {day:%B} {day.year}"


def cleared_name(change: Values, field: str, target: str) -> Values:
    """The change, in which an emptied cell of a name clears its row unless a UUID names one."""
    if field in change and change[field] is None:
        del change[field]
        change.setdefault(target, None)
    return change


def _of_company(column: str) -> Callable[[ExportRow], Any]:
    """A column of the company, unless that is in the trash."""
    return lambda row: row[f"company__{column}"] if row["company__deleted_at"] is None else None
