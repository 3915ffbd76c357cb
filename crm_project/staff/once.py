"""Forms that create one row, however often they are sent: each rendered form has a key of its own."""

import hashlib
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from crm_project.accounts.actors import Actor
from crm_project.api.idempotency import Attempt
from crm_project.changes import ChangeSet, change_set
from crm_project.errors import Conflict, Invalid

KEY = "form_key"
LONGEST = 64


class SentBefore(Conflict):
    code = "form_sent_before"
    template = "This form was sent before, with other values. Open it again."


def create_once(*, actor: Actor, request: HttpRequest, create: Callable[[], Any]) -> tuple[int, ChangeSet]:
    """Create the row of a form, and return its id; of a form that was sent before, the id of the first row.

    The id is stored with the form's key in the transaction that creates the row.
    """
    key = request.POST.get(KEY, "")
    if not 0 < len(key) <= LONGEST:
        raise Invalid("This form has no key. Open it again.")
    attempt = Attempt(actor, f"form:{key}", _digest(request), SentBefore())
    with change_set(actor) as changes:
        earlier = attempt.earlier()
        if earlier is not None:
            return int(earlier.content), changes
        row = create()
        attempt.store(HttpResponse(str(row.pk)), headers=(), secret=False)
    return row.pk, changes


def _digest(request: HttpRequest) -> str:
    sent = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    return hashlib.sha256(repr((request.path, sent)).encode("utf-8", "surrogatepass")).hexdigest()
