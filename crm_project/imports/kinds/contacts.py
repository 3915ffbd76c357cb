"""Contacts as rows of a table."""

from collections.abc import Callable, Sequence
from typing import Any

from contacts.models import Contact
from contacts.services import create_contacts, upsert_contacts
from crm_project.errors import FieldError, Invalid
from crm_project.imports import cells
from crm_project.imports.errors import UnreadableCell
from crm_project.imports.fields import Field, Shown, plain, shown_only
from crm_project.imports.kinds.base import RowKind, Values, oldest_reference, refuse_rows
from crm_project.imports.kinds.names import companies_named
from crm_project.records.writing.receipts import Receipt

TEXTS = (
    ("phone", "Phone", ("telephone", "phone number", "telefon", "téléphone", "tel", "work phone")),
    ("mobile", "Mobile", ("mobile phone", "cell", "cell phone", "handy", "mobil")),
    ("job_title", "Job title", ("title", "position", "role", "funktion", "fonction")),
    ("department", "Department", ("abteilung", "service")),
    ("website", "Website", ("web", "web site", "homepage", "domain")),
    ("street", "Street", ("address", "street address", "strasse", "adresse", "rue")),
    ("postal_code", "Postal code", ("zip", "zip code", "postcode", "plz", "code postal")),
    ("city", "City", ("town", "ort", "stadt", "ville")),
    ("country", "Country", ("land", "pays")),
    ("description", "Description", ("notes", "note", "comment", "beschreibung")),
    ("origin", "Origin", ("source", "lead source", "quelle")),
)


class ContactKind(RowKind[Contact]):
    model = Contact
    custom_kind = "contact"
    keys = ("uuid", "external_reference", "email")
    parts = ("company__uuid", "company__full_name", "company__deleted_at")

    def own_fields(self) -> list[Field]:
        return [
            plain("uuid", "UUID", cells.uuid, can_clear=False),
            Field("external_system", "External system", cells.word, oldest_reference(0)),
            Field("external_id", "External ID", cells.word, oldest_reference(1), IDS),
            plain("kind", "Kind", cells.choice("person", "company"), "type", can_clear=False),
            plain("first_name", "First name", cells.text, "given name", "vorname", "prénom"),
            plain("last_name", "Last name", cells.text, "surname", "family name", "nachname", "nom"),
            plain("name", "Name of the company", cells.text),
            plain("email", "E-mail", cells.word, "email address", "mail", "courriel"),
            *(plain(key, label, cells.text, *names) for key, label, names in TEXTS),
            Field("company_uuid", "Company's UUID", cells.uuid, _of_company("uuid"), can_clear=True),
            Field("company_name", "Company", cells.word, _of_company("full_name"), COMPANIES, can_clear=True),
            Field("owner_email", "Owner", cells.word, "owner__user__email", OWNERS, can_clear=True),
            shown_only("full_name", "Full name"),
            shown_only("created_at", "Created"),
            shown_only("updated_at", "Updated"),
        ]

    @property
    def resolvers(self) -> dict[str, Any]:
        return {"owner_email": lambda email, values: self.member(email)}

    def named(self, values: Values) -> Values:
        if "owner_email" in values:
            values["owner"] = values.pop("owner_email")
        if values.get("company_uuid") is not None:
            values.pop("company_name", None)
        if "company_uuid" in values:
            values["company"] = values.pop("company_uuid")
        if "company_name" in values and values["company_name"] is None:
            values.setdefault("company", values.pop("company_name"))
        return values

    def write(self, changes: Sequence[Values]) -> list[Receipt[Contact]]:
        changes = with_companies(self.actor, changes, "company_name", "company")
        if self.options.get("match_on") == "none":
            return [Receipt(row, "created") for row in create_contacts(actor=self.actor, changes=changes)]
        return upsert_contacts(actor=self.actor, changes=changes)


OWNERS = ("owner", "contact owner")
IDS = ("id", "record id", "external reference", "reference")
COMPANIES = ("company", "organization", "organisation", "account", "firma", "société", "entreprise")


def with_companies(actor: Any, changes: Sequence[Values], field: str, target: str) -> list[Values]:
    """The changes with the company's id in place of its name; companies that nobody knows are created."""
    names = {change[field] for change in changes if change.get(field)}
    found = companies_named(actor, sorted(names)) if names else {}
    errors = {
        index: Invalid(fields=[FieldError(field, "ambiguous_match", "Several companies have this name.")])
        for index, change in enumerate(changes)
        if change.get(field) and found[change[field]] is None
    }
    refuse_rows(errors)
    return [_with_company(change, found, field, target) for change in changes]


def _with_company(change: Values, found: dict[str, Contact | None], field: str, target: str) -> Values:
    if not change.get(field):
        return change
    company = found[change[field]]
    if company is None:
        raise UnreadableCell("Several companies have this name.")
    return {name: value for name, value in change.items() if name != field} | {target: company.pk}


def _of_company(column: str) -> Callable[[Shown], Any]:
    """A company in the trash is none."""
    return lambda row: row[f"company__{column}"] if row["company__deleted_at"] is None else None
