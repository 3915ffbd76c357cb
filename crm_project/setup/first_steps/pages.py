"""The pages of the guide through the first steps. Each has the form of one step; none of them is required."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm_project.accounts import invitations, services
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Invitation, Organization
from crm_project.accounts.rules import Permission
from crm_project.changes import change_set
from crm_project.errors import DomainError
from crm_project.mail.services import has_mail_server
from crm_project.setup.first_steps.forms import NameForm, PipelineNameForm, StageRows
from crm_project.setup.first_steps.guesses import ZONE, guesses, is_untouched
from crm_project.setup.first_steps.steps import (
    COLLEAGUES,
    DEALS,
    DISMISSED,
    ORGANIZATION,
    PIPELINE,
    STEPS,
    steps_of,
)
from crm_project.setup.pipeline_templates import DEFAULT, TEMPLATES, template
from crm_project.staff.actions import refusal_of, refusal_text
from crm_project.staff.request_actor import actor_of, visible
from deals.admin import board_acts
from deals.admin.board import Board, board_of
from deals.models import Deal
from pipelines.models import Pipeline, Stage
from pipelines.services import create_pipeline, update_pipeline

REFUSALS = (DomainError, IntegrityError)


def urls(site: Any) -> Sequence[URLPattern]:
    def route(pattern: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        found: URLPattern = path(f"first-steps/{pattern}", site.admin_view(partial(view, site)), name=name)
        return found

    pages = {
        ORGANIZATION: organization_view,
        PIPELINE: pipeline_view,
        COLLEAGUES: colleagues_view,
        DEALS: deals_view,
    }
    return [
        route("", begin_view, "first_steps"),
        route("dismiss/", dismiss_view, "first_steps_dismiss"),
        *(route(f"{name}/", view, f"first_steps_{name}") for name, view in pages.items()),
    ]


def admin_of(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    if actor is None or not actor.may(Permission.ADMINISTER):
        raise PermissionDenied
    return actor


def begin_view(site: Any, request: HttpRequest) -> HttpResponse:
    """Redirect to the first step that is not done, else to the home page."""
    step = next((step for step in steps_of(admin_of(request)) if not step.is_done), None)
    return HttpResponseRedirect(step.url if step else reverse("admin:index"))


def dismiss_view(site: Any, request: HttpRequest) -> HttpResponse:
    return _dismiss(request)


@require_POST
def _dismiss(request: HttpRequest) -> HttpResponse:
    services.note_first_step(actor=admin_of(request), name=DISMISSED)
    return HttpResponseRedirect(reverse("admin:index"))


def _page(site: Any, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    actor = admin_of(request)
    names = [step.name for step in STEPS]
    following = names[names.index(name) + 1 :]
    return TemplateResponse(
        request,
        f"admin/first_steps/{name}.html",
        {
            **site.each_context(request),
            "title": _("First steps"),
            "steps": steps_of(actor),
            "step": next(step for step in STEPS if step.name == name),
            "number": names.index(name) + 1,
            "next_url": reverse(f"admin:first_steps_{following[0]}") if following else reverse("admin:index"),
            **context,
        },
    )


def _to(name: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse(f"admin:first_steps_{name}"))


# -- The organization.


def organization_view(site: Any, request: HttpRequest) -> HttpResponse:
    actor = admin_of(request)
    row = Organization.objects.get(pk=actor.organization_id)
    make: Any = admin.site._registry[Organization].get_form(request, row, change=True)
    is_guessed = is_untouched(row) and request.method == "GET"
    initial = guesses(request) if is_guessed else {}
    form = make(request.POST or None, instance=row, initial=initial)
    form.fields["name"].label = _("Name of the organization")
    names = NameForm(request.POST or None, initial={"full_name": actor.member.user.full_name})
    if form.is_valid() and names.is_valid():
        try:
            _save_organization(actor, row, form, names)
            return _to(PIPELINE)
        except REFUSALS as error:
            form.add_refusal(refusal_of(error))
    asks_browser = is_guessed and ZONE not in request.GET
    return _page(site, request, ORGANIZATION, form=form, names=names, asks_browser=asks_browser)


def _save_organization(actor: Actor, row: Organization, form: Any, names: NameForm) -> None:
    with change_set(actor):
        if change := form.change():
            services.update_organization(actor=actor, organization=row, **change)
        if names.has_changed():
            services.rename_member(
                actor=actor, member=actor.member, full_name=names.cleaned_data["full_name"]
            )
        services.note_first_step(actor=actor, name=ORGANIZATION)


# -- The pipeline.


def pipeline_view(site: Any, request: HttpRequest) -> HttpResponse:
    actor = admin_of(request)
    pipeline = _default_pipeline(request)
    can_choose = pipeline is None or not Deal.objects.filter(stage__pipeline=pipeline.pk).exists()
    chosen = _chosen_template(request, actor, pipeline) if can_choose else ""
    begun = _begun(pipeline, chosen)
    names = PipelineNameForm(request.POST or None, initial={"pipeline": begun["name"]})
    rows: Any = StageRows(request.POST or None, initial=begun["stages"], prefix="stages")
    errors: list[str] = []
    if names.is_valid() and rows.is_valid():
        change = {"name": names.cleaned_data["pipeline"], "stages": rows.entries()}
        try:
            _save_pipeline(actor, pipeline, change)
            return _to(COLLEAGUES)
        except REFUSALS as error:
            errors = rows.add_refusal(refusal_of(error))
    templates = [
        {"name": name, "title": title, "stages": stages, "is_chosen": name == chosen}
        for name, (title, stages) in (TEMPLATES.items() if can_choose else ())
    ]
    context = {"names": names, "rows": rows, "templates": templates, "errors": errors, "pipeline": pipeline}
    return _page(site, request, PIPELINE, **context)


def _default_pipeline(request: HttpRequest) -> Pipeline | None:
    rows: Any = visible(request, Pipeline)
    found: Pipeline | None = rows.with_stages().default_first().first()
    return found


def _chosen_template(request: HttpRequest, actor: Actor, pipeline: Pipeline | None) -> str:
    """That of the address; before the step is done, the default one in the language of the reader."""
    name = request.GET.get("template", "")
    if name in TEMPLATES:
        return name
    is_new = pipeline is None or (pipeline.version == 1 and all(s.version == 1 for s in _stages(pipeline)))
    return DEFAULT if is_new and PIPELINE not in (actor.organization.first_steps or ()) else ""


def _stages(pipeline: Pipeline | None) -> list[Stage]:
    return list(getattr(pipeline, "live_stages", ()))


def _begun(pipeline: Pipeline | None, chosen: str) -> dict[str, Any]:
    """What the form begins with: the template, whose stages take the place of those that are there, or the pipeline."""
    present = _stages(pipeline)
    if not chosen:
        fields = ("name", "color", "probability", "kind")
        stages = [{**{name: getattr(row, name) for name in fields}, "stage": row.pk} for row in present]
        return {"name": pipeline.name if pipeline else "", "stages": stages}
    begun = template(chosen)
    for stage in begun["stages"]:
        replaced = next((row for row in present if row.kind == stage["kind"]), None)
        if replaced is not None:
            present.remove(replaced)
            stage["stage"] = replaced.pk
    return begun


def _save_pipeline(actor: Actor, pipeline: Pipeline | None, change: dict[str, Any]) -> None:
    with change_set(actor):
        if pipeline is None:
            create_pipeline(actor=actor, change={**change, "is_active": True})
        else:
            update_pipeline(actor=actor, pipeline=pipeline, change=change)
        services.note_first_step(actor=actor, name=PIPELINE)


# -- Colleagues.


def colleagues_view(site: Any, request: HttpRequest) -> HttpResponse:
    actor = admin_of(request)
    make: Any = admin.site._registry[Invitation].get_form(request, None, change=False)
    form, invited, link = make(request.POST or None), None, ""
    if form.is_valid():
        try:
            invited, secret = invitations.invite_member(actor=actor, **form.change())
        except REFUSALS as error:
            form.add_refusal(refusal_of(error))
        else:
            form = make()
            query = urlencode({"token": secret})
            link = request.build_absolute_uri(f"{reverse('admin:accept_invitation')}?{query}")
    open_ones = visible(request, Invitation).order_by("email")
    return _page(
        site,
        request,
        COLLEAGUES,
        form=form,
        invited=invited,
        invitations=open_ones,
        link="" if has_mail_server() else link,
        is_mailed=has_mail_server(),
    )


# -- Deals.


def deals_view(site: Any, request: HttpRequest) -> HttpResponse:
    actor = admin_of(request)
    board, stage = _first_column(request)
    form = board_acts.AddForm(
        {**request.POST.dict(), "stage": stage.pk if stage else ""} if request.method == "POST" else None
    )
    error = ""
    if board and stage and form.is_valid():
        try:
            _deal_id, text = board_acts.create(board, form.cleaned_data, stage)
        except REFUSALS as refused:
            error = refusal_text(refusal_of(refused))
        else:
            messages.success(request, text)
            return HttpResponseRedirect(board.url)
    return _page(
        site,
        request,
        DEALS,
        form=form,
        stage=stage,
        error=error,
        currency=actor.organization.currency,
        form_key=uuid4().hex,
    )


def _first_column(request: HttpRequest) -> tuple[Board | None, Stage | None]:
    """The board of the default pipeline and its first open stage."""
    pipeline = _default_pipeline(request)
    stage = next((row for row in _stages(pipeline) if row.kind == Stage.Kinds.OPEN), None)
    if pipeline is None or stage is None:
        return None, None
    return board_of(admin.site._registry[Deal], request, pipeline.pk), stage
