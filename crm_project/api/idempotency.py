"""Idempotency-Key: the response is stored in the write's transaction, and a retry gets the same bytes."""

import datetime
import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from crm_project.accounts.actors import Actor
from crm_project.api.errors import RETRY_AFTER, InvalidHeader
from crm_project.api.models import IdempotencyKey
from crm_project.records.locks import try_key

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
RETENTION = datetime.timedelta(hours=72)
LENGTH_LIMIT = 255
QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
BARE = re.compile(r"[!-~]([ -~]*[!-~])?")
# Expired keys are deleted each time this many have been stored, so that the table needs no scheduler.
SWEEP_EVERY = 200
SWEEP_LIMIT = 1000
# Parameters that two requests with the same meaning may differ in.
NOT_FINGERPRINTED = frozenset({"format", "dry_run"})
EXACT = Context(prec=100)


class KeyReused(APIException):
    """The key belongs to another request."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was used with another method, path or body."


class KeyInUse(APIException):
    status_code = 409
    default_code = "idempotency_key_in_use"
    default_detail = "The request with this Idempotency-Key is still in progress; try again."
    wait = int(RETRY_AFTER)


class SecretNotStored(APIException):
    """The first response contained a secret, which is not stored in any form."""

    status_code = 409
    default_code = "secret_not_kept"
    default_detail = (
        "This request was carried out before, and only that response contained the secret."
        " Delete the row in Location, and create another one with a new key."
    )

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.headers = {**headers, REPLAYED: "true"}


@dataclass(frozen=True)
class Attempt:
    """A request with a key. `reused` is raised if the key belongs to another request."""

    actor: Actor
    key: str
    fingerprint: str
    reused: Exception

    @property
    def lock(self) -> tuple[str, int, int, str]:
        return ("idempotency", self.actor.organization_id, self.actor.member.pk, self.key)

    def earlier(self) -> HttpResponse | None:
        """The response to the first request with this key, which is locked until the transaction ends."""
        if not try_key(self.lock):
            raise KeyInUse
        stored = self._of_member().filter(key=self.key).first()
        if stored is None:
            return None
        if stored.created_at <= timezone.now() - RETENTION:
            stored.delete()
            return None
        if stored.fingerprint != self.fingerprint:
            raise self.reused
        return _replay(stored)

    def store(self, response: HttpResponse, *, headers: Collection[str], secret: bool) -> None:
        """Store the response; without its body if that contains a secret."""
        stored = IdempotencyKey.objects.create(
            organization_id=self.actor.organization_id,
            member=self.actor.member,
            key=self.key,
            fingerprint=self.fingerprint,
            status=response.status_code,
            headers={name: response[name] for name in headers if name in response},
            body=None if secret else response.content,
        )
        if stored.pk % SWEEP_EVERY == 0:
            sweep()

    def _of_member(self) -> Any:
        return IdempotencyKey.objects.filter(
            organization_id=self.actor.organization_id, member=self.actor.member
        )


def key_of(request: Request) -> str:
    """The header's key, bare or as a quoted string; empty if there is no header."""
    given = request.headers.get(HEADER)
    if given is None:
        return ""
    quoted, bare = QUOTED.fullmatch(given.strip()), BARE.fullmatch(given.strip())
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else given.strip() if bare else ""
    if not key or len(key) > LENGTH_LIMIT or (not quoted and key.startswith('"')):
        problem = f"{HEADER} is 1 to {LENGTH_LIMIT} printable ASCII characters, bare or in quotes."
        raise InvalidHeader(problem)
    return key


def fingerprint(request: Request, *, secrets: Collection[str]) -> str:
    """A digest of method, path, query and body, equal for equal JSON; `secrets` are fields and parameters left out."""
    left_out = NOT_FINGERPRINTED | set(secrets)
    query = sorted((name, values) for name, values in request.query_params.lists() if name not in left_out)
    body = request.data
    if isinstance(body, Mapping):
        body = {name: value for name, value in body.items() if name not in secrets}
    parts = (request.method, request.path_info, query, _normalized(body))
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _normalized(value: Any) -> Any:
    """A value that is equal for equal JSON: without the order of keys and the trailing zeros of numbers."""
    if isinstance(value, Mapping):
        return ("object", *sorted((name, _normalized(item)) for name, item in value.items()))
    if isinstance(value, list):
        return ("list", *map(_normalized, value))
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value.normalize(EXACT)
    return value


def _replay(stored: IdempotencyKey) -> HttpResponse:
    if stored.body is None:
        raise SecretNotStored(
            {name: stored.headers[name] for name in ("Location",) if name in stored.headers}
        )
    response = HttpResponse(bytes(stored.body), status=stored.status)
    del response["Content-Type"]
    for name, value in {**stored.headers, REPLAYED: "true"}.items():
        response[name] = value
    return response


def sweep(limit: int = SWEEP_LIMIT) -> int:
    """Delete at most `limit` expired keys, without those that another sweep has locked; returns their number."""
    with transaction.atomic():
        expired = IdempotencyKey.objects.filter(created_at__lte=timezone.now() - RETENTION)
        doomed = expired.order_by("created_at").select_for_update(skip_locked=True)[:limit]
        ids = list(doomed.values_list("pk", flat=True))
        return IdempotencyKey.objects.filter(pk__in=ids).delete()[0] if ids else 0
