"""Conflicts of a form with changes that somebody else saved after it was opened: both are shown, neither is lost."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from crm_project.changes import stored
from crm_project.errors import Conflict
from crm_project.generics import AnyModelForm
from crm_project.journal.models import Event
from crm_project.staff.custom import PREFIX

# Columns that are derived from others.
IGNORED_COLUMNS = frozenset(
    {
        "stage_entered_at",
        "search_text",
        "full_name",
        "phone_normalized",
        "mobile_normalized",
        "name_folded",
        "position",
        "updated_at",
        "deleted_at",
    }
)


class SavedMeanwhile(Conflict):
    """Somebody else saved the row while this request was saving it."""

    code = "saved_meanwhile"
    template = gettext_noop(
        "Somebody else saved this at the same moment. Look at the changes and save again."
    )


@dataclass
class OthersChange:
    """One field that somebody else changed since the form was opened."""

    name: str
    label: str
    old: Any
    new: Any
    who: str
    at: datetime.datetime
    old_text: str = ""
    new_text: str = ""
    mine_text: str = ""


def changes_since(form: AnyModelForm, seen: int) -> list[OthersChange]:
    """The changes of the row since version `seen` according to the journal, one for each field."""
    row = form.instance
    events = Event.objects.filter(
        organization_id=getattr(row, "organization_id", row.pk),
        kind=row.row_kind,
        row_id=row.pk,
        row_version__gt=seen,
    ).select_related("actor__user")
    changes: dict[str, OthersChange] = {}
    for event in events.order_by("sequence"):
        who = event.actor.full_name if event.actor else _("The system")
        for name, old, new in _fields(row, event.changes):
            earlier = changes.get(name)
            first = earlier.old if earlier else old
            changes[name] = OthersChange(name, _label(form, name), first, new, who, event.at)
    changed = [change for change in changes.values() if change.old != change.new]
    for change in changed:
        change.old_text, change.new_text = (
            _text(form, change.name, change.old),
            _text(form, change.name, change.new),
        )
    return changed


def _fields(row: Model, changes: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The changed columns and lists by the names of form fields, with each custom field on its own."""
    columns = {field.attname: field for field in row._meta.concrete_fields}
    for column, (old, new) in stored(changes).items():
        if column in IGNORED_COLUMNS:
            continue
        if column == "custom_fields":
            before, after = old or {}, new or {}
            for key in sorted({*before, *after}):
                if before.get(key) != after.get(key):
                    yield f"{PREFIX}{key}", before.get(key), after.get(key)
            continue
        field = columns.get(column)
        if field is None:
            yield column, old, new
        else:
            yield field.name, field.to_python(old), field.to_python(new)


def merge(form: AnyModelForm, others: Sequence[OthersChange]) -> None:
    """Fill unchanged fields with the new values, keep the changed ones, and add errors that ask to save again."""
    mine = set(form.changed_data)
    data: Any = form.data.copy()  # type: ignore[attr-defined]
    data[form.add_prefix("seen")] = str(form.instance.version)
    for change in others:
        if change.name not in form.fields:
            continue
        if change.name in mine:
            change.mine_text = _text(form, change.name, form.cleaned_data.get(change.name))
            conflict = _(
                "%(who)s changed this from “%(old)s” to “%(new)s” in the meantime. "
                "Save again to replace that with your value."
            )
            values = {"who": change.who, "old": change.old_text, "new": change.new_text}
            form.add_error(change.name, conflict % values)
        else:
            _fill_in(form, data, change.name, change.new)
    form.data = data
    names = sorted({change.who for change in others})
    text = ngettext(
        "%(who)s saved this while you were editing it. Your changes are not lost, but not saved yet.",
        "%(who)s saved this while you were editing it. Your changes are not lost, but not saved yet.",
        len(names),
    )
    form.add_error(None, text % {"who": ", ".join(names)})


def _fill_in(form: AnyModelForm, data: Any, name: str, value: Any) -> None:
    """Set the submitted data of a field to `value`."""
    field, key = form.fields[name], form.add_prefix(name)
    value = field.prepare_value(value)
    if isinstance(field.widget, forms.CheckboxInput):
        data.setlist(key, ["on"] if value else [])
    elif isinstance(value, list):
        data.setlist(key, [str(item) for item in value])
    elif isinstance(field.widget, forms.Select):
        data[key] = "" if value is None else str(value)
    else:
        text = field.widget.format_value(value)
        data[key] = "" if text is None else str(text)


def _label(form: AnyModelForm, name: str) -> str:
    if name in form.fields:
        return str(form[name].label)
    return _(name.removeprefix(PREFIX).replace("_", " ")).capitalize()


def _text(form: AnyModelForm, name: str, value: Any) -> str:
    """A value as text; rows only if they are visible to the member."""
    field = form.fields.get(name)
    if isinstance(field, forms.ModelChoiceField):
        keys = value if isinstance(value, list) else [getattr(value, "pk", value)]
        keys = (
            [key for key in keys if key is not None]
            if not hasattr(value, "query")
            else [row.pk for row in value]
        )
        rows = field.queryset.filter(pk__in=keys) if keys and field.queryset is not None else []
        return ", ".join(str(row) for row in rows) or ("—" if not keys else _("a hidden row"))
    if value in (None, "", []):
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return ", ".join(
            ": ".join(map(str, item)) if isinstance(item, list | tuple) else str(item) for item in value
        )
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        return str(dict(choices).get(value, value))
    return str(field.prepare_value(value)) if field else str(value)
