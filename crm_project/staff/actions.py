"""Admin actions on one row or several, each with a confirmation page that has a form."""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import Resolver404, resolve, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm_project.accounts.actors import Actor
from crm_project.changes import ChangeSet, change_set
from crm_project.errors import DomainError, Invalid, RowsRefused
from crm_project.journal.models import Event
from crm_project.journal.net_changes import moves_hidden
from crm_project.journal.undo import can_undo
from crm_project.languages.figures import number
from crm_project.records.kinds import kinds
from crm_project.records.violations import conflict_of
from crm_project.staff import filters, once
from crm_project.staff.counts import counted_rows
from crm_project.staff.inputs import whole_number
from crm_project.staff.pages import render_page
from crm_project.staff.request_actor import visible
from crm_project.versions import Versions

# Rows of an address; a page of a list has fewer.
AT_ONCE = 200
# Rows of an action on all that match.
MOST_ROWS = 2_000
# Rows that a page of an action names.
NAMED = 100
# The parameter of an action on all rows of a list: the query of the list.
ALL = "all"
# The field of the form of an action: the rows and their versions that its page has shown.
CHOSEN = "chosen"
SHOWN_ERRORS = 20
# The number of rows of each model that an action changes.
Reach = Mapping[type[Model], int]


class AdminAction:
    """An action. `fields` are those of its form, whose cleaned data `run` passes to a service."""

    name: ClassVar[str]
    label: ClassVar[str | Promise]
    icon: ClassVar[str] = "bolt"
    done: ClassVar[str | Promise] = gettext_lazy("done")
    # The text of the link to the undo in the report.
    undo_label: ClassVar[str | Promise] = gettext_lazy("Undo")
    explanation: ClassVar[str | Promise] = ""
    is_dangerous: ClassVar[bool] = False
    # Whether the action is for rows in the trash instead of live rows.
    on_trash: ClassVar[bool] = False
    # Whether the action is offered for several rows at once.
    on_many: ClassVar[bool] = True
    # Whether the journal has the rows that the action changes. If not, these are the rows of the action.
    in_journal: ClassVar[bool] = True
    # Whether the action is on all rows that it changes, of which the page may name only some.
    is_on_all: ClassVar[bool] = False
    template: ClassVar[str] = "admin/action.html"

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Any]) -> dict[str, forms.Field]:
        """The fields of the form, by argument of the service."""
        return {}

    def may(self, admin: Any, request: HttpRequest) -> bool:
        return bool(admin.has_change_permission(request))

    def fits(self, row: Any) -> bool:
        """Whether the action is offered on the page of this row."""
        return True

    def note(self, actor: Actor, rows: Sequence[Any]) -> str:
        """The text above the form."""
        return str(self.explanation)

    def reach(self, actor: Actor, rows: Sequence[Any]) -> Reach:
        """The rows that the action changes, but for those that depend on the form."""
        return Counter(map(type, rows))

    def result(self, given: Mapping[str, Any]) -> str:
        """The end of the sentence that reports the action: "Roof: moved to Sales, Offer."."""
        return str(self.done)

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def destination(self, admin: Any, changes: ChangeSet) -> str:
        """The address of the page after the action; empty for the page before it."""
        return ""


class TrashAction(AdminAction):
    """Moves rows to the trash by the service of their kind, or by `trash(actor, rows, given)`."""

    name = "trash"
    label: ClassVar[str | Promise] = gettext_lazy("Move to the trash")
    icon = "delete"
    done: ClassVar[str | Promise] = gettext_lazy("moved to the trash")
    is_dangerous = True

    def __init__(self, trash: Any = None, explanation: str | Promise = "", *, on_many: bool = True) -> None:
        self._trash = trash or by_kind("trash")
        self._explanation = explanation
        self.on_many = on_many  # type: ignore[misc]

    def may(self, admin: Any, request: HttpRequest) -> bool:
        return bool(admin.has_delete_permission(request))

    def note(self, actor: Actor, rows: Sequence[Any]) -> str:
        return str(self._explanation)

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        self._trash(actor, rows, given)


