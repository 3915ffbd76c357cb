"""Pipelines in the admin, with their stages in order. A stage is removed on its own page, which moves its deals."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from unfold.admin import TabularInline

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.errors import DomainError, FieldError, Uses
from crm_project.generics import AnyBaseInlineFormSet
from crm_project.records.kinds import kinds
from crm_project.staff import display
from crm_project.staff.actions import AdminAction, Reach, RestoreAction, TrashAction, action_url, each
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import TRASH
from crm_project.staff.forms import StaffForm, references_field
from crm_project.staff.inputs import Color, Select, TextInput, WholeNumber
from crm_project.staff.request_actor import visible
from pipelines import services
from pipelines.hooks import hooks
from pipelines.models import DEFAULT_STALE_AFTER_DAYS, ForecastCategories, Pipeline, Stage
from pipelines.rules import missing_kinds

STAGE_FIELDS = ("name", "color", "probability", "kind", "forecast_category", "stale_after_days")


class PipelineForm(StaffForm):
    labels: ClassVar[Mapping[str, str | Promise]] = {
        "is_default": pgettext_lazy("pipeline", "Default"),
        "is_active": pgettext_lazy("pipeline", "Active"),
    }
    help_texts: ClassVar[Mapping[str, str | Promise]] = {
        "is_default": gettext_lazy("The pipeline of new deals, unless another one is chosen."),
        "is_active": gettext_lazy("If off, new deals cannot be added to it."),
    }
    external_references = references_field()

    def add_refusal(self, refusal: DomainError) -> None:
        """Add the errors of the pipeline. StageFormSet adds those of the stages to their rows."""
        own = [wrong for wrong in refusal.fields if not wrong.field.startswith("stages.")]
        if own or not refusal.fields:
            super().add_refusal(
                type(refusal)(refusal.template, refusal.params, code=refusal.code, fields=own)
            )


class StageForm(StaffForm):
    position = WholeNumber(required=False, widget=TextInput({"class": "crm-short"}))
    probability = WholeNumber(
        required=False, label=gettext_lazy("Probability, %"), widget=TextInput({"class": "crm-short"})
    )
    color = forms.CharField(label=gettext_lazy("Colour"), widget=Color(), initial="#3b82f6")
    kind = forms.ChoiceField(choices=Stage.Kinds.choices, widget=Select(), initial=Stage.Kinds.OPEN)
    forecast_category = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Forecast"),
        choices=ForecastCategories.choices,
        widget=Select(),
        initial=ForecastCategories.PIPELINE,
    )
    stale_after_days = WholeNumber(
        required=False,
        label=gettext_lazy("Stale after, days"),
        widget=TextInput({"class": "crm-short", "placeholder": str(DEFAULT_STALE_AFTER_DAYS)}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.kind != Stage.Kinds.OPEN:
            # A closing stage has no limit.
            del self.fields["stale_after_days"].widget.attrs["placeholder"]
        for field in self.fields.values():
            # Screen readers do not read the header of a column as the label of a field.
            label = _("%(field)s of the stage") % {"field": field.label}
            field.widget.attrs.setdefault("aria-label", label)

    def entry(self) -> dict[str, Any]:
        """The stage for the service of the pipeline; of an existing stage the changed fields."""
        names = set(self.changed_data) if self.instance.pk else set(STAGE_FIELDS)
        entry = {name: self.cleaned_data[name] for name in STAGE_FIELDS if name in names}
        # What is left out keeps its value; a new stage gets the default of the service.
        for name, nothing in (("probability", None), ("forecast_category", "")):
            if entry.get(name, "given") == nothing:
                del entry[name]
        return {**entry, **({"id": self.instance.pk} if self.instance.pk else {})}


class StagePageForm(StaffForm):
    external_references = references_field()


class StageFormSet(AnyBaseInlineFormSet):
    """The stages of a pipeline by position, including stages that another member has added in the meantime."""

    refusal: ClassVar[DomainError | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        rows = Stage.objects.in_order()
        super().__init__(*args, **{**kwargs, "queryset": rows})

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound:
            return
        if any(form.instance.pk is None for form in self.initial_forms):
            text = _("Somebody else has removed a stage. Open the pipeline again.")
            self._non_form_errors.append(text)  # type: ignore[attr-defined]
        for wrong in self.refusal.fields if self.refusal else ():
            self._add_error(wrong)

    def _add_error(self, wrong: FieldError) -> None:
        """Add an error to its form: `stages.1.name` is the name in the second of the forms in order."""
        path, order = wrong.field.split("."), self.in_order()
        if len(path) == 3 and path[0] == "stages" and path[1].isdigit() and int(path[1]) < len(order):
            form = order[int(path[1])]
            form.add_error(path[2] if path[2] in form.fields else None, wrong.detail)

    def in_order(self) -> list[Any]:
        """The forms with a stage, in the order of their positions."""
        filled = [form for form in self.forms if form.instance.pk or form.has_changed()]
        return sorted(filled, key=lambda form: _position(form, self.forms.index(form)))

    def validate_unique(self) -> None:
        """Skip: the service assigns the positions."""

    def entries(self) -> list[dict[str, Any]]:
        """All stages for the service. Stages that another member has added in the meantime come last."""
        entries = [form.entry() for form in self.in_order()]
        sent = {entry["id"] for entry in entries if "id" in entry}
        if self.instance.pk is None:
            return entries
        stored = Stage.objects.in_order().filter(pipeline=self.instance).values_list("pk", flat=True)
        return [*entries, *({"id": pk} for pk in stored if pk not in sent)]


def _position(form: Any, index: int) -> tuple[int, int]:
    position = getattr(form, "cleaned_data", {}).get("position")
    return (index if position is None else position, index)


class StageInline(TabularInline):  # type: ignore[misc]
    model = Stage
    form = StageForm
    formset = StageFormSet
    extra = 0
    can_delete = False
    ordering_field = "position"
    hide_title = True
    verbose_name_plural = gettext_lazy("Stages, in order")
    fields: ClassVar[Any] = (*STAGE_FIELDS, "position", "removal", "seen")
    readonly_fields: ClassVar[Any] = ("removal", "chip")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _pipelines(self).has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _pipelines(self).has_change_permission(request)

    has_change_permission = has_add_permission

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields) if self.has_change_permission(request) else ["chip", "probability", "kind"]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.refusal = getattr(request, "staff_refusal", None)
        return formset

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj else 3

    @admin.display(description=gettext_lazy("Stage"))
    def chip(self, stage: Stage) -> Any:
        return display.chip(stage.name, stage.color)

    @admin.display(description=gettext_lazy("Remove"))
    def removal(self, stage: Stage) -> Any:
        if not stage.pk:
            return ""
        page = admin.site._registry[Stage]
        back = f"/admin/pipelines/pipeline/{stage.pipeline_id}/change/"
        url = action_url(page, page.row_action("trash"), [stage.pk], back=back)  # type: ignore[attr-defined]
        return format_html('<a class="crm-link" href="{}">{}</a>', url, _("Remove…"))


def _pipelines(inline: Any) -> "PipelineAdmin":
    page: PipelineAdmin = inline.admin_site._registry[Pipeline]
    return page


class TrashWithDeals(TrashAction):
    """Asks for a stage to which the deals of the removed stages move, if there are any."""

    on_many = False

    def stages(self, rows: Sequence[Any]) -> list[int]:
        raise NotImplementedError

    def uses(self, actor: Actor, rows: Sequence[Any]) -> Uses:
        return hooks.count_uses(actor, self.stages(rows))

    def reach(self, actor: Actor, rows: Sequence[Any]) -> Reach:
        return {**super().reach(actor, rows), kinds["deal"].model: self.uses(actor, rows).count}

    def note(self, actor: Actor, rows: Sequence[Any]) -> str:
        uses = self.uses(actor, rows)
        if uses.others:
            return _("It has %(uses)s. An admin can remove it.") % {"uses": uses}
        if uses:
            return _("It has %(uses)s. Choose a stage for its deals.") % {"uses": uses}
        return _("It has no deals.")

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Any]) -> dict[str, forms.Field]:
        removed = self.stages(rows)
        uses = self.uses(actor, rows)
        if not uses or uses.others:
            return {}
        others = visible(request, Stage).exclude(pk__in=removed).select_related("pipeline")
        choices = [
            (stage.pk, f"{stage.pipeline.name}: {stage.name}")
            for stage in others.order_by("pipeline", "position")
        ]
        field = forms.TypedChoiceField(
            choices=[("", _("Select a stage")), *choices],
            coerce=int,
            empty_value=None,
            label=_("Move the deals to"),
            widget=Select(),
        )
        return {"move_deals_to": field}


class TrashPipeline(TrashWithDeals):
    label = gettext_lazy("Remove pipeline")

    def reach(self, actor: Actor, rows: Sequence[Any]) -> Reach:
        return {**super().reach(actor, rows), Stage: len(self.stages(rows))}

    def stages(self, rows: Sequence[Any]) -> list[int]:
        return list(Stage.objects.in_order().filter(pipeline__in=rows).values_list("pk", flat=True))


class TrashStage(TrashWithDeals):
    label = gettext_lazy("Remove stage")

    def note(self, actor: Actor, rows: Sequence[Any]) -> str:
        pipelines = ", ".join(dict.fromkeys(row.pipeline.name for row in rows))
        place = _("A stage of %(pipelines)s.") % {"pipelines": pipelines}
        moving = [_("The stages behind it move up.")] if self._behind(rows) else []
        return " ".join([place, super().note(actor, rows), *moving])

    def reach(self, actor: Actor, rows: Sequence[Any]) -> Reach:
        reach = super().reach(actor, rows)
        return {**reach, Stage: reach[Stage] + self._behind(rows)}

    def _behind(self, rows: Sequence[Any]) -> int:
        """The number of stages that get another position."""
        return sum(
            Stage.objects.live().filter(pipeline=row.pipeline_id, position__gt=row.position).count()
            for row in rows
            if row.position is not None
        )

    def stages(self, rows: Sequence[Any]) -> list[int]:
        return [row.pk for row in rows]


class RestorePipeline(RestoreAction):
    """A pipeline is restored with the stages that were removed with it."""

    def reach(self, actor: Actor, rows: Sequence[Any]) -> Reach:
        stages = sum(Stage.objects.filter(pipeline=row, deleted_at=row.deleted_at).count() for row in rows)
        return {**super().reach(actor, rows), Stage: stages}


class RestoreStage(RestoreAction):
    explanation = gettext_lazy("It becomes the last stage of its pipeline.")


# What a pipeline without a stage of a kind lacks, and what follows.
MISSING = {
    "open": (
        gettext_lazy("No open stage"),
        gettext_lazy("A new deal has no open stage to begin in: add one of the kind “Open”."),
    ),
    "won": (
        gettext_lazy("No won stage"),
        gettext_lazy(
            "A deal that is won stays in the stage where it was, among deals that are not: add a stage of the kind"
            " “Won”."
        ),
    ),
    "lost": (
        gettext_lazy("No lost stage"),
        gettext_lazy(
            "A deal that is lost stays in the stage where it was, among deals that are not: add a stage of the kind"
            " “Lost”."
        ),
    ),
}


@admin.register(Pipeline)
class PipelineAdmin(StaffModelAdmin):
    form = PipelineForm
    edit_permission = Permission.EDIT_PIPELINES
    search_fields: ClassVar[Any] = ("name",)
    ordering: ClassVar[Any] = ("-is_default", "id")
    list_display: ClassVar[Any] = ("name", "stage_chips", "default", "active")
    sortable_by: ClassVar[Any] = ()
    inlines: ClassVar[Any] = (StageInline,)
    has_trash = True
    row_actions: ClassVar[Sequence[AdminAction]] = (
        TrashPipeline(each(services.trash_pipeline, "pipeline"), on_many=False),
        RestorePipeline(each(services.restore_pipeline, "pipeline")),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: Any = super().get_queryset(request)
        return rows.with_stages()

    def tools_for(self, request: HttpRequest) -> list[dict[str, str]]:
        """Link to the removed stages: the menu has no list of stages."""
        own = super().tools_for(request)
        url = f"{reverse('admin:pipelines_stage_changelist')}?{TRASH}=only"
        return [*own, {"label": _("Removed stages"), "icon": "delete_sweep", "url": url}] if own else own

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        names = ["name", "description", "is_default", "is_active"]
        return [
            (None, {"fields": names}),
            (_("References"), {"fields": ["external_references"], "classes": ["collapse"]}),
        ]

    def header(self, request: HttpRequest, row: Any) -> dict[str, Any] | None:
        """The kinds of which the pipeline has no stage, with what follows from it."""
        stages = list(Stage.objects.in_order().filter(pipeline=row))
        missing = [MISSING[kind] for kind in missing_kinds(stages)]
        return {"template": "admin/pipelines/missing.html", "missing": missing} if missing else None

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_active": True, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Pipeline and stages are one write, in `save_related`, where the forms of the stages are available."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        actor, stages, values = self.actor(request), formsets[0], form.change()
        row = form.instance
        if not change or stages.has_changed():
            values["stages"] = stages.entries()
        if not change:
            saved = services.create_pipeline(actor=actor, change=values)
        else:
            saved = services.update_pipeline(actor=actor, pipeline=row, change=values) if values else row
        vars(row).update(vars(saved))

    @admin.display(description=pgettext_lazy("pipeline", "Default"))
    def default(self, pipeline: Pipeline) -> str:
        return pgettext("pipeline", "Default") if pipeline.is_default else display.NOTHING

    @admin.display(description=pgettext_lazy("pipeline", "Active"))
    def active(self, pipeline: Pipeline) -> str:
        return display.yes_or_no(pipeline.is_active)

    @admin.display(description=gettext_lazy("Stages"))
    def stage_chips(self, pipeline: Any) -> Any:
        chips = [display.chip(stage.name, stage.color) for stage in pipeline.live_stages]
        chips += [display.warning(str(MISSING[kind][0])) for kind in missing_kinds(pipeline.live_stages)]
        return (
            format_html('<span class="crm-chips">{}</span>', display.joined(chips))
            if chips
            else display.NOTHING
        )


@admin.register(Stage)
class StageAdmin(StaffModelAdmin):
    """Stages are edited with their pipeline. The page of a stage has its other fields and the removal."""

    form = StagePageForm
    edit_permission = Permission.EDIT_PIPELINES
    search_fields: ClassVar[Any] = ("name",)
    select_related: ClassVar[Any] = ("pipeline",)
    ordering: ClassVar[Any] = ("pipeline", "position")
    list_display: ClassVar[Any] = ("name", "pipeline", "kind")
    has_trash = True
    row_actions: ClassVar[Sequence[AdminAction]] = (
        TrashStage(each(services.trash_stage, "stage"), on_many=False),
        RestoreStage(each(services.restore_stage, "stage")),
    )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": ["name", "description", "external_references"]})]

    def update(self, actor: Actor, row: Stage, change: dict[str, Any]) -> Stage:
        return services.update_stage(actor=actor, stage=row, change=change)
