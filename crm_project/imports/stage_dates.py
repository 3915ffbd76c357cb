"""Columns with the days on which deals entered a stage: `Date entered "Proposal (Sales Pipeline)"`.

The field of such a column has the stage in its key (`entered:Proposal (Sales Pipeline)`), which may be one that the run
creates. A pipeline stands in brackets behind the stage, as HubSpot writes it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm_project.imports import cells
from crm_project.imports.fields import ImportField, patterns, translated
from crm_project.readers import Unreadable
from crm_project.readers.days import read_moment
from crm_project.records.text import fold

PREFIX = "entered:"
LABEL = gettext_noop("Date entered “%(stage)s”")
LONGEST = 255
# What stands in the place of a stage in other headers, such as `Entered by` and `Date entered current stage`.
NO_STAGES = frozenset(
    (
        "by,on,at,in,date,time,stage,current stage,this stage,the stage,deal,deals,record,pipeline,system"
        ",par,le,la,dans,en,por,el,da,il,przez,von,am"
    ).split(",")
)
QUOTES = "\"'“”„«»‘’ \u00a0"


class EnteredField(ImportField):
    """The instant at which a deal entered the stage that the key names."""

    @property
    def stage(self) -> str:
        return self.key.removeprefix(PREFIX)

    @property
    def shown(self) -> str:
        return _(self.label) % {"stage": self.stage}

    def label_in(self, language: str) -> str:
        return translated(self.label, language) % {"stage": self.stage}


@cache
def entered_field(key: str) -> EnteredField | None:
    stage = key.removeprefix(PREFIX)
    is_one = key.startswith(PREFIX) and stage == stage.strip() and 0 < len(stage) <= LONGEST
    return EnteredField(key, LABEL, cells.instant, None) if is_one and "\x00" not in stage else None


def with_pipelines(text: str) -> Iterator[tuple[str, str]]:
    """The stages and pipelines that a text may name: `Offer (EU) (Sales)` → `Offer (EU)` and `Sales`, and so on."""
    for place in range(len(text) - 1, 0, -1):
        if text.endswith(")") and text[place - 1 : place + 1] == " (":
            yield text[: place - 1].strip(), text[place + 1 : -1].strip()


def guess(columns: Sequence[Mapping[str, Any]], known: Sequence[str]) -> dict[str, str]:
    """The keys of the columns whose headers name the entry into a stage.

    `known` are the patterns of the file's source. A header of another form needs cells with days.
    """
    found = {}
    for column in columns:
        stage = _named(column["label"], known)
        if stage is None and column["samples"] and all(map(_is_day, column["samples"])):
            stage = _named(column["label"], patterns("entered"))
        if stage is not None and entered_field(f"{PREFIX}{stage}"):
            found[column["label"]] = f"{PREFIX}{stage}"
    return found


def _named(label: str, known: Sequence[str]) -> str | None:
    for pattern in known:
        match = _compiled(pattern).fullmatch(" ".join(label.split()))
        stage = match["stage"].strip(QUOTES) if match else ""
        if stage and fold(stage) not in NO_STAGES:
            return stage
    return None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    before, _stage, after = pattern.partition("{stage}")
    return re.compile(f"{re.escape(before)}(?P<stage>.+){re.escape(after)}", re.IGNORECASE)


def _is_day(sample: str) -> bool:
    try:
        read_moment(sample)
    except Unreadable:
        return False
    return True
