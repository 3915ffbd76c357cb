"""Activities as rows of a table."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar

from django.utils.translation import gettext_noop

from contacts.services import addresses
from crm_project.activities.models import Activity
from crm_project.emails import fold_email
from crm_project.errors import DomainError, FieldError, Invalid, RowsRefused
from crm_project.imports import cells
from crm_project.imports.fields import ExportRow, ImportField, export_only, import_only, plain
from crm_project.imports.kinds.base import ImportKind, Values, oldest_reference
from crm_project.imports.kinds.contacts import day_of
from crm_project.imports.kinds.links import held_by
from crm_project.imports.kinds.names import refuse_rows
from crm_project.imports.kinds.values import ValueField, unknown
from crm_project.records.bulk import Operation
from crm_project.records.kinds import kinds
from crm_project.records.models import DEFAULT_SYSTEM
from crm_project.records.text import fold
from crm_project.records.writing.receipts import Receipt

# The columns that name the parents of an activity by something else than their UUIDs, and the field of each.
BY_REFERENCE = {"deal_external_id": "deal", "contact_external_id": "contact"}
EMAIL = "contact_email"
MISSING = {
    "deal": gettext_noop("There is no such deal."),
    "contact": gettext_noop("There is no such contact."),
}
TYPE_WORDS = {
    "call": frozenset(
        "call,phone,phone call,appel,anruf,llamada,telefonata,chiamata,rozmowa,telefon".split(",")
    ),
    "meeting": frozenset(
        "meeting,visit,appointment,event,reunion,rendez vous,termin,treffen,incontro,riunione,spotkanie,wizyta".split(
            ","
        )
    ),
    "email": frozenset("email,e mail,mail,courriel,correo".split(",")),
    "task": frozenset("task,to do,todo,tache,aufgabe,tarea,compito,zadanie".split(",")),
    "note": frozenset("note,comment,remarque,notiz,notita,nota,notatka,memo".split(",")),
}


class ActivityImportKind(ImportKind[Activity]):
    model = Activity
    plural = "activities"
    has_custom_fields = False
    parts: ClassVar[Sequence[str]] = (
        "contact__uuid",
        "contact__email",
        "contact__full_name",
        "contact__deleted_at",
    )

    in_lists = MappingProxyType(
        {
            "subject": ("type", "subject"),
            "deadline": ("due_at", "due_on"),
            "deal": ("deal_name", "contact_name"),
            "owner": ("owner_email",),
        }
    )

    def preview(self, row: Activity) -> list[list[str]]:
        zone = self.cell_format.zone
        return [
            [gettext_noop("Type"), row.get_type_display()],
            [gettext_noop("Subject"), str(row)],
            [gettext_noop("Deal"), str(row.deal or "")],
            [gettext_noop("Contact"), str(row.contact or "")],
            [gettext_noop("Owner"), row.owner.full_name if row.owner else ""],
            [gettext_noop("Due"), day_of(row.due_at or row.due_on, zone)],
            [gettext_noop("Done"), day_of(row.done_at, zone)],
        ]

    def own_fields(self) -> list[ImportField]:
        return [
            plain("uuid", gettext_noop("UUID"), cells.uuid, can_clear=False),
            ImportField("external_system", gettext_noop("External system"), cells.word, oldest_reference(0)),
            ImportField("external_id", gettext_noop("External ID"), cells.identifier, oldest_reference(1)),
            plain("type", gettext_noop("Type"), cells.word, can_clear=False),
            plain("subject", gettext_noop("Subject"), cells.text),
            plain("text", gettext_noop("Text"), cells.text),
            plain("due_at", gettext_noop("Due at"), cells.instant),
            plain("due_on", gettext_noop("Due on"), cells.day),
            plain("done_at", gettext_noop("Done"), cells.instant),
            plain("result", gettext_noop("Result"), cells.text),
            plain("is_pinned", gettext_noop("Pinned"), cells.boolean, can_clear=False),
            _parent("owner_email", gettext_noop("Owner"), cells.word, "owner__user__email", "owner"),
            _parent("deal_uuid", gettext_noop("Deal's UUID"), cells.uuid, "deal__uuid", "deal"),
            import_only(
                "deal_external_id",
                gettext_noop("Deal's external ID"),
                cells.identifier,
                attribute="deal_external_id",
            ),
            export_only("deal_name", gettext_noop("Deal"), "deal__name"),
            _parent(
                "contact_uuid", gettext_noop("Contact's UUID"), cells.uuid, _of_contact("uuid"), "contact"
            ),
            import_only(
                "contact_external_id",
                gettext_noop("Contact's external ID"),
                cells.identifier,
                attribute="contact_external_id",
            ),
            ImportField(EMAIL, gettext_noop("Contact's e-mail"), cells.email, _of_contact("email")),
            ImportField("contact_name", gettext_noop("Contact"), None, _of_contact("full_name")),
            export_only("created_at", gettext_noop("Created")),
            export_only("updated_at", gettext_noop("Updated")),
        ]

    @cached_property
    def resolvers(self) -> Mapping[str, Any]:
        return {
            "type": lambda written, values: type_of(written),
            "owner_email": lambda email, values: self.member(email),
        }

    @cached_property
    def value_fields(self) -> Mapping[str, ValueField]:
        return {
            "type": ValueField(
                type_of, lambda: [(value, str(label)) for value, label in Activity.Types.choices], str
            ),
            "owner_email": self.member_field(),
        }

    def combine(self, values: Values) -> list[FieldError]:
        """The ids of the deal and of the contact are those of the system of the row."""
        system = values.get("external_system") or self.options.get("external_system", DEFAULT_SYSTEM)
        for key in BY_REFERENCE:
            if values.get(key):
                values[key] = (system, values[key])
        return []

    def write(self, changes: Sequence[Values]) -> list[Receipt[Activity]]:
        return super().write(self._with_parents(changes))

    def _with_parents(self, changes: Sequence[Values]) -> list[Values]:
        """The changes with the ids of the deals and contacts that they name; a UUID comes first, then a reference."""
        changes = [dict(change) for change in changes]
        errors: dict[int, list[FieldError]] = {}
        for key, name in BY_REFERENCE.items():
            named = {index: change.pop(key) for index, change in enumerate(changes) if key in change}
            named = {index: held for index, held in named.items() if held and not changes[index].get(name)}
            found = held_by(self.actor, name, named.values())
            for index, held in named.items():
                if held in found:
                    changes[index][name] = found[held]
                else:
                    error = FieldError(key, "does_not_exist", MISSING[name])
                    errors.setdefault(index, []).append(error)
        refuse_rows({index: Invalid(fields=wrong) for index, wrong in errors.items()})
        emails = {index: change.pop(EMAIL) for index, change in enumerate(changes) if EMAIL in change}
        wanted = {
            index: email for index, email in emails.items() if email and not changes[index].get("contact")
        }
        people = self._people(wanted)
        for index, email in wanted.items():
            changes[index]["contact"] = people[fold_email(email)]
        return changes

    def _people(self, emails: Mapping[int, str]) -> dict[str, int]:
        """The contact of each address; a person is created for an unknown one, as by an import of deals."""
        folded = {fold_email(email) for email in emails.values()}
        held = addresses.holders(self.actor.organization_id, folded)
        # People sort after companies, so that a person takes precedence over a company.
        found = {email: row_id for (_, email), row_id in sorted(held.items())}
        new = sorted(folded - found.keys())
        if not new:
            return found
        upserts = [
            Operation("upsert", change={"email": email, "match_on": "email", "incomplete": True})
            for email in new
        ]
        services: Any = kinds["contact"].services
        try:
            created = services.carry_out(actor=self.actor, operations=upserts)
        except (RowsRefused, Invalid) as refused:
            wrong = refused.errors if isinstance(refused, RowsRefused) else {0: refused}
            by_email = {new[place]: error for place, error in wrong.items()}
            raise RowsRefused(_of_email(emails, by_email)) from None
        return found | {email: receipt.row.pk for email, receipt in zip(new, created, strict=True)}


def _of_email(emails: Mapping[int, str], errors: Mapping[str, DomainError]) -> dict[int, DomainError]:
    """The errors of the rows that have the addresses, as errors of this column."""
    refused: dict[int, DomainError] = {}
    for index, email in emails.items():
        if error := errors.get(fold_email(email)):
            wrong = error.fields or (FieldError(EMAIL, error.code, error.template, error.params),)
            fields = [FieldError(EMAIL, one.code, one.template, one.params) for one in wrong]
            refused[index] = Invalid(fields=fields)
    return refused


def type_of(written: str) -> str:
    """The type that a word means, in some languages."""
    plain_word = " ".join(fold(written).replace("-", " ").replace("_", " ").split())
    for kind, words in TYPE_WORDS.items():
        if plain_word in words:
            return kind
    raise unknown("type_of_activity", written, list(TYPE_WORDS))


def _parent(
    key: str, label: str, read: cells.Reader, show: str | Callable[[ExportRow], Any], attribute: str
) -> ImportField:
    """Another row, by a column that identifies it."""
    return ImportField(key, label, read, show, can_clear=True, attribute=attribute)


def _of_contact(column: str) -> Callable[[ExportRow], Any]:
    """A column of the contact, unless that is in the trash."""
    return lambda row: row[f"contact__{column}"] if row["contact__deleted_at"] is None else None
