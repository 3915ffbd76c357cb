"""The base of every form: it turns what was typed into a change for a service, and a refusal into form errors."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet

from crm_project.errors import DomainError
from crm_project.staff import edit_conflicts
from crm_project.staff.custom import PREFIX, core_value
from crm_project.staff.inputs import References, whole_number

NO_CONTENT = ("seen", "id", "DELETE")
EMPTY: tuple[Any, ...] = (None, "", [], ())


class StaffForm(forms.ModelForm):
    """Bound to a row it never touches: a service writes it. The ModelAdmin sets the class attributes per request."""

    request: ClassVar[Any] = None
    refusal: ClassVar[DomainError | None] = None
    # Form fields whose value the core decides unless it is another than this.
    defaults: ClassVar[Mapping[str, Any]] = {}
    labels: ClassVar[Mapping[str, str]] = {}
    help_texts: ClassVar[Mapping[str, str]] = {}
    # Many-to-many relations among the fields: they have through-models, which Django's form leaves alone.
    many: ClassVar[Sequence[str]] = ()

    # The row's version when the form was opened.
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.others: list[edit_conflicts.OthersChange] = []
        if not hasattr(self._meta.model, "version"):
            del self.fields["seen"]
        for name in self.labels.keys() & self.fields.keys():
            self.fields[name].label = self.labels[name]
        for name in self.help_texts.keys() & self.fields.keys():
            self.fields[name].help_text = self.help_texts[name]
        for name in self.many if self.instance.pk else ():
            self.initial[name] = [row.pk for row in getattr(self.instance, name).all()]
        if "external_references" in self.fields and self.instance.pk:
            held = [(key.system, key.external_id) for key in self.instance.references.all() if key.is_live]
            self.initial["external_references"] = held
            self.fields["external_references"].hold(held)  # type: ignore[attr-defined]
        if self.instance.pk and "seen" in self.fields:
            self.initial["seen"] = self.instance.version
            if self.is_bound:
                self._note_others()

    def _note_others(self) -> None:
        """What was shown is what changes are told from, even if somebody has changed the row since."""
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
            edit_conflicts.merge(self)
        elif self.refusal is not None:
            self.tell(self.refusal)

    def _post_clean(self) -> None:
        """Rules are the services' alone; the instance stays as the database has it."""

    def tell(self, refusal: DomainError) -> None:
        """Put a refusal at the fields it names, in the words of this form."""
        told = False
        for wrong in refusal.fields:
            name = self.form_name(wrong.field)
            self.add_error(name, wrong.detail if name else f"{_words(wrong.field)}: {wrong.detail}")
            told = True
        if not told:
            self.add_error(None, refusal.detail)

    def form_name(self, path: str) -> str | None:
        """The form field for the core's dotted path, if this form has one."""
        first, _, rest = path.partition(".")
        name = f"{PREFIX}{rest}" if first == "custom_fields" else first.removeprefix("add_")
        return name if name in self.fields else None

    def change(self) -> dict[str, Any]:
        """What was changed, for an existing row; for a new one, all that is not empty."""
        names = [name for name in self.cleaned_data if name not in NO_CONTENT]
        if self.instance.pk:
            changed = set(self.changed_data)
            names = [name for name in names if name in changed]
        else:
            names = [name for name in names if not self._left_alone(name)]
        change = {name: core(self.cleaned_data[name]) for name in names if not name.startswith(PREFIX)}
        custom = {
            name.removeprefix(PREFIX): core_value(self.cleaned_data[name])
            for name in names
            if name.startswith(PREFIX)
        }
        return {**change, "custom_fields": custom} if custom else change

    def _left_alone(self, name: str) -> bool:
        value = self.cleaned_data[name]
        if isinstance(value, QuerySet):
            return not value
        if value is False and name.startswith(PREFIX):
            return True
        return value in EMPTY or (name in self.defaults and value == self.defaults[name])


def when(field: str, test: str) -> str:
    """For `conditional_fields`: show where the form's `field` is like that, and where a page has no such input."""
    return f"typeof {field} === 'undefined' || {field} {test}"


def core(value: Any) -> Any:
    """A cleaned value as the services take it: rows by their ids."""
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, QuerySet):
        return [row.pk for row in value]
    return value


def references_field() -> References:
    return References(label="External references")


def _words(path: str) -> str:
    return path.replace("_", " ").replace(".", " ").capitalize()
