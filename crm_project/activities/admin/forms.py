"""The form that logs what was done and plans what comes next, in one go."""

import datetime
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, pgettext_lazy

from crm_project.activities.models import Activity
from crm_project.staff.inputs import Day, LongText, PlainText

# The days from today on which the next step may be due by one click; "day" is the day of `next_on`.
WHEN = [
    ("", gettext_lazy("Not now")),
    ("0", gettext_lazy("Today")),
    ("1", gettext_lazy("Tomorrow")),
    ("3", gettext_lazy("In 3 days")),
    ("7", gettext_lazy("In a week")),
    ("day", pgettext_lazy("day", "On")),
]
EMPTY = gettext_noop("Write down what was done, or choose when the next step is due.")


class LogForm(forms.Form):
    """What was done is logged if there is a word about it; the next step is planned if there is a day or a word."""

    type = forms.ChoiceField(choices=Activity.Types.choices, initial="call")
    subject = PlainText(max_length=255, required=False)
    text = LongText(required=False)
    next_type = forms.ChoiceField(choices=Activity.Types.choices[:-1], initial="task")
    next_subject = PlainText(max_length=255, required=False)
    next_when = forms.ChoiceField(choices=WHEN, required=False)
    next_on = Day(required=False)
    next_at = forms.TimeField(required=False)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("next_when") == "day" and not given.get("next_on") and "next_on" not in self.errors:
            self.add_error("next_on", _("Choose a day."))
        if not self.errors and not (self.logs or self.plans):
            self.add_error(None, _(EMPTY))
        return given

    @property
    def logs(self) -> bool:
        return bool(self.cleaned_data["subject"] or self.cleaned_data["text"])

    @property
    def plans(self) -> bool:
        given = self.cleaned_data
        return bool(given["next_subject"] or given["next_when"] or given["next_on"])

    def changes(self, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The new activities: that which was done, and the next step. `about` has their deal, contact and owner."""
        given, changes = self.cleaned_data, []
        if self.logs:
            done = {name: given[name] for name in ("type", "subject", "text")}
            changes.append({**about, **done, "done_at": timezone.now()})
        if self.plans:
            kind = given["next_type"]
            # In the language of the member, who could have typed it.
            subject = given["next_subject"] or str(Activity.Types(kind).label)
            changes.append({**about, "type": kind, "subject": subject, **self._due()})
        return changes

    def _due(self) -> dict[str, Any]:
        """The day, or the instant if there is a time. A time without a day is today's."""
        given = self.cleaned_data
        when, at = given["next_when"], given["next_at"]
        day = given["next_on"] if when in ("day", "") else None
        if day is None and (when not in ("day", "") or at):
            day = timezone.localdate() + datetime.timedelta(days=int(when or 0))
        if day is None:
            return {}
        if at is None:
            return {"due_on": day}
        return {"due_at": timezone.make_aware(datetime.datetime.combine(day, at)).astimezone(datetime.UTC)}
