"""What a file leaves open: the decimal sign or the order of days of a column, to be answered before the run."""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from django.utils.dateformat import format as formatted
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm_project.accounts.models import Member, Organization
from crm_project.errors import FieldError
from crm_project.imports.cells import CellFormat
from crm_project.imports.fields import ImportField
from crm_project.imports.mapping import export_language
from crm_project.imports.models import Import
from crm_project.imports.sources import source_named
from crm_project.readers.days import read_moment
from crm_project.readers.figures import read_figure

AUTO = "auto"


class Notations:
    """The notation of each column of a file: what its cells show, what was answered, or what is still open."""

    def __init__(self, source: Import, fields: Mapping[str, ImportField], organization: Organization) -> None:
        self.source = source
        self.fields = fields
        self.organization = organization
        known = source_named(source.kind, source.recognized_as)
        self.units = known.units if known else {}
        self.columns = {column["label"]: column for column in source.columns}

    def format_of(self, label: str) -> CellFormat:
        """How the cells of a column are read."""
        return CellFormat(
            self.notation(label, "decimal"),
            self.notation(label, "date_order"),
            self.zone,
            self.units.get(label, ""),
        )

    @cached_property
    def zone(self) -> ZoneInfo:
        """That of times without an offset: the organization's, or in a file that a member downloaded the member's."""
        if export_language(list(self.columns), list(self.fields.values())):
            uploader: Member = self.source.member
            return uploader.zone
        return ZoneInfo(self.organization.time_zone)

    def notation(self, label: str, name: str) -> str:
        """The option for the whole file, else the answer, else what the column shows; empty if it is open."""
        chosen = self.source.options.get(name, AUTO)
        if chosen != AUTO:
            return str(chosen)
        choices = self._choices(label, name)
        answer = self.source.answers.get(label)
        if answer in choices:
            return str(answer)
        return choices[0] if len(choices) == 1 else ""

    def _choices(self, label: str, name: str) -> list[str]:
        """The notations that the column may have. Days are in one order throughout a file."""
        evidence = self.columns.get(label, {}).get(name)
        choices: list[str] = evidence["choices"] if evidence else []
        if name == "date_order" and len(choices) > 1 and not evidence["contradictory"]:
            orders = {order for other in self.columns.values() for order in _decided(other)}
            if len(orders) == 1 and orders <= set(choices):
                return list(orders)
        return choices

    def questions(self) -> list[dict[str, Any]]:
        """The open notations of the mapped columns, also those that are answered."""
        found = []
        for label, key in self.source.mapping.items():
            name = self.fields[key].asks if key in self.fields else ""
            if not name or self.source.options.get(name, AUTO) != AUTO:
                continue
            choices = self._choices(label, name)
            if len(choices) > 1:
                found.append(self._question(label, name, choices))
        return found + self._currencies()

    def _currencies(self) -> list[dict[str, Any]]:
        """The sign of several currencies beside amounts, without a column of currencies. The option answers it."""
        amounts = [
            label
            for label, key in self.source.mapping.items()
            if key in self.fields and self.fields[key].is_money
        ]
        if "currency" in self.source.mapping.values():
            return []
        answer = self.source.options.get("currency") or None
        found = []
        for label in amounts:
            for sign, (codes, sample) in self.columns[label].get("signs", {}).items():
                habit = self.organization.currency
                found.append(
                    {
                        "column": label,
                        "asks": "currency",
                        "samples": [sample],
                        "choices": [{"value": code, "meaning": f"{sign} = {code}"} for code in codes],
                        "suggested": habit if habit in codes else codes[0],
                        "answer": answer if answer in codes else None,
                    }
                )
        return found

    def _question(self, label: str, name: str, choices: Sequence[str]) -> dict[str, Any]:
        evidence = self.columns[label][name]
        answer = self.source.answers.get(label)
        return {
            "column": label,
            "asks": name,
            "samples": evidence["samples"],
            "choices": [
                {"value": choice, "meaning": meaning_of(name, choice, evidence["samples"])}
                for choice in choices
            ],
            "suggested": self._suggested(name, evidence, choices),
            "answer": answer if answer in choices else None,
        }

    def _suggested(self, name: str, evidence: Mapping[str, Any], choices: Sequence[str]) -> str:
        """The more probable answer: what most cells show, groups of three digits, the habit of the organization."""
        votes = evidence["votes"]
        most = max(choices, key=lambda choice: votes.get(choice, 0))
        if evidence["contradictory"]:
            return most
        if name == "decimal":
            wholes = [sign for sign in choices if _is_whole(sign, evidence["samples"])]
            return wholes[0] if wholes else choices[0]
        # Spreadsheets separate columns by semicolons where the day comes first.
        habit = "dmy" if self.source.options.get("delimiter") == ";" else order_of(self.organization)
        return habit if habit in choices else choices[0]