def by_kind(name: str) -> Any:
    """A function for `run` that calls this service of the rows' kind, with the versions that the member has seen."""

    def run(actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        services = kinds[rows[0].row_kind].services
        getattr(services, name)(actor=actor, rows=rows, if_match=expected_versions(rows), **given)

    return run


def each(service: Any, name: str) -> Any:
    """A function for `run` that calls a service of one row for each row, as its argument `name`."""

    def run(actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        for row in rows:
            service(actor=actor, **{name: row}, **given)

    return run


class RestoreAction(AdminAction):
    """Restores rows by the service of their kind, or by `restore(actor, rows, given)`."""

    name = "restore"
    label: ClassVar[str | Promise] = gettext_lazy("Restore")
    icon = "restore_from_trash"
    done: ClassVar[str | Promise] = gettext_lazy("restored")
    on_trash = True

    def __init__(self, restore: Any = None) -> None:
        self._restore = restore or by_kind("restore")

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        self._restore(actor, rows, given)


def action_url(admin: Any, action: AdminAction, ids: Sequence[Any], back: str = "") -> str:
    path = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_action", args=[action.name])
    query = {"ids": ",".join(map(str, ids)), **({"next": back} if back else {})}
    return f"{path}?{urlencode(query, safe=',/')}"


def list_action(action: AdminAction) -> Any:
    """The action of a change list, as Django expects it: a redirect to the page of the action."""

    def redirect(admin: Any, request: HttpRequest, rows: Any) -> HttpResponse:
        back = request.get_full_path()
        if is_on_all_that_match(request):
            query = {ALL: request.GET.urlencode(), "next": back}
            return HttpResponseRedirect(f"{action_url(admin, action, [])}&{urlencode(query)}")
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[: AT_ONCE + 1])
        return HttpResponseRedirect(action_url(admin, action, ids[:AT_ONCE], back=back))

    redirect.__name__ = f"action_{action.name}"
    return redirect


def is_on_all_that_match(request: HttpRequest) -> bool:
    return request.POST.get("select_across") == "1"


def rows_of_action(admin: Any, request: HttpRequest) -> dict[int, int | None]:
    """The ids of the rows that an action is on, with the versions that its form has shown, if it is sent."""
    sent = request.POST.get(CHOSEN, "")
    if sent:
        pairs = (part.partition(":") for part in sent.split(",")[:MOST_ROWS])
        return {whole_number(key): whole_number(version) or None for key, _colon, version in pairs}
    if ALL in request.GET:
        return dict.fromkeys(_ids_that_match(admin, request))
    keys = request.GET.get("ids", "").split(",")[:AT_ONCE]
    return dict.fromkeys(whole_number(key) for key in keys)


def _ids_that_match(admin: Any, request: HttpRequest) -> list[int]:
    """The ids of the rows of the list whose query is in the address; none if there are too many of them."""
    listing = copy(request)
    listing.GET = QueryDict(request.GET[ALL])
    listing.resolver_match = resolve(
        reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist")
    )
    if admin.wrong_parameters(listing):
        return []
    rows = admin.get_changelist_instance(listing).queryset
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_ROWS + 1])
    if len(ids) <= MOST_ROWS:
        return ids
    text = _("At most %(count)s rows at once. Narrow the list first.")
    messages.error(request, text % {"count": number(MOST_ROWS)})
    return []


def expected_versions(rows: Sequence[Any]) -> dict[int, Versions]:
    """The versions that the form of an action has shown, by the ids of the rows; of all rows if it was sent."""
    seen = {row.pk: getattr(row, "seen_version", None) for row in rows}
    return {key: Versions(frozenset({version})) for key, version in seen.items() if version}


