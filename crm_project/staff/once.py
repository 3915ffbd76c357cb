"""Forms that are carried out once, however often they are sent: each rendered form has a key of its own.

The outcome is stored with the key in the transaction of the write. Of two requests with one form, the later one waits
for the first and gets its outcome.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeData, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.api.idempotency import Attempt
from crm_project.changes import ChangeSet, change_set
from crm_project.errors import Conflict, Invalid
from crm_project.journal.models import Event
from crm_project.records.locks import hold_keys

KEY = "form_key"
LONGEST = 64


class SentBefore(Conflict):
    code = "form_sent_before"
    template = gettext_noop("This form was sent before, with other values. Send it again to save these too.")


def form_key(request: HttpRequest) -> str:
    """The key of the form that was sent; empty if it has none, or one that is too long."""
    key = request.POST.get(KEY, "")
    return key if len(key) <= LONGEST else ""


def carry_out(
    *, actor: Actor, request: HttpRequest, act: Callable[[], str], is_new: bool = False
) -> tuple[str, ChangeSet]:
    """Carry out `act`, and return its text and its change set; of a form that was sent before, those of that time.

    A form that creates a row (`is_new`) is refused if it was sent before with other values: it was opened for one row.
    With any other form that is another act.
    """
    key, digest = form_key(request), _digest(request)
    stored_as = f"form:{key}" if is_new else f"form:{key}:{digest[:32]}"
    attempt = Attempt(actor, stored_as, digest, SentBefore())
    with change_set(actor) as changes:
        if not key:
            return act(), changes
        hold_keys([attempt.lock])
        earlier = attempt.earlier()
        if earlier is not None:
            return _again(actor, json.loads(earlier.content))
        text = act()
        body = json.dumps({"change_set": str(changes.uuid), "text": text})
        attempt.store(HttpResponse(body), headers=(), secret=False)
    return text, changes


def _again(actor: Actor, stored: dict[str, str]) -> tuple[str, ChangeSet]:
    """The outcome as it was stored, with the events of that change set."""
    changes = ChangeSet(actor, UUID(stored["change_set"]))
    events: Any = Event.objects.of_change_set(actor.organization_id, changes.uuid)
    for event in events:
        changes.recorded.append(event)
    return stored["text"], changes


def create_once(*, actor: Actor, request: HttpRequest, create: Callable[[], Any]) -> tuple[int, ChangeSet]:
    """Create the row of a form, and return its id; of a form that was sent before, the id of the first row."""
    if not form_key(request):
        raise Invalid("This form has no key. Open it again.")
    text, changes = carry_out(actor=actor, request=request, act=lambda: str(create().pk), is_new=True)
    return int(text), changes


class _NotSaved(Exception):
    """Ends the transaction of a form that is shown again."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


def respond_once(
    *,
    actor: Actor,
    request: HttpRequest,
    respond: Callable[[], HttpResponse],
    is_saved: Callable[[], bool],
    fallback: str,
    is_new: bool,
) -> HttpResponse:
    """The response to a form, or the redirect and the messages of the first time.

    A response that shows a secret is not stored: its form leads to the address `fallback` when it is sent again.
    """
    sent: list[HttpResponse] = []

    def act() -> str:
        response = respond()
        sent.append(response)
        if not is_saved():
            raise _NotSaved(response)
        return json.dumps({"to": response.get("Location", ""), "messages": _queued(request)})

    try:
        text, _changes = carry_out(actor=actor, request=request, act=act, is_new=is_new)
    except _NotSaved as shown_again:
        return shown_again.response
    if sent:
        return sent[0]
    stored = json.loads(text)
    for level, message, is_safe in stored["messages"]:
        messages.add_message(request, level, mark_safe(message) if is_safe else message)
    if not stored["to"]:
        messages.warning(request, _("This form was sent before. What it showed once is not shown again."))
    return HttpResponseRedirect(stored["to"] or fallback)


def _queued(request: HttpRequest) -> list[tuple[int, str, bool]]:
    queued: Any = getattr(messages.get_messages(request), "_queued_messages", ())
    return [(one.level, str(one.message), isinstance(one.message, SafeData)) for one in queued]


def _digest(request: HttpRequest) -> str:
    sent = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    uploads: list[tuple[str, Any]] = list(request.FILES.items())
    files = sorted((name, file.name, file.size) for name, file in uploads)
    return hashlib.sha256(
        repr((request.get_full_path(), sent, files)).encode("utf-8", "surrogatepass")
    ).hexdigest()
