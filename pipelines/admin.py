"""Pipelines in the admin, with their stages in order; a stage leaves by its own page, which moves its deals first."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import TabularInline

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.errors import DomainError, FieldError, counted
from crm_project.staff import display
from crm_project.staff.actions import AdminAction, RestoreAct, TrashAct, act_url, each
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import TRASH
from crm_project.staff.forms import StaffForm, references_field
from crm_project.staff.inputs import Color, Select, TextInput, WholeNumber
from crm_project.staff.request_actor import visible
from pipelines import services
from pipelines.hooks import hooks
from pipelines.models import Pipeline, Stage

STAGE_FIELDS = ("name", "color", "probability", "kind")


class PipelineForm(StaffForm):
    labels: ClassVar[Mapping[str, str]] = {"is_default": "Default", "is_active": "Active"}
    help_texts: ClassVar[Mapping[str, str]] = {
        "is_default": "New deals that name no pipeline begin here.",
        "is_active": "Off: takes no new deals.",
    }
    external_references = references_field()

    def tell(self, refusal: DomainError) -> None:
        """What is wrong with a stage is told in its row."""
        own = [wrong for wrong in refusal.fields if not wrong.field.startswith("stages.")]
        if own or not refusal.fields:
            super().tell(type(refusal)(refusal.template, refusal.params, code=refusal.code, fields=own))


class StageForm(StaffForm):
    position = WholeNumber(required=False, widget=TextInput({"class": "crm-short"}))
    probability = WholeNumber(
        required=False, label="Probability, %", widget=TextInput({"class": "crm-short"})
    )
    color = forms.CharField(label="Colour", widget=Color(), initial="#3b82f6")
    kind = forms.ChoiceField(choices=Stage.Kinds.choices, widget=Select(), initial=Stage.Kinds.OPEN)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            # In a table the head of the column is all that the eye needs, and nothing to a screen reader.
            field.widget.attrs.setdefault("aria-label", f"{field.label} of the stage")

    def entry(self) -> dict[str, Any]:
        """The stage as the pipeline's service takes it: of an existing one, what was changed."""
        names = set(self.changed_data) if self.instance.pk else set(STAGE_FIELDS)
        entry = {name: self.cleaned_data[name] for name in STAGE_FIELDS if name in names}
        if entry.get("probability", 0) is None:
            del entry["probability"]
        return {**entry, **({"id": self.instance.pk} if self.instance.pk else {})}


class StagePageForm(StaffForm):
    external_references = references_field()


class StageFormSet(BaseInlineFormSet):
    """The stages of one pipeline, in the order of their positions; those that came meanwhile keep their place."""

    refusal: ClassVar[DomainError | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        rows = Stage.objects.in_order()
        super().__init__(*args, **{**kwargs, "queryset": rows})

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound:
            return
        if any(form.instance.pk is None for form in self.initial_forms):
            self._non_form_errors.append("A stage was removed meanwhile. Open the pipeline again.")  # type: ignore[attr-defined]
        for wrong in self.refusal.fields if self.refusal else ():
            self._tell(wrong)

    def _tell(self, wrong: FieldError) -> None:
        """`stages.1.name` is the name in the second row of those that were sent."""
        words, order = wrong.field.split("."), self.in_order()
        if len(words) == 3 and words[0] == "stages" and words[1].isdigit() and int(words[1]) < len(order):
            form = order[int(words[1])]
            form.add_error(words[2] if words[2] in form.fields else None, wrong.detail)

    def in_order(self) -> list[Any]:
        """The forms that hold a stage, as they shall stand."""
        filled = [form for form in self.forms if form.instance.pk or form.has_changed()]
        return sorted(filled, key=lambda form: _place(form, self.forms.index(form)))

    def validate_unique(self) -> None:
        """Positions are given anew by the service."""

    def entries(self) -> list[dict[str, Any]]:
        """All stages as the service takes them. Those that somebody added meanwhile stay, at the end."""
        entries = [form.entry() for form in self.in_order()]
        named = {entry["id"] for entry in entries if "id" in entry}
        if self.instance.pk is None:
            return entries
        held = Stage.objects.in_order().filter(pipeline=self.instance).values_list("pk", flat=True)
        return [*entries, *({"id": pk} for pk in held if pk not in named)]


def _place(form: Any, index: int) -> tuple[int, int]:
    position = getattr(form, "cleaned_data", {}).get("position")
    return (index if position is None else position, index)


class StageInline(TabularInline):
    model = Stage
    form = StageForm
    formset = StageFormSet
    extra = 0
    can_delete = False
    ordering_field = "position"
    hide_title = True
    verbose_name_plural = "Stages, in order"
    fields: ClassVar[Any] = ("name", "color", "probability", "kind", "position", "removal", "seen")
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
        made = super().get_formset(request, obj, **kwargs)
        made.refusal = getattr(request, "staff_refusal", None)
        return made

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj else 3

    @admin.display(description="Stage")
    def chip(self, stage: Stage) -> Any:
        return display.chip(stage.name, stage.color)

    @admin.display(description="")
    def removal(self, stage: Stage) -> Any:
        if not stage.pk:
            return ""
        page = admin.site._registry[Stage]
        back = f"/admin/pipelines/pipeline/{stage.pipeline_id}/change/"
        url = act_url(page, page.act("trash"), [stage.pk], back=back)  # type: ignore[attr-defined]
        return format_html('<a class="crm-link" href="{}">Remove…</a>', url)


def _pipelines(inline: Any) -> Any:
    return inline.admin_site._registry[Pipeline]


class TrashWithDeals(TrashAct):
    """Asks where to move the deals that stand there, if any do."""

    on_many = False

    def stages(self, rows: Sequence[Any]) -> list[int]:
        raise NotImplementedError

    def uses(self, rows: Sequence[Any]) -> int:
        return hooks.count_uses(self.stages(rows))

    def note(self, rows: Sequence[Any]) -> str:
        count = self.uses(rows)
        return f"It holds {counted(count, 'deal')}. Say where to move to." if count else "It holds no deals."

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Any]) -> dict[str, forms.Field]:
        going = self.stages(rows)
        if not self.uses(rows):
            return {}
        others = visible(request, Stage).exclude(pk__in=going).select_related("pipeline")
        choices = [
            (stage.pk, f"{stage.pipeline.name}: {stage.name}")
            for stage in others.order_by("pipeline", "position")
        ]
        field = forms.TypedChoiceField(
            choices=[("", "Select a stage"), *choices],
            coerce=int,
            empty_value=None,
            label="Move the deals to",
            widget=Select(),
        )
        return {"move_deals_to": field}