def action_page(
    admin: Any, request: HttpRequest, action: AdminAction, actor: Actor, rows: Sequence[Any]
) -> HttpResponse:
    """The page of an action: shows its reach and form, runs it, and shows a refusal as an error of the form."""
    back = next_url(request, f"admin:{admin.opts.app_label}_{admin.opts.model_name}_changelist")
    if not rows:
        if not messages.get_messages(request):
            messages.warning(request, _("These rows no longer exist."))
        return HttpResponseRedirect(back)
    form = forms.Form(request.POST if request.method == "POST" else None)
    form.fields.update(action.fields(request, actor, rows))
    reach = action.reach(actor, rows)
    if request.method == "POST" and form.is_valid():
        try:
            # One change set, so that one undo takes the whole action back.
            changes = _run_once(request, action, actor, rows, form.cleaned_data)
        except (DomainError, IntegrityError) as error:
            _add_errors(form, refusal_of(error), rows)
        else:
            report = _report(admin, request, action, rows, action.result(form.cleaned_data), changes)
            text = format_html(
                '<span class="crm-report">{}{}</span>', report, _undo_link(action, actor, changes)
            )
            messages.success(request, text)
            return HttpResponseRedirect(action.destination(admin, changes) or _existing(admin, request, back))
    return render_page(
        admin,
        request,
        action.template,
        title=action.label,
        action=action,
        row_link=_row_link(admin, action, rows),
        form=form,
        rows=[_linked(admin, request, row) for row in rows[:NAMED]],
        more=(sum(reach.values()) if action.is_on_all else len(rows)) - min(len(rows), NAMED),
        chosen=",".join(f"{row.pk}:{getattr(row, 'version', '')}" for row in rows)
        if type(rows[0]) is admin.model and not action.is_on_all
        else "",
        reach=reach_text(reach),
        is_many=sum(reach.values()) > 1,
        note=action.note(actor, rows),
        back=back,
        form_key=uuid4().hex,
        media=admin.media + form.media,
    )


def _run_once(
    request: HttpRequest, action: AdminAction, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]
) -> ChangeSet:
    """Run the action of a form that may have been sent before. A login without an organization has no keys."""

    def run() -> str:
        action.run(actor, rows, given)
        return ""

    if actor is None:
        with change_set(actor) as changes:
            run()
        return changes
    return once.carry_out(actor=actor, request=request, act=run)[1]


def _linked(admin: Any, request: HttpRequest, row: Any) -> SafeString | str:
    """The name of a row, as a link if the row has a page, and what distinguishes it from others of the name."""
    page = admin.admin_site._registry.get(type(row))
    if page is None:
        return str(row)
    describe = getattr(page, "palette_description", None)
    text = format_html(' <span class="crm-part">{}</span>', describe(row)) if describe else ""
    if getattr(row, "deleted_at", None) or not page.has_view_permission(request):
        return format_html("<bdi>{}</bdi>{}", row, text)
    url = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_change", args=[row.pk])
    return format_html('<a class="crm-link" href="{}"><bdi>{}</bdi></a>{}', url, row, text)


def _row_link(admin: Any, action: AdminAction, rows: Sequence[Any]) -> dict[str, str] | None:
    """The link to the row of the action, if it is one row with a page."""
    if len(rows) != 1 or action.on_trash or type(rows[0]) is not admin.model:
        return None
    url = reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_change", args=[rows[0].pk])
    return {"url": url, "text": str(rows[0])}


def reach_text(reach: Reach) -> str:
    """`1 pipeline, 4 stages and 12 deals`."""
    return listing([counted_rows(model, count) for model, count in reach.items() if count])


