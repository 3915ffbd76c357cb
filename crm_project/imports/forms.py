"""Forms of an import in the admin: the upload, and the mapping of columns with the options."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, pgettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from crm_project.imports.fields import ImportField
from crm_project.imports.kinds.values import CREATE
from crm_project.imports.models import Import
from crm_project.imports.new_fields import NewField

OPTION_CHOICES: dict[str, tuple[Any, list[tuple[str, Any]]]] = {
    "match_on": (
        gettext_lazy("Update existing rows with the same"),
        [
            ("auto", gettext_lazy("UUID, external ID or e-mail")),
            ("external_reference", gettext_lazy("external ID")),
            ("email", gettext_lazy("e-mail address")),
            ("uuid", gettext_lazy("UUID")),
            ("none", gettext_lazy("nothing: always create new rows")),
        ],
    ),
    "bad_rows": (
        gettext_lazy("If a row has errors"),
        [("refuse_all", gettext_lazy("import nothing")), ("skip", gettext_lazy("import the others"))],
    ),
    "empty_cells": (
        gettext_lazy("An empty cell"),
        [("keep", gettext_lazy("leaves the field as it is")), ("clear", gettext_lazy("empties the field"))],
    ),
    "decimal": (
        gettext_lazy("Decimal sign"),
        [("auto", gettext_lazy("as each column shows")), (".", "1,234.50"), (",", "1.234,50")],
    ),
    "date_order": (
        gettext_lazy("Date format"),
        [
            ("auto", gettext_lazy("as each column shows")),
            ("ymd", "2026-12-31"),
            ("dmy", "31/12/2026"),
            ("mdy", "12/31/2026"),
        ],
    ),
}
CSV_CHOICES: dict[str, tuple[Any, list[tuple[str, Any]]]] = {
    "delimiter": (
        gettext_lazy("Columns are separated by"),
        [
            (",", gettext_lazy("comma")),
            (";", gettext_lazy("semicolon")),
            ("\t", pgettext_lazy("sign", "tab")),
            ("|", gettext_lazy("vertical bar")),
        ],
    ),
    "encoding": (
        gettext_lazy("Encoding"),
        [
            ("utf-8", "UTF-8"),
            ("cp1252", gettext_lazy("Windows-1252 (Western)")),
            ("cp1250", gettext_lazy("Windows-1250 (Central European)")),
            ("cp1251", gettext_lazy("Windows-1251 (Cyrillic)")),
            ("cp1253", gettext_lazy("Windows-1253 (Greek)")),
            ("cp1254", gettext_lazy("Windows-1254 (Turkish)")),
            ("cp1257", gettext_lazy("Windows-1257 (Baltic)")),
            ("iso-8859-1", "ISO 8859-1"),
            ("iso-8859-2", "ISO 8859-2"),
            ("iso-8859-15", "ISO 8859-15"),
            ("cp932", gettext_lazy("Shift JIS (Japanese)")),
            ("gb18030", gettext_lazy("GB 18030 (Chinese, simplified)")),
            ("big5", gettext_lazy("Big5 (Chinese, traditional)")),
            ("cp949", gettext_lazy("EUC-KR (Korean)")),
            ("utf-16", "UTF-16"),
            ("utf-16-le", gettext_lazy("UTF-16, little endian")),
            ("utf-16-be", gettext_lazy("UTF-16, big endian")),
            ("utf-32", "UTF-32"),
        ],
    ),
}
TEXTS = {"external_system": gettext_lazy("System of the external IDs")}


QUESTIONS = {
    "decimal": gettext_noop("“%(column)s” can be read in two ways"),
    "date_order": gettext_noop("Days in “%(column)s” can be read in two ways"),
    "currency": gettext_noop("The sign in “%(column)s” belongs to several currencies"),
}


class UploadForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("Content"), choices=Import.Kinds.choices, widget=UnfoldAdminSelectWidget
    )
    file = forms.FileField(label=gettext_lazy("CSV or XLSX file"), widget=UnfoldAdminFileFieldWidget)


class ExportForm(forms.Form):
    """The form of the file that a list is exported to; its names are parameters of the export."""

    headers = forms.ChoiceField(
        label=gettext_lazy("Header"),
        choices=[
            ("labels", gettext_lazy("The labels of the fields")),
            ("keys", gettext_lazy("The keys of the fields, as in the API")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    columns = forms.ChoiceField(
        label=gettext_lazy("Columns"),
        choices=[
            ("all", gettext_lazy("All columns")),
            ("list", gettext_lazy("Only the columns of the list")),
        ],
        widget=UnfoldAdminSelectWidget,
    )


class ChoicesForm(forms.Form):
    """A select of the field for each column, and the options."""

    def __init__(
        self,
        *args: Any,
        source: Import,
        fields: Sequence[ImportField],
        questions: Sequence[dict[str, Any]] = (),
        values: Sequence[dict[str, Any]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.source = source
        self.asked = list(questions)
        self.unknown = list(values)
        self._add_questions()
        self._add_values()
        known = [field for field in fields if not field.is_read_only and not isinstance(field, NewField)]
        choices = [(field.key, field.shown) for field in known]
        new = [field for field in fields if isinstance(field, NewField)]
        for index, column in enumerate(source.columns):
            self.fields[f"column_{index}"] = forms.ChoiceField(
                choices=[("", _("— leave out —")), *_to_create(new, column), *choices],
                required=False,
                label=column["label"],
                initial=source.mapping.get(column["label"]) or "",
                widget=UnfoldAdminSelectWidget(attrs={"aria-label": column["label"]}),
            )
        self.option_names = self._add_options()

    def _add_questions(self) -> None:
        """A select for each column that can be read in several ways."""
        for index, question in enumerate(self.asked):
            self.fields[f"question_{index}"] = forms.ChoiceField(
                choices=[("", _("— choose —")), *((c["value"], c["meaning"]) for c in question["choices"])],
                required=False,
                label=_(QUESTIONS[question["asks"]]) % {"column": question["column"]},
                help_text=_likely(question),
                initial=question["answer"] or "",
                widget=UnfoldAdminSelectWidget,
            )

    def _add_values(self) -> None:
        """A select for each value that is unknown here."""
        for number, field in enumerate(self.unknown):
            created = [(f"={CREATE}", _(field["create_label"]))] if field["can_create"] else []
            choices = [
                ("", _("— choose, or these rows are refused —")),
                *created,
                ("=", _("leave the field empty")),
            ]
            choices += [(f"={choice['value']}", choice["label"]) for choice in field["choices"]]
            for index, value in enumerate(field["values"]):
                self.fields[f"value_{number}_{index}"] = forms.ChoiceField(
                    choices=choices,
                    required=False,
                    label=value["value"],
                    initial="" if value["choice"] is None else f"={value['choice']}",
                    widget=UnfoldAdminSelectWidget(
                        attrs={"aria-label": f"{_(field['label'])}: {value['value']}"}
                    ),
                )

    def question_fields(self) -> list[Any]:
        return [self[f"question_{index}"] for index in range(len(self.asked))]

    def value_groups(self) -> list[tuple[str, list[tuple[Any, int]]]]:
        """The label of each field with unknown values, and their selects with the number of rows."""
        return [
            (
                _(field["label"]),
                [
                    (self[f"value_{number}_{index}"], value["count"])
                    for index, value in enumerate(field["values"])
                ],
            )
            for number, field in enumerate(self.unknown)
        ]

    def _add_options(self) -> list[str]:
        offered = OPTION_CHOICES | (CSV_CHOICES if self.source.format == Import.Formats.CSV else {})
        if len(self.source.sheets) > 1:
            first, *others = self.source.sheets
            offered = {"sheet": (_("Sheet"), [("", first), *((name, name) for name in others)]), **offered}
        for name, (label, choices) in offered.items():
            self.fields[name] = forms.ChoiceField(
                label=label,
                choices=choices,
                initial=self.source.options.get(name),
                widget=UnfoldAdminSelectWidget,
            )
        texts = [name for name in TEXTS if name in self.source.options]
        for name in texts:
            self.fields[name] = forms.CharField(
                label=TEXTS[name],
                required=False,
                initial=self.source.options.get(name),
                widget=UnfoldAdminTextInputWidget,
            )
        return [*offered, *texts]

    def columns(self) -> list[tuple[Any, list[str]]]:
        """The select and the first values of each column."""
        return [
            (self[f"column_{index}"], column["samples"]) for index, column in enumerate(self.source.columns)
        ]

    def options(self) -> list[Any]:
        return [self[name] for name in self.option_names]

    def change(self) -> dict[str, Any]:
        """The change for the service. Options that change the columns leave out the mapping, which is guessed again."""
        given = self.cleaned_data
        options = {
            name: given[name] for name in self.option_names if given[name] != self.source.options.get(name)
        }
        mapping = {
            column["label"]: given[f"column_{index}"] or None
            for index, column in enumerate(self.source.columns)
        }
        is_reread = bool(options.keys() & {"encoding", "delimiter", "sheet"})
        if is_reread:
            return {"options": options}
        answers = {}
        for index, question in enumerate(self.asked):
            answer = given[f"question_{index}"] or None
            if question["asks"] == "currency":
                options |= {"currency": answer} if answer else {}
            elif mapping[question["column"]] == self.source.mapping.get(question["column"]):
                answers[question["column"]] = answer
        return {
            "options": options,
            "mapping": mapping,
            "answers": answers,
            "value_choices": self._chosen_values(),
        }

    def _chosen_values(self) -> dict[str, dict[str, str | None]]:
        given = self.cleaned_data
        chosen: dict[str, dict[str, str | None]] = {}
        for number, field in enumerate(self.unknown):
            for index, value in enumerate(field["values"]):
                choice = given[f"value_{number}_{index}"]
                chosen.setdefault(field["field"], {})[value["value"]] = choice[1:] if choice else None
        return chosen


def _to_create(fields: Sequence[NewField], column: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The types of a new custom field; that which suits the column comes first."""
    suits = column.get("type", "text")
    ordered = sorted(fields, key=lambda field: field.type != suits)
    return [(_("Create a custom field"), [(field.key, field.shown) for field in ordered])] if fields else []


def _likely(question: dict[str, Any]) -> str:
    meaning = next(c["meaning"] for c in question["choices"] if c["value"] == question["suggested"])
    return _("Probably %(meaning)s.") % {"meaning": meaning}
