"""Forms of an import in the admin: the upload, and the mapping of columns with the options."""

from collections.abc import Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from crm_project.imports.fields import ImportField
from crm_project.imports.models import Import

OPTION_CHOICES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "match_on": (
        "Update existing rows with the same",
        [
            ("auto", "UUID, external ID or e-mail"),
            ("external_reference", "external ID"),
            ("email", "e-mail address"),
            ("uuid", "UUID"),
            ("none", "nothing: always create new rows"),
        ],
    ),
    "bad_rows": (
        "If a row has errors",
        [("refuse_all", "import nothing"), ("skip", "import the others")],
    ),
    "empty_cells": (
        "An empty cell",
        [("keep", "leaves the field as it is"), ("clear", "empties the field")],
    ),
    "decimal": ("Decimal sign", [(".", "1,234.50"), (",", "1.234,50")]),
    "date_order": (
        "Date format",
        [("ymd", "2026-12-31"), ("dmy", "31/12/2026"), ("mdy", "12/31/2026")],
    ),
}
CSV_CHOICES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "delimiter": (
        "Columns are separated by",
        [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")],
    ),
    "encoding": (
        "Encoding",
        [
            ("utf-8", "UTF-8"),
            ("cp1252", "Windows-1252 (Western)"),
            ("cp1250", "Windows-1250 (Central European)"),
            ("iso-8859-1", "ISO 8859-1"),
            ("iso-8859-15", "ISO 8859-15"),
            ("utf-16", "UTF-16"),
            ("utf-16-le", "UTF-16, little endian"),
            ("utf-16-be", "UTF-16, big endian"),
            ("utf-32", "UTF-32"),
        ],
    ),
}
TEXTS = {"external_system": "System of the external IDs", "sheet": "Sheet (empty for the first)"}


class UploadForm(forms.Form):
    kind = forms.ChoiceField(label="Content", choices=Import.Kinds.choices, widget=UnfoldAdminSelectWidget)
    file = forms.FileField(label="CSV or XLSX file", widget=UnfoldAdminFileFieldWidget)


class ChoicesForm(forms.Form):
    """A select of the field for each column, and the options."""

    def __init__(self, *args: Any, source: Import, fields: Sequence[ImportField], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source = source
        choices = [(field.key, field.label) for field in fields if not field.is_read_only]
        for index, column in enumerate(source.columns):
            self.fields[f"column_{index}"] = forms.ChoiceField(
                choices=[("", "— leave out —"), *choices],
                required=False,
                label=column["label"],
                initial=source.mapping.get(column["label"]) or "",
                widget=UnfoldAdminSelectWidget(attrs={"aria-label": column["label"]}),
            )
        self.option_names = self._add_options()

    def _add_options(self) -> list[str]:
        offered = OPTION_CHOICES | (CSV_CHOICES if self.source.format == Import.Formats.CSV else {})
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
        return {"options": options} if is_reread else {"options": options, "mapping": mapping}
