"""The base of every form: its data becomes a change for a service, and a refusal becomes form errors."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import ActionForm

from crm_project.errors import DomainError
from crm_project.generics import AnyModelForm
from crm_project.staff import edit_conflicts
from crm_project.staff.custom import PREFIX, custom_value
from crm_project.staff.inputs import References, Select, whole_number

INTERNAL_FIELDS = ("seen", "id", "DELETE")
EMPTY: tuple[Any, ...] = (None, "", [], ())


class RowActionForm(ActionForm):  # type: ignore[misc]
    """The form of the theme, with a select that is cheap to render."""

    action = forms.ChoiceField(label="", widget=Select())
    action.widget.attrs = {**ActionForm.base_fields["action"].widget.attrs}


class StaffForm(AnyModelForm):
    """The form never writes its instance; a service does. The ModelAdmin sets the class attributes for each request."""

    request: ClassVar[Any] = None
    refusal: ClassVar[DomainError | None] = None
    # Initial values that are left out of the change of a new row, so that the service chooses.
    defaults: ClassVar[Mapping[str, Any]] = {}
    labels: ClassVar[Mapping[str, str | Promise]] = {}
    help_texts: ClassVar[Mapping[str, str | Promise]] = {}
    # Many-to-many relations among the fields. They have through models, which Django's form does not support.
    many: ClassVar[Sequence[str]] = ()

    # The row's version when the form was opened.
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.others: list[edit_conflicts.OthersChange] = []
        if not hasattr(self._meta.model, "version"):
            del self.fields["seen"]
        for name, field in self.fields.items():
            label = self._label(name, field)
            field.label = label if label is None else str(label)
        for name in self.help_texts.keys() & self.fields.keys():
            self.fields[name].help_text = str(self.help_texts[name])
        if self.instance.pk:
            self._fill_declared()
        for name in self.many if self.instance.pk else ():
            self.initial[name] = [row.pk for row in getattr(self.instance, name).all()]
        if "external_references" in self.fields and self.instance.pk:
            keys = [(key.system, key.external_id) for key in self.instance.references.all() if key.is_live]
            self.initial["external_references"] = keys
            self.fields["external_references"].keep_lines(keys)  # type: ignore[attr-defined]
        if self.instance.pk and "seen" in self.fields:
            self.initial["seen"] = self.instance.version
            if self.is_bound:
                self._find_conflicts()

    def _fill_declared(self) -> None:
        """Django fills the fields of the model alone: a column whose field the form declares has its own default."""
        for column in self._meta.model._meta.concrete_fields:
            if column.name in self.fields:
                self.initial.setdefault(column.name, self.initial_of(column))

    def initial_of(self, column: Any) -> Any:
        """The value of a column as its declared field has it first."""
        return column.value_from_object(self.instance)

    def _label(self, name: str, field: forms.Field) -> Any:
        """That of the form, else the field's own, else the name of the column."""
        columns = {column.name: column for column in self._meta.model._meta.fields}
        if name in self.labels or field.label is not None or name not in columns:
            return self.labels.get(name, field.label)
        return capfirst(columns[name].verbose_name)

    def _find_conflicts(self) -> None:
        """If somebody else has saved since the form was opened, compare the data with the values of that time."""
        seen = whole_number(self.data.get(self.add_prefix("seen"), ""))
        if not 0 < seen < self.instance.version:
            return
        self.others = edit_conflicts.changes_since(self, seen)
        for change in self.others:
            if change.name in self.fields:
                self.initial[change.name] = change.old

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound:
            return
        if self.others:
            edit_conflicts.merge(self, self.others)
        elif self.refusal is not None:
            self.add_refusal(self.refusal)

    def _post_clean(self) -> None:
        """Skip the validation of the model: the rules are in the services."""

    def add_refusal(self, refusal: DomainError) -> None:
        """Add the errors of a refusal to the fields of this form."""
        for wrong in refusal.fields:
            name = self.form_name(wrong.field)
            label = _(wrong.field.replace("_", " ").replace(".", " ")).capitalize()
            self.add_error(name, wrong.detail if name else f"{label}: {wrong.detail}")
        if not refusal.fields:
            self.add_error(None, refusal.detail)

    def form_name(self, path: str) -> str | None:
        """The form field for the path of a field error, if this form has one."""
        first, _dot, rest = path.partition(".")
        name = f"{PREFIX}{rest}" if first == "custom_fields" else first.removeprefix("add_")
        return name if name in self.fields else None

    def change(self) -> dict[str, Any]:
        """The change for the service: the changed values of an existing row, the values of a new one."""
        names = [name for name in self.cleaned_data if name not in INTERNAL_FIELDS]
        if self.instance.pk:
            changed = set(self.changed_data)
            names = [name for name in names if name in changed]
        else:
            names = [name for name in names if not self._is_default(name)]
        change = {
            name: service_value(self.cleaned_data[name]) for name in names if not name.startswith(PREFIX)
        }
        custom = {
            name.removeprefix(PREFIX): custom_value(self.cleaned_data[name])
            for name in names
            if name.startswith(PREFIX)
        }
        return {**change, "custom_fields": custom} if custom else change

    def _is_default(self, name: str) -> bool:
        value = self.cleaned_data[name]
        if isinstance(value, QuerySet):
            return not value
        if value is False and name.startswith(PREFIX):
            return True
        return value in EMPTY or (name in self.defaults and value == self.defaults[name])


def when(field: str, test: str) -> str:
    """An expression of `conditional_fields`: show if `field` passes the test, or if the page has no such field."""
    return f"typeof {field} === 'undefined' || {field} {test}"


def service_value(value: Any) -> Any:
    """A cleaned value for a service: rows by their ids."""
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, QuerySet):
        return [row.pk for row in value]
    return value


def references_field() -> References:
    return References(label=gettext_lazy("External references"))
