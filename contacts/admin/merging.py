"""The page that merges contacts: side by side, with a choice for each field in which they differ."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from unfold.widgets import UnfoldAdminRadioSelectWidget

from contacts.models import Contact
from contacts.services import merge_contacts
from contacts.services.merging import CHOICES, CUSTOM, misfit
from crm_project.accounts.actors import Actor
from crm_project.changes import ChangeSet
from crm_project.errors import Invalid
from crm_project.records.writing.columns import definitions_for
from crm_project.staff import display
from crm_project.staff.actions import AdminAction, expected_versions

TARGET = "target"
MOST_SHOWN = 10
LABELS = {"email": gettext_noop("E-mail"), "name": gettext_noop("Company name")}
MISFIT = gettext_noop("Choose from two to %(most)s people, or as many companies.")


class Merge(AdminAction):
    name = "merge"
    label = gettext_lazy("Merge")
    icon = "merge"
    done = gettext_lazy("merged")
    template = "admin/contacts/contact/merge.html"

    def fits(self, row: Contact) -> bool:
        """One contact alone cannot be merged; the panel of its duplicates has a link."""
        return False

    def note(self, actor: Actor, rows: Sequence[Contact]) -> str:
        if not _fit(rows):
            return _(MISFIT) % {"most": MOST_SHOWN}
        return _(
            "Deals, activities, references, people and all addresses become those of the contact that is kept; the"
            " others go to the trash. E-mail addresses and numbers that are not chosen stay as further ones."
        )

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Contact]) -> dict[str, forms.Field]:
        if not _fit(rows):
            return {}
        names = [(row.pk, _name(row)) for row in rows]
        fields = {TARGET: _choice(_("Keep"), names, rows[0].pk)}
        for name, label, values in _differences(actor, rows):
            kept = next(row.pk for row, value in zip(rows, values, strict=True) if value)
            texts = [(row.pk, value or display.NOTHING) for row, value in zip(rows, values, strict=True)]
            fields[name] = _choice(label, texts, kept)
        return fields

    def run(self, actor: Actor, rows: Sequence[Contact], given: Mapping[str, Any]) -> None:
        if not _fit(rows):
            raise Invalid(MISFIT, {"most": MOST_SHOWN})
        by_key = {row.pk: row for row in rows}
        target = by_key.get(given[TARGET], rows[0])
        merge_contacts(
            actor=actor,
            sources=[row for row in rows if row.pk != target.pk],
            target=target,
            fields={name: key for name, key in given.items() if name != TARGET},
            if_match=expected_versions([target]).get(target.pk),
        )

    def destination(self, admin: Any, changes: ChangeSet) -> str:
        kept = (recorded.changes.get("merged_into_id") for recorded in changes.recorded)
        target = next(pair[1] for pair in kept if pair)
        return reverse("admin:contacts_contact_change", args=[target])


def _fit(rows: Sequence[Contact]) -> bool:
    return len(rows) <= MOST_SHOWN and not misfit(rows)


def _name(row: Contact) -> str:
    return " · ".join(part for part in (row.full_name, row.email or row.phone) if part)


def _choice(label: str, choices: Sequence[tuple[int, str]], initial: int) -> forms.Field:
    return forms.TypedChoiceField(
        label=label, choices=choices, initial=initial, coerce=int, widget=UnfoldAdminRadioSelectWidget
    )


def _differences(actor: Actor, rows: Sequence[Contact]) -> Iterator[tuple[str, str, list[str]]]:
    """Name, label and values of the fields in which the contacts differ."""
    definitions = definitions_for(actor.organization, "contact")
    named = [(name, _label(name), _value_of(name)) for name in CHOICES]
    named += [
        (f"{CUSTOM}{key}", definition.label, _custom_of(key))
        for key, definition in definitions.items()
        if definition.type != "heading"
    ]
    for name, label, value_of in named:
        values = [value_of(row) for row in rows]
        if len(set(values)) > 1:
            yield name, label, values


def _label(name: str) -> str:
    field: Any = Contact._meta.get_field(name)
    return _(LABELS[name]) if name in LABELS else capfirst(str(field.verbose_name))


def _value_of(name: str) -> Any:
    return lambda row: str(getattr(row, name) or "")


def _custom_of(key: str) -> Any:
    def text(row: Contact) -> str:
        value = row.custom_fields.get(key)
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)

    return text
