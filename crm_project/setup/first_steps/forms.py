"""The forms of the guide, beside those of the pages that it leads to."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from crm_project.errors import DomainError
from crm_project.staff.inputs import PlainText
from pipelines.admin import StageForm
from pipelines.models import Stage

# Open stages come before those that close a deal.
ORDER = [kind.value for kind in Stage.Kinds]
MOST_STAGES = 40


class NameForm(forms.Form):
    full_name = PlainText(required=False, max_length=255, label=gettext_lazy("Your name"))


class PipelineNameForm(forms.Form):
    pipeline = PlainText(max_length=255, label=gettext_lazy("Name of the pipeline"))


class StageRow(StageForm):
    """A stage in a row; one without a name is left out."""

    name = PlainText(required=False, max_length=255, label=gettext_lazy("Name"))
    stage = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Stage
        fields: ClassVar[tuple[str, ...]] = ()

    def entry(self) -> dict[str, Any]:
        key = self.cleaned_data["stage"]
        return {**super().entry(), **({"id": key} if key else {})}


class StageRowsBase(forms.BaseFormSet):  # type: ignore[type-arg]
    def filled(self) -> list[Any]:
        """The forms of the stages that have a name, in the order of their kinds."""
        named = [form for form in self.forms if form.cleaned_data.get("name", "").strip()]
        return sorted(named, key=lambda form: ORDER.index(form.cleaned_data["kind"]))

    def entries(self) -> list[dict[str, Any]]:
        return [form.entry() for form in self.filled()]

    def add_refusal(self, refusal: DomainError) -> list[str]:
        """Add the errors of a refusal to the rows; those of no row are returned."""
        rows, others = self.filled(), []
        for wrong in refusal.fields:
            path = wrong.field.split(".")
            if len(path) == 3 and path[0] == "stages" and int(path[1]) < len(rows):
                row = rows[int(path[1])]
                row.add_error(path[2] if path[2] in row.fields else None, wrong.detail)
            else:
                others.append(wrong.detail)
        return others if refusal.fields else [refusal.detail]


StageRows = forms.formset_factory(
    StageRow, formset=StageRowsBase, extra=1, max_num=MOST_STAGES, absolute_max=MOST_STAGES
)
