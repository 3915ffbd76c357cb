"""Admin actions on one row or several, each with a confirmation page that has a form."""

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
    """An action. `fields` are those of its form, whose cleaned data `run` passes to a service."""

    name: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str] = "bolt"
    done: ClassVar[str] = "done"
    explanation: ClassVar[str] = ""
    is_dangerous: ClassVar[bool] = False
    # Whether the action is for rows in the trash instead of live rows.
    on_trash: ClassVar[bool] = False
    # Whether the action is offered for several rows at once.
    on_many: ClassVar[bool] = True

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Any]) -> dict[str, forms.Field]:
        """The fields of the form, by argument of the service."""
        return {}

    def may(self, admin: Any, request: HttpRequest) -> bool:
        return bool(admin.has_change_permission(request))

    def fits(self, row: Any) -> bool:
        """Whether the action is offered on the page of this row."""
        return True

    def note(self, actor: Any, rows: Sequence[Any]) -> str:
        """The text above the form."""
        return self.explanation

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        raise NotImplementedError


class TrashAction(AdminAction):
    """Moves rows to the trash with the service of the ModelAdmin."""

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

    def note(self, actor: Any, rows: Sequence[Any]) -> str:
        return self._explanation

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        self._trash(actor, rows, given)


def each(service: Any, name: str) -> Any:
    """A function for `run` that calls a service of one row for each row, as its argument `name`."""

    def run(actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        for row in rows:
            service(actor=actor, **{name: row}, **given)

    return run


class RestoreAction(AdminAction):
    name = "restore"
    label = "Restore"
    icon = "restore_from_trash"
    done = "restored"
    on_trash = True

    def __init__(self, restore: Any) -> None:
        self._restore = restore

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        self._restore(actor, rows, given)


def action_url(admin: Any, action: AdminAction, ids: Sequence[Any], back: str = "") -> str:
    path = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_action", args=[action.name])
    query = {"ids": ",".join(map(str, ids)), **({"next": back} if back else {})}
    return f"{path}?{urlencode(query, safe=',/')}"


def list_action(action: AdminAction) -> Any:
    """The action of a change list, as Django expects it: a redirect to the page of the action."""

    def redirect(admin: Any, request: HttpRequest, rows: Any) -> HttpResponse:
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[: AT_ONCE + 1])
        if len(ids) > AT_ONCE:
            messages.error(request, f"At most {AT_ONCE} rows at once. Narrow the list first.")
            return HttpResponseRedirect(request.get_full_path())
        return HttpResponseRedirect(action_url(admin, action, ids, back=request.get_full_path()))

    redirect.__name__ = f"action_{action.name}"
    return redirect


def action_page(
    admin: Any, request: HttpRequest, action: AdminAction, actor: Actor, rows: list[Any]
) -> HttpResponse:
    """The page of an action: shows the form, runs the action, and shows a refusal as an error of the form."""
    back = _back(admin, request)
    if not rows:
        messages.warning(request, "These rows no longer exist.")
        return HttpResponseRedirect(back)
    form = forms.Form(request.POST if request.method == "POST" else None)
    form.fields.update(action.fields(request, actor, rows))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                action.run(actor, rows, form.cleaned_data)
        except (DomainError, IntegrityError) as error:
            _add_errors(form, refusal_of(error), rows)
        else:
            subject = str(rows[0]) if len(rows) == 1 else f"{len(rows)} {admin.opts.verbose_name_plural}"
            messages.success(request, f"{subject}: {action.done}.")
            return HttpResponseRedirect(_url_after(admin, action, back))
    context = {
        **admin.admin_site.each_context(request),
        "title": action.label,
        "action": action,
        "opts": admin.opts,
        "row_link": _row_link(admin, action, rows),
        "form": form,
        "rows": rows,
        "note": action.note(actor, rows),
        "back": back,
        "media": admin.media + form.media,
    }
    return TemplateResponse(request, "admin/action.html", context)


def _row_link(admin: Any, action: AdminAction, rows: Sequence[Any]) -> dict[str, str] | None:
    """The link to the row of the action, if it is one row with a page."""
    if len(rows) != 1 or action.on_trash:
        return None
    url = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_change", args=[rows[0].pk])
    return {"url": url, "text": str(rows[0])}


def refusal_of(error: DomainError | IntegrityError) -> DomainError:
    """The DomainError itself, or the one that the API would answer for a constraint of the database."""
    return error if isinstance(error, DomainError) else conflict_of(error)


def _add_errors(form: forms.Form, refusal: DomainError, rows: Sequence[Any]) -> None:
    if isinstance(refusal, RowsRefused):
        for index, error in refusal.errors.items():
            detail = " ".join(wrong.detail for wrong in error.fields) or error.detail
            form.add_error(None, f"{rows[index]}: {detail}")
        return
    for wrong in refusal.fields:
        form.add_error(wrong.field if wrong.field in form.fields else None, wrong.detail)
    if not refusal.fields:
        form.add_error(None, refusal.detail)


def _back(admin: Any, request: HttpRequest) -> str:
    """The URL in `next` if it is on this host, else the change list."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    if url and url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure()):
        return str(url)
    return reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist")


def _url_after(admin: Any, action: AdminAction, back: str) -> str:
    """`back`, unless that is the page of a row that has moved to the trash."""
    changelist = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist")
    leaves = action.name in (TrashAction.name, RestoreAction.name)
    return changelist if leaves and not back.startswith(f"{changelist}?") else back