class TrashPipeline(TrashWithDeals):
    label = "Remove pipeline"

    def stages(self, rows: Sequence[Any]) -> list[int]:
        return list(Stage.objects.in_order().filter(pipeline__in=rows).values_list("pk", flat=True))


class TrashStage(TrashWithDeals):
    label = "Remove stage"

    def note(self, rows: Sequence[Any]) -> str:
        pipelines = ", ".join(dict.fromkeys(row.pipeline.name for row in rows))
        return f"A stage of {pipelines}. {super().note(rows)}"

    def stages(self, rows: Sequence[Any]) -> list[int]:
        return [row.pk for row in rows]


class RestoreStage(RestoreAct):
    explanation = "Comes back as the last stage of its pipeline."


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
    acts: ClassVar[Sequence[AdminAction]] = (
        TrashPipeline(each(services.trash_pipeline, "pipeline"), on_many=False),
        RestoreAct(each(services.restore_pipeline, "pipeline")),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: Any = super().get_queryset(request)
        return rows.with_stages()

    def tools_for(self, request: HttpRequest) -> list[dict[str, str]]:
        """Stages have no list of their own in the menu; what was removed of them is found from here."""
        own = super().tools_for(request)
        url = f"{reverse('admin:pipelines_stage_changelist')}?{TRASH}=only"
        return [*own, {"label": "Removed stages", "icon": "delete_sweep", "url": url}] if own else own

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        names = ["name", "description", "is_default", "is_active"]
        return [
            (None, {"fields": names}),
            ("References", {"fields": ["external_references"], "classes": ["collapse"]}),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_active": True, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Pipeline and stages are one write, which `save_related` makes: only then are the stages known."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        actor, stages, wanted = self.actor(request), formsets[0], form.change()
        row = form.instance
        if not change or stages.has_changed():
            wanted["stages"] = stages.entries()
        if not change:
            saved = services.create_pipeline(actor=actor, change=wanted)
        else:
            saved = services.update_pipeline(actor=actor, pipeline=row, change=wanted) if wanted else row
        vars(row).update(vars(saved))

    @admin.display(description="Default")
    def default(self, pipeline: Pipeline) -> str:
        return "Default" if pipeline.is_default else display.NOTHING

    @admin.display(description="Active", boolean=True)
    def active(self, pipeline: Pipeline) -> bool:
        return pipeline.is_active

    @admin.display(description="Stages")
    def stage_chips(self, pipeline: Any) -> Any:
        chips = [display.chip(stage.name, stage.color) for stage in pipeline.live_stages]
        return (
            format_html('<span class="crm-chips">{}</span>', display.joined(chips))
            if chips
            else display.NOTHING
        )


@admin.register(Stage)
class StageAdmin(StaffModelAdmin):
    """Stages are edited with their pipeline; on its own a stage has what is rarely needed, and how to remove it."""

    form = StagePageForm
    edit_permission = Permission.EDIT_PIPELINES
    search_fields: ClassVar[Any] = ("name",)
    select_related: ClassVar[Any] = ("pipeline",)
    ordering: ClassVar[Any] = ("pipeline", "position")
    list_display: ClassVar[Any] = ("name", "pipeline", "kind")
    has_trash = True
    acts: ClassVar[Sequence[AdminAction]] = (
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
