"""Contacts as rows of a table."""

from collections.abc import Callable, Sequence
from typing import Any

from contacts.models import Contact
from contacts.rules import folded_name
from contacts.services import create_contacts, upsert_contacts
from crm_project.errors import DomainError, FieldError, Invalid
from crm_project.imports import cells
from crm_project.imports.fields import ExportRow, ImportField, export_only, plain
from crm_project.imports.kinds.base import ImportKind, Values, oldest_reference, refuse_rows
from crm_project.imports.kinds.names import companies_named
from crm_project.records.writing.columns import rows_by_key
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


class ContactImportKind(ImportKind[Contact]):
    model = Contact
    custom_kind = "contact"
    keys = ("uuid", "external_reference", "email")
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

    def write(self, changes: Sequence[Values]) -> list[Receipt[Contact]]:
        changes = with_companies(self.actor, changes, "company_name", "company")
        if self.options.get("match_on") == "none":
            return [Receipt(row, "created") for row in create_contacts(actor=self.actor, changes=changes)]
        return upsert_contacts(actor=self.actor, changes=changes)


OWNERS = ("owner", "contact owner")
IDS = ("id", "record id", "external reference", "reference")
COMPANIES = ("company", "organization", "organisation", "account", "firma", "société", "entreprise")


def with_companies(actor: Any, changes: Sequence[Values], field: str, target: str) -> list[Values]:
    """The changes with the company's id (`target`) in place of its name (`field`); unknown companies are created.

    A name beside the id is compared with that of the row.
    """
    named = [change for change in changes if change.get(field)]
    names = {change[field] for change in named if change.get(target) is None}
    companies = companies_named(actor, sorted(names)) if names else {}
    rows = rows_by_key(Contact.objects.visible_to(actor.member), [change.get(target) for change in named])
    ambiguous = FieldError(field, "ambiguous_match", "Several companies have this name.")
    errors: dict[int, DomainError] = {}
    resolved = []
    for index, change in enumerate(changes):
        name, key = change.get(field), change.get(target)
        company = companies[name] if name and key is None else None
        if name and key in rows and folded_name(rows[key].full_name) != folded_name(name):
            template = "The UUID names %(contact)s, who has another name."
            conflict = FieldError(field, "contact_conflict", template, {"contact": rows[key].full_name})
            errors[index] = Invalid(fields=[conflict])
        elif name and key is None and company is None:
            errors[index] = Invalid(fields=[ambiguous])
        change = {name: value for name, value in change.items() if name != field}
        resolved.append(change if company is None else {**change, target: company.pk})
    refuse_rows(errors)
    return resolved


def cleared_name(change: Values, field: str, target: str) -> Values:
    """The change, in which an emptied cell of a name clears its row unless a UUID names one."""
    if field in change and change[field] is None:
        del change[field]
        change.setdefault(target, None)
    return change


def _of_company(column: str) -> Callable[[ExportRow], Any]:
    """A column of the company, unless that is in the trash."""
    return lambda row: row[f"company__{column}"] if row["company__deleted_at"] is None else None
