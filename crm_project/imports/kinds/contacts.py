"""Contacts as rows of a table."""

from collections.abc import Callable
from typing import Any

from contacts.models import Contact
from crm_project.imports import cells
from crm_project.imports.fields import ExportRow, ImportField, export_only, plain
from crm_project.imports.kinds.base import ImportKind, Values, oldest_reference

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


class ContactImportKind(ImportKind[Contact]):
    model = Contact
    plural = "contacts"
    company_fields = ("company_name", "company")
    parts = ("company__uuid", "company__full_name", "company__deleted_at")

    def own_fields(self) -> list[ImportField]:
        return [
            plain("uuid", "UUID", cells.uuid, can_clear=False),
            ImportField("external_system", "External system", cells.word, oldest_reference(0)),
            ImportField("external_id", "External ID", cells.word, oldest_reference(1), IDS),
            plain("kind", "Kind", cells.choice("person", "company"), "type", can_clear=False),
            plain("first_name", "First name", cells.text, "given name", "vorname", "prénom"),
            plain("last_name", "Last name", cells.text, "surname", "family name", "nachname", "nom"),
            plain("name", "Name of the company", cells.text),
            plain("email", "E-mail", cells.word, "email address", "mail", "courriel"),
            *(plain(key, label, cells.text, *names) for key, label, names in TEXTS),
            ImportField(
                "company_uuid",
                "Company's UUID",
                cells.uuid,
                _of_company("uuid"),
                can_clear=True,
                attribute="company",
            ),
            ImportField(
                "company_name", "Company", cells.word, _of_company("full_name"), COMPANIES, can_clear=True
            ),
            ImportField(
                "owner_email",
                "Owner",
                cells.word,
                "owner__user__email",
                OWNERS,
                can_clear=True,
                attribute="owner",
            ),
            export_only("full_name", "Full name"),
            export_only("created_at", "Created"),
            export_only("updated_at", "Updated"),
        ]

    @property
    def resolvers(self) -> dict[str, Any]:
        return {"owner_email": lambda email, values: self.member(email)}

    def to_change(self, values: Values) -> Values:
        """A cleared name clears the company, unless a UUID names one."""
        return cleared_name(super().to_change(values), "company_name", "company")


OWNERS = ("owner", "contact owner")
IDS = ("id", "record id", "external reference", "reference")
COMPANIES = ("company", "organization", "organisation", "account", "firma", "société", "entreprise")


def cleared_name(change: Values, field: str, target: str) -> Values:
    """The change, in which an emptied cell of a name clears its row unless a UUID names one."""
    if field in change and change[field] is None:
        del change[field]
        change.setdefault(target, None)
    return change


def _of_company(column: str) -> Callable[[ExportRow], Any]:
    """A column of the company, unless that is in the trash."""
    return lambda row: row[f"company__{column}"] if row["company__deleted_at"] is None else None