def listing(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return _("%(parts)s and %(last)s") % {"parts": ", ".join(parts[:-1]), "last": parts[-1]}


def _report(
    admin: Any,
    request: HttpRequest,
    action: AdminAction,
    rows: Sequence[Any],
    result: str,
    changes: ChangeSet,
) -> SafeString:
    """The sentences that report an action: the rows that it has changed, a single one as a link, and the others."""
    own = {(type(row), row.pk) for row in rows}
    changed = _changed_rows(request, changes)
    if not action.in_journal:
        changed = own
    elif action.is_on_all:
        own = changed
    done = Counter(model for model, _pk in own & changed)
    others = Counter(model for model, _pk in changed - own)
    parts = [f"{result}." if done else _("nothing to change.")]
    if len(rows) == 1:
        subject: Any = _after(admin, request, rows[0])
    else:
        subject = reach_text(done or Counter(model for model, _pk in own))
        unchanged = len(own - changed)
        if done and unchanged:
            text = ngettext("%(count)s needed no change.", "%(count)s needed no change.", unchanged)
            parts.append(text % {"count": number(unchanged)})
    if others:
        parts.append(_("Also changed: %(rows)s.") % {"rows": reach_text(others)})
    describe = getattr(admin, "palette_description", None) if type(rows[0]) is admin.model else None
    if len(rows) == 1 and describe and done:
        # What distinguishes the row from others of its name.
        return format_html(
            '{}: {} <span class="crm-part">{}</span>', subject, " ".join(parts), describe(rows[0])
        )
    return format_html("{}: {}", subject, " ".join(parts))


def _changed_rows(request: HttpRequest, changes: ChangeSet) -> set[tuple[Any, int]]:
    """The rows that a change set has changed, but for those that a merge has moved and the member may not see."""
    changed = {(kinds[recorded.kind].model, recorded.row_id) for recorded in changes.recorded}
    if any(moves_hidden(recorded.kind, recorded.changes) for recorded in changes.recorded):
        for model in {model for model, _pk in changed if kinds[model.row_kind].is_private}:
            ids = [pk for own, pk in changed if own is model]
            seen = set(visible(request, model).filter(pk__in=ids).values_list("pk", flat=True))
            changed -= {(model, pk) for pk in ids if pk not in seen}
    return changed


def _after(admin: Any, request: HttpRequest, row: Any) -> SafeString | str:
    """The name of a row after an action, as a link to its page or to the trash."""
    page = admin.admin_site._registry[type(row)]
    name = f"admin:{page.opts.app_label}_{page.opts.model_name}"
    if visible(request, type(row)).filter(pk=row.pk).exists():
        url = reverse(f"{name}_change", args=[row.pk])
    elif page.has_trash:
        url = f"{reverse(f'{name}_changelist')}?{filters.TRASH}=only"
    else:
        return str(row)
    return format_html('<a class="crm-link" href="{}">{}</a>', url, row)


def _undo_link(action: AdminAction, actor: Actor | None, changes: ChangeSet) -> SafeString | str:
    url = undo_url(actor, changes)
    return format_html(' <a class="crm-link" href="{}">{}</a>', url, action.undo_label) if url else ""


def undo_url(actor: Actor | None, changes: ChangeSet) -> str:
    """The page of the undo of a finished change set; empty if the member cannot undo it."""
    own = [kinds[name] for name in {recorded.kind for recorded in changes.recorded}]
    if actor is None or not all(kind.undoer and actor.may(kind.permission) for kind in own):
        return ""
    # A merge may have moved rows that the member does not see.
    events = Event.objects.of_change_set(actor.organization_id, changes.uuid)
    event = events.visible_to(actor.member).first()
    return reverse("admin:undo", args=[event.sequence]) if event is not None and can_undo(event) else ""


def refusal_of(error: DomainError | IntegrityError) -> DomainError:
    """The DomainError itself, or the one that the API would answer for a constraint of the database."""
    return error if isinstance(error, DomainError) else conflict_of(error)


def refusal_text(refusal: DomainError) -> str:
    """The sentences of a refusal without a form: those of its fields, else its own."""
    return " ".join(dict.fromkeys(wrong.detail for wrong in refusal.fields)) or refusal.detail


def _add_errors(form: forms.Form, refusal: DomainError, rows: Sequence[Any]) -> None:
    if isinstance(refusal, RowsRefused):
        for index, error in refusal.errors.items():
            detail = " ".join(wrong.detail for wrong in error.fields) or error.detail
            form.add_error(None, f"{rows[index]}: {detail}")
        return
    if not isinstance(refusal, Invalid) or not refusal.fields:
        form.add_error(None, refusal.detail)
    others: dict[str, None] = {}
    for wrong in refusal.fields:
        if wrong.field in form.fields:
            form.add_error(wrong.field, wrong.detail)
        elif wrong.detail != refusal.detail:
            name = _(wrong.field.replace("_", " ").replace(".", " ")).capitalize()
            others[f"{name}: {wrong.detail}"] = None
    for text in [*others][:SHOWN_ERRORS]:
        form.add_error(None, text)
    if len(others) > SHOWN_ERRORS:
        more = len(others) - SHOWN_ERRORS
        text = ngettext("And %(count)s more.", "And %(count)s more.", more)
        form.add_error(None, text % {"count": number(more)})


def next_url(request: HttpRequest, default: str) -> str:
    """The URL in `next` if it is on this host, else the URL of the name `default`."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    if url and url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure()):
        return str(url)
    return reverse(default)


def _existing(admin: Any, request: HttpRequest, url: str) -> str:
    """The URL, or the change list instead of the page of a row that is not visible any more."""
    try:
        match = resolve(urlsplit(url).path)
    except Resolver404:
        return url
    for model, page in admin.admin_site._registry.items():
        name = f"{page.opts.app_label}_{page.opts.model_name}"
        if match.url_name == f"{name}_change":
            row = visible(request, model).filter(pk=whole_number(str(match.kwargs["object_id"])))
            return url if row.exists() else reverse(f"admin:{name}_changelist")
    return url
