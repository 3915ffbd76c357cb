"""Webhooks in the admin: endpoints with their secret displayed once, their log, tests, resends and replays."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext, pgettext, pgettext_lazy

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.journal.event_types import known_types
from crm_project.languages.figures import number
from crm_project.staff import display, inputs, panels
from crm_project.staff.actions import AdminAction, RestoreAction, TrashAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import RowFilter, choice_filter
from crm_project.staff.forms import StaffForm
from crm_project.staff.inputs import CheckboxList, Instant, Lines, Select, WholeNumber
from crm_project.staff.pages import render_page
from crm_project.staff.request_actor import actor_of, visible
from crm_project.webhooks import services
from crm_project.webhooks.formats import formats
from crm_project.webhooks.models import EVERYTHING, Webhook, WebhookDelivery

PANEL_LENGTH = 20
# Kinds whose name in events is not that of their model.
KINDS = {"token": gettext_lazy("token"), "user": gettext_lazy("user")}
VERBS = {
    "abandoned": pgettext_lazy("event", "abandoned"),
    "created": pgettext_lazy("event", "created"),
    "deleted": pgettext_lazy("event", "deleted"),
    "done": pgettext_lazy("event", "done"),
    "lost": pgettext_lazy("event", "lost"),
    "merged": pgettext_lazy("event", "merged"),
    "moved": pgettext_lazy("event", "moved"),
    "purged": pgettext_lazy("event", "purged"),
    "redacted": pgettext_lazy("event", "redacted"),
    "reopened": pgettext_lazy("event", "reopened"),
    "restored": pgettext_lazy("event", "restored"),
    "updated": pgettext_lazy("event", "updated"),
    "won": pgettext_lazy("event", "won"),
}
States = WebhookDelivery.States
# The colours of the states are those of deals.
TONES = {States.PENDING: "open", States.DELIVERED: "won", States.FAILED: "lost", States.HIDDEN: "abandoned"}


def event_choices() -> Iterator[tuple[str, Any]]:
    """The types of events by kind of row."""
    yield EVERYTHING, _("All events, also of kinds that are added later")
    by_kind: dict[str, list[tuple[str, Any]]] = {}
    for name in known_types():
        kind, _dot, verb = name.partition(".")
        by_kind.setdefault(kind, []).append((name, VERBS.get(verb, verb)))
    for kind, names in sorted(by_kind.items(), key=lambda pair: pair[0] != "deal"):
        yield str(KINDS.get(kind) or _(kind.replace("_", " "))).capitalize(), names


class WebhookForm(StaffForm):
    help_texts: ClassVar[Mapping[str, Any]] = {
        "url": gettext_lazy(
            "It gets a POST request for each event. It must begin with https:// and be outside the network."
        ),
        "member": gettext_lazy(
            "The webhook gets what this member may see. It pauses if the member is deactivated."
        ),
        "skip_own": gettext_lazy(
            "Leave out what its own token did; for a webhook created here: what its member did through tokens."
        ),
        "is_active": gettext_lazy(
            "While it is off nothing is sent. When it is on again, it goes on where it stopped."
        ),
    }
    events = forms.MultipleChoiceField(
        choices=lambda: list(event_choices()),
        widget=CheckboxList(),
        required=False,
        label=gettext_lazy("Events"),
    )
    fields_changed = Lines(
        required=False,
        label=gettext_lazy("Only updates of these fields"),
        help_text=gettext_lazy(
            "Their names in the API, one per line, such as amount or custom_fields.size. Empty: all updates."
        ),
    )
    format = forms.ChoiceField(
        choices=lambda: [(name, _(known.label)) for name, known in formats.items()],
        widget=Select(),
        label=gettext_lazy("Format"),
        help_text=gettext_lazy("The form of the bodies."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            # Fields that this class declares are not filled by Django.
            row = self.instance
            own = {"events": row.events, "fields_changed": row.fields, "format": row.format}
            self.initial = {**own, **self.initial}

    def form_name(self, path: str) -> str | None:
        return super().form_name("fields_changed" if path == "fields" else path)

    def change(self) -> dict[str, Any]:
        change = super().change()
        if "fields_changed" in change:
            change["fields"] = change.pop("fields_changed")
        return change


class SendTest(AdminAction):
    name = "test"
    label = gettext_lazy("Send a test")
    icon = "send"
    done = gettext_lazy("a test message is sent. Its answer appears in the log within seconds")
    in_journal = False
    on_many = False
    explanation = gettext_lazy("Sends a message of the type webhook.test, also if the webhook is paused.")

    def run(self, actor: Actor, rows: Sequence[Webhook], given: Mapping[str, Any]) -> None:
        for row in rows:
            services.send_test(actor=actor, webhook=row)


class Replay(AdminAction):
    name = "replay"
    label = gettext_lazy("Send events again")
    icon = "replay"
    done = gettext_lazy("the events are being sent again")
    in_journal = False
    on_many = False
    explanation = gettext_lazy(
        "Name a position in the feed or a time. With an end, each event of the range is tried once; without one,"
        " the webhook reads on from there, in order."
    )

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Webhook]) -> dict[str, forms.Field]:
        # The names of the service's arguments, whose refusals belong to these fields.
        return {
            "since": WholeNumber(required=False, label=_("After the position")),
            "start": Instant(required=False, label=_("From"), widget=inputs.InstantInput()),
            "end": Instant(required=False, label=_("To"), widget=inputs.InstantInput()),
        }

    def run(self, actor: Actor, rows: Sequence[Webhook], given: Mapping[str, Any]) -> None:
        for row in rows:
            services.replay(actor=actor, webhook=row, **given)


class RotateSecret(AdminAction):
    """Its page answers with the new secret: see `WebhookAdmin.action_view`."""

    name = "rotate"
    label = gettext_lazy("Replace the secret")
    icon = "key"
    on_many = False
    explanation = gettext_lazy(
        "You get a new secret. For a time the present one signs, too, so that the receiver can change."
    )


class Resend(AdminAction):
    name = "resend"
    label = gettext_lazy("Send again")
    icon = "send"
    done = gettext_lazy("is sent again. The answer appears within seconds")
    in_journal = False
    explanation = gettext_lazy(
        "The same bytes are sent once more, with the same id, so that a receiver can see that it has them."
    )

    def run(self, actor: Actor, rows: Sequence[WebhookDelivery], given: Mapping[str, Any]) -> None:
        for row in rows:
            services.resend(actor=actor, delivery=row)


def deliveries_of(request: HttpRequest, webhook: Webhook) -> panels.Panel | None:
    """The panel of the last deliveries."""
    if actor_of(request) is None:
        return None
    rows = list(webhook.deliveries.order_by("-created_at", "-id")[: PANEL_LENGTH + 1])
    more = f"{reverse('admin:webhooks_webhookdelivery_changelist')}?{urlencode({'webhook': webhook.pk})}"
    return panels.Panel(
        title=_("Deliveries"),
        headers=(_("Event"), _("State"), _("Tries"), _("Answer"), _("Duration"), _("Last try")),
        rows=[
            (
                display.link(row, row.type),
                state_of(row),
                row.attempts,
                answer_of(row),
                duration_of(row),
                moment(row.attempted_at),
            )
            for row in rows[:PANEL_LENGTH]
        ],
        empty=_("Nothing has been sent yet."),
        more_url=more if len(rows) > PANEL_LENGTH else "",
    )


def state_of(row: WebhookDelivery) -> Any:
    return display.status(TONES[States(row.state)], row.get_state_display())


def answer_of(row: WebhookDelivery) -> str:
    return str(row.status) if row.status is not None else error_of(row) or display.NOTHING


def error_of(row: WebhookDelivery) -> str:
    """The stored English text; of ours, which have no parameters but the status, in the language of the reader."""
    template = gettext_noop("The endpoint answered %(status)s.")
    if row.error == template % {"status": row.status}:
        return _(template) % {"status": row.status}
    return _(row.error) if row.error else ""


def duration_of(row: WebhookDelivery) -> str:
    return display.NOTHING if row.duration_ms is None else f"{number(row.duration_ms)} ms"


def moment(value: Any) -> str:
    """An instant to the second, in the time zone of the organization."""
    return display.NOTHING if value is None else date_format(localtime(value), "j M Y, H:i:s")


@admin.register(Webhook)
class WebhookAdmin(StaffModelAdmin):
    form = WebhookForm
    view_permission = edit_permission = Permission.ADMINISTER
    empty_hint = gettext_lazy(
        "A webhook sends events to another system as they happen, such as a deal that is won."
    )
    select_related: ClassVar[Any] = ("member__user", "manager__user", "state")
    search_fields: ClassVar[Any] = ("url", "description")
    ordering: ClassVar[Any] = ("-created_at", "-id")
    keyset_columns: ClassVar[Any] = ("created_at",)
    list_display: ClassVar[Any] = ("__str__", "url", "event_list", "health", "of_member", "last_success")
    sortable_by: ClassVar[Any] = ()
    autocomplete_fields: ClassVar[Any] = ("member",)
    panel_factories: ClassVar[Any] = {Webhook: deliveries_of}
    has_trash = True
    row_actions: ClassVar[Sequence[AdminAction]] = (
        SendTest(),
        Replay(),
        RotateSecret(),
        TrashAction(
            explanation=gettext_lazy("Nothing is sent any more. It can be restored for 30 days."),
        ),
        RestoreAction(),
    )

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        own = ["url", "description", "member", "format", "skip_own"]
        fields = own if row is None else [*own, "is_active"]
        return [(None, {"fields": fields}), (_("Events"), {"fields": ["events", "fields_changed"]})]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"member": self.actor(request).member.pk, **super().get_changeform_initial_data(request)}

    def header(self, request: HttpRequest, row: Webhook) -> dict[str, Any]:
        facts = [
            (_("State"), self.health(row)),
            (_("Position"), number(row.state.position)),
            (_("Last success"), moment(row.state.succeeded_at)),
            (_("Failing since"), moment(row.state.failing_since)),
            (_("Managed by"), row.manager.full_name),
        ]
        return {"template": "admin/facts.html", "facts": facts}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        row, request.new_secret = services.create_webhook(actor=self.actor(request), change=form.change())  # type: ignore[attr-defined]
        vars(obj).update(vars(row))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self._secret_page(request, obj, request.new_secret)  # type: ignore[attr-defined]

    def action_view(self, request: HttpRequest, name: str) -> HttpResponse:
        if name != RotateSecret.name or request.method != "POST":
            return super().action_view(request, name)
        if not self.has_change_permission(request):
            raise PermissionDenied
        pk = inputs.whole_number(request.GET.get("ids", ""))
        row = visible(request, Webhook).filter(pk=pk).first()
        if row is None:
            raise Http404
        row, secret = services.rotate_secret(actor=self.actor(request), webhook=row)
        return self._secret_page(request, row, secret)

    def _secret_page(self, request: HttpRequest, webhook: Webhook, secret: str) -> HttpResponse:
        """Display the secret once: it is stored encrypted, and never shown again."""
        title = _("Secret of the webhook")
        template = "admin/webhooks/webhook/secret.html"
        return render_page(self, request, template, title=title, webhook=webhook, secret=secret)

    @admin.display(description=gettext_lazy("Events"))
    def event_list(self, row: Webhook) -> Any:
        if EVERYTHING in row.events:
            return _("all")
        return display.clipped(", ".join(row.events))

    @admin.display(description=gettext_lazy("State"))
    def health(self, row: Webhook) -> Any:
        if row.paused_reason:
            return display.status(
                "lost", _("Paused: %(reason)s") % {"reason": row.get_paused_reason_display()}
            )
        if not row.is_active:
            return display.status("abandoned", pgettext("webhook", "Off"))
        if row.state.failures:
            failures = row.state.failures
            text = ngettext("Failing, %(number)s try", "Failing, %(number)s tries", failures)
            return display.status("lost", text % {"number": number(failures)})
        return display.status("won", pgettext("webhook", "Active"))

    @admin.display(description=gettext_lazy("Member"))
    def of_member(self, row: Webhook) -> str:
        return str(row.member.full_name)

    @admin.display(description=gettext_lazy("Last success"))
    def last_success(self, row: Webhook) -> Any:
        return moment(row.state.succeeded_at)


class WebhookFilter(RowFilter):
    title = gettext_lazy("Webhook")
    parameter = "webhook"
    model = Webhook


@admin.register(WebhookDelivery)
class DeliveryAdmin(StaffModelAdmin):
    """The log of all webhooks, and the page of one delivery."""

    view_permission = edit_permission = Permission.ADMINISTER
    empty_hint = gettext_lazy("Nothing has been sent yet.")
    select_related: ClassVar[Any] = ("webhook",)
    ordering: ClassVar[Any] = ("-created_at", "-id")
    keyset_columns: ClassVar[Any] = ("created_at",)
    list_display: ClassVar[Any] = (
        "type",
        "webhook",
        "state_text",
        "attempts",
        "answer_text",
        "duration",
        "at",
    )
    list_filter: ClassVar[Any] = (
        choice_filter(gettext_lazy("State"), "state", States.choices),
        WebhookFilter,
    )
    sortable_by: ClassVar[Any] = ()
    row_actions: ClassVar[Sequence[AdminAction]] = (Resend(),)
    FIELDS = ("type", "webhook", "message", "url", "sequence", "row_uuid", "error_text", "sent", "answered")

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": self.FIELDS})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return self.FIELDS

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def header(self, request: HttpRequest, row: WebhookDelivery) -> dict[str, Any]:
        facts = [
            (_("State"), state_of(row)),
            (_("Tries"), row.attempts),
            (_("Answer"), answer_of(row)),
            (_("Duration"), duration_of(row)),
            (_("Next try"), moment(row.next_attempt_at)),
        ]
        return {"template": "admin/facts.html", "facts": facts}

    @admin.display(description=gettext_lazy("State"))
    def state_text(self, row: WebhookDelivery) -> Any:
        return state_of(row)

    @admin.display(description=gettext_lazy("Answer"))
    def answer_text(self, row: WebhookDelivery) -> str:
        return answer_of(row)

    @admin.display(description=gettext_lazy("Duration"))
    def duration(self, row: WebhookDelivery) -> str:
        return duration_of(row)

    @admin.display(description=gettext_lazy("Last try"))
    def at(self, row: WebhookDelivery) -> Any:
        return moment(row.attempted_at)

    @admin.display(description=gettext_lazy("Message id"))
    def message(self, row: WebhookDelivery) -> str:
        return row.message_id

    @admin.display(description=gettext_lazy("Error"))
    def error_text(self, row: WebhookDelivery) -> str:
        return error_of(row) or self.get_empty_value_display()

    @admin.display(description=gettext_lazy("Sent"))
    def sent(self, row: WebhookDelivery) -> Any:
        return format_html('<code class="crm-body">{}</code>', row.body or display.NOTHING)

    @admin.display(description=gettext_lazy("Answered"))
    def answered(self, row: WebhookDelivery) -> Any:
        return format_html('<code class="crm-body">{}</code>', row.answer or display.NOTHING)