def kind_options(source: Import) -> dict[str, Any]:
    """The options of a kind of import for this file: those of the file, its source, and its values."""
    values: dict[str, list[str]] = {}
    for column in source.columns:
        key = source.mapping.get(column["label"])
        if key and column.get("values"):
            values.setdefault(key, []).extend(text for text, _count in column["values"])
    return {
        **source.options,
        "recognized_as": source.recognized_as,
        "value_choices": source.value_choices,
        "file_values": values,
        "mapped": list(dict.fromkeys(filter(None, source.mapping.values()))),
    }


def unknown_values(source: Import, kind: Any) -> list[dict[str, Any]]:
    """For each field whose cells name one of a few things: the values that are unknown, with their number of rows."""
    found = []
    headers = kind.values_of_headers(source.columns, source.mapping)
    for key, field in kind.value_fields.items():
        columns = [column for column in source.columns if source.mapping.get(column["label"]) == key]
        chosen = source.value_choices.get(key, {})
        counts: Counter[str] = Counter()
        for column in columns:
            counts.update(dict(column.get("values") or ()))
        labels, of_headers = headers.get(key, ((), {}))
        unknown = {text: count for text, count in counts.items() if text in chosen or not field.knows(text)}
        unknown |= {text: max(unknown.get(text, 0), count) for text, count in of_headers.items()}
        if unknown:
            found.append(
                {
                    "field": key,
                    "label": kind.by_key[key].label,
                    "columns": [*(column["label"] for column in columns), *labels],
                    "choices": [{"value": value, "label": label} for value, label in field.choices()],
                    "can_create": field.create is not None,
                    "create_label": field.created_as,
                    "values": [
                        {"value": text, "count": count, "choice": chosen.get(text)}
                        for text, count in unknown.items()
                    ],
                }
            )
    return found


def open_questions(questions: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """An error for each question without an answer."""
    template = gettext_noop(
        "Cells of this column can be read in several ways, such as %(sample)s. Say which one is meant."
    )
    return [
        FieldError(_place(question), "required", template, {"sample": ", ".join(question["samples"][:1])})
        for question in questions
        if question["answer"] is None
    ]


def _place(question: Mapping[str, Any]) -> str:
    return "options.currency" if question["asks"] == "currency" else f"answers.{question['column']}"


def answer_errors(answers: Mapping[str, Any], questions: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """The errors of answers: unknown columns, and answers that are no choice."""
    choices = {
        question["column"]: [choice["value"] for choice in question["choices"]]
        for question in questions
        if question["asks"] != "currency"
    }
    errors = []
    for label, answer in answers.items():
        place = f"answers.{label}"
        if label not in choices:
            errors.append(FieldError(place, "unknown_field", "Nothing is asked about such a column."))
        elif answer is not None and answer not in choices[label]:
            params = {"choices": ", ".join(map(repr, choices[label]))}
            errors.append(FieldError(place, "invalid_choice", "One of: %(choices)s.", params))
    return errors


def meaning_of(name: str, choice: str, samples: Sequence[str]) -> str:
    """The first sample as it is read with this choice: `1500`, or `3 April 2025`."""
    for sample in samples:
        if name == "decimal":
            value = read_figure(sample).values.get(choice)
            if value is not None:
                return f"{sample} = {value:f}"
        else:
            day = read_moment(sample).days.get(choice)
            if day is not None:
                return f"{sample} = {spelled_out(day)}"
    names = {"dmy": _("day, month, year"), "mdy": _("month, day, year"), "ymd": _("year, month, day")}
    return names.get(choice, choice)


def spelled_out(day: datetime.date) -> str:
    """`3 April 2025`, with the month in the language of the reader."""
    return f"{day.day} {formatted(day, 'E')} {day.year}"


def order_of(organization: Organization) -> str:
    """The usual order of days in the organization's country and language."""
    language = organization.language.replace("-", "_")
    for tag in (f"{language[:2]}_{organization.country}", language):
        try:
            pattern = str(Locale.parse(tag).date_formats["short"].pattern).lower()
        except (UnknownLocaleError, ValueError):
            continue
        return "".join(dict.fromkeys(letter for letter in pattern if letter in "dmy"))
    return ""


def _decided(column: Mapping[str, Any]) -> list[str]:
    evidence = column.get("date_order")
    return evidence["choices"] if evidence and len(evidence["choices"]) == 1 else []


def _is_whole(sign: str, samples: Sequence[str]) -> bool:
    values = [read_figure(sample).values.get(sign) for sample in samples]
    return all(value is not None and value == value.to_integral_value() for value in values)
