"""Acts: what can be done to one row or to several at once, each on a page of its own with what it needs to know."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from crm_project.accounts.actors import Actor
from crm_project.errors import DomainError, RowsRefused
from crm_project.records.violations import conflict_of

AT_ONCE = 200


class AdminAction:
    """One thing to do. Its form asks what a service must know; `run` calls the service."""

    name: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str] = "bolt"
    done: ClassVar[str] = "done"
    explanation: ClassVar[str] = ""
    is_dangerous: ClassVar[bool] = False
    # Whether it is for rows in the trash, instead of for live ones.
    on_trash: ClassVar[bool] = False
    # Whether it can be done to several rows at once.
    on_many: ClassVar[bool] = True

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Any]) -> dict[str, forms.Field]:
        """What has to be asked."""
        return {}

    def may(self, admin: Any, request: HttpRequest) -> bool:
        return bool(admin.has_change_permission(request))

    def fits(self, row: Any) -> bool:
        """Whether a button for it makes sense on this row's page."""
        return True

    def note(self, rows: Sequence[Any]) -> str:
        """What is worth knowing before doing it."""
        return self.explanation

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        raise NotImplementedError


class TrashAct(AdminAction):
    """Moves to the trash by the ModelAdmin's own service."""

    name = "trash"
    label = "Move to the trash"
    icon = "delete"
    done = "moved to the trash"
    is_dangerous = True

    def __init__(self, trash: Any, explanation: str = "", on_many: bool = True) -> None:
        self._trash = trash
        self._explanation = explanation
        self.on_many = on_many  # type: ignore[misc]

    def may(self, admin: Any, request: HttpRequest) -> bool:
        return bool(admin.has_delete_permission(request))

    def note(self, rows: Sequence[Any]) -> str:
        return self._explanation

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        self._trash(actor, rows, given)


def each(service: Any, name: str) -> Any:
    """What an act runs where a service takes one row at a time, as its argument `name`."""

    def run(actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        for row in rows:
            service(actor=actor, **{name: row}, **given)

    return run


class RestoreAct(AdminAction):
    name = "restore"
    label = "Restore"
    icon = "restore_from_trash"
    done = "restored"
    on_trash = True

    def __init__(self, restore: Any) -> None:
        self._restore = restore

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        self._restore(actor, rows, given)


def act_url(admin: Any, act: AdminAction, ids: Sequence[Any], back: str = "") -> str:
    path = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_act", args=[act.name])
    query = {"ids": ",".join(map(str, ids)), **({"next": back} if back else {})}
    return f"{path}?{urlencode(query, safe=',/')}"


def list_action(act: AdminAction) -> Any:
    """The entry in a change list's menu of actions: it leads to the act's page."""

    def lead(admin: Any, request: HttpRequest, rows: Any) -> HttpResponse:
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[: AT_ONCE + 1])
        if len(ids) > AT_ONCE:
            messages.error(request, f"At most {AT_ONCE} rows at once. Narrow the list first.")
            return HttpResponseRedirect(request.get_full_path())
        return HttpResponseRedirect(act_url(admin, act, ids, back=request.get_full_path()))

    lead.__name__ = f"act_{act.name}"
    return lead


def act_page(
    admin: Any, request: HttpRequest, act: AdminAction, actor: Actor, rows: list[Any]
) -> HttpResponse:
    """Ask, and do it; a refusal is told in the form, with nothing typed lost."""
    back = _back(admin, request)
    if not rows:
        messages.warning(request, "These rows are not there any more.")
        return HttpResponseRedirect(back)
    form = _form(act, request, actor, rows)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                act.run(actor, rows, form.cleaned_data)
        except (DomainError, IntegrityError) as error:
            _tell(form, refusal_of(error), rows)
        else:
            what = str(rows[0]) if len(rows) == 1 else f"{len(rows)} {admin.opts.verbose_name_plural}"
            messages.success(request, f"{what}: {act.done}.")
            return HttpResponseRedirect(_after(admin, request, act, back))
    context = {
        **admin.admin_site.each_context(request),
        "title": act.label,
        "act": act,
        "opts": admin.opts,
        "row_link": _row_link(admin, act, rows),
        "form": form,
        "rows": rows,
        "note": act.note(rows),
        "back": back,
        "media": admin.media + form.media,
    }
    return TemplateResponse(request, "admin/act.html", context)


def _row_link(admin: Any, act: AdminAction, rows: Sequence[Any]) -> dict[str, str] | None:
    """The way back to the one row that the act is for, if it has a page."""
    if len(rows) != 1 or act.on_trash:
        return None
    url = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_change", args=[rows[0].pk])
    return {"url": url, "text": str(rows[0])}


def _form(act: AdminAction, request: HttpRequest, actor: Actor, rows: Sequence[Any]) -> forms.Form:
    form = forms.Form(request.POST if request.method == "POST" else None)
    form.fields.update(act.fields(request, actor, rows))
    return form


def refusal_of(error: DomainError | IntegrityError) -> DomainError:
    """What the database keeps, two people may both try: the slower one is told in the same words as over HTTP."""
    return error if isinstance(error, DomainError) else conflict_of(error)


def _tell(form: forms.Form, refusal: DomainError, rows: Sequence[Any]) -> None:
    if isinstance(refusal, RowsRefused):
        for index, error in refusal.errors.items():
            told = " ".join(wrong.detail for wrong in error.fields) or error.detail
            form.add_error(None, f"{rows[index]}: {told}")
        return
    for wrong in refusal.fields:
        form.add_error(wrong.field if wrong.field in form.fields else None, wrong.detail)
    if not refusal.fields:
        form.add_error(None, refusal.detail)


def _back(admin: Any, request: HttpRequest) -> str:
    """Where one came from, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        return str(wanted)
    return reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist")


def _after(admin: Any, request: HttpRequest, act: AdminAction, back: str) -> str:
    """A row that has moved to the trash has no page to go back to."""
    changelist = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist")
    leaves = act.name in (TrashAct.name, RestoreAct.name)
    return changelist if leaves and not back.startswith(f"{changelist}?") else back
