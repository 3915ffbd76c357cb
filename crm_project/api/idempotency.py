"""Idempotency-Key: a write's answer is stored in the write's own transaction, and a retry gets the same bytes again."""

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
KEPT_FOR = datetime.timedelta(hours=72)
LENGTH_LIMIT = 255
QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
BARE = re.compile(r"[!-~]([ -~]*[!-~])?")
# Every so many stored keys, some that have expired are deleted: the table does not grow without a scheduler.
SWEEP_EVERY = 200
SWEEP_LIMIT = 1000
# What does not change what a request means: how it is answered, and whether it is carried out.
IGNORED_PARAMETERS = frozenset({"format", "dry_run"})
EXACT = Context(prec=100)


class KeyReused(APIException):
    """The same key with another request."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key came with another method, path or body before."


class KeyInUse(APIException):
    status_code = 409
    default_code = "idempotency_key_in_use"
    default_detail = "The request with this Idempotency-Key is still being carried out; ask again."
    wait = int(RETRY_AFTER)


class SecretNotKept(APIException):
    """The first answer held a secret. It is not stored, in no form: whoever lost it makes another one."""

    status_code = 409
    default_code = "secret_not_kept"
    default_detail = (
        "This request was carried out before, and its secret was shown in that answer alone."
        " Delete what Location names, and make another one with a new key."
    )

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.headers = {**headers, REPLAYED: "true"}


@dataclass(frozen=True)
class Attempt:
    """A request that came with a key; `reused` refuses it if another one had the same."""

    actor: Actor
    key: str
    fingerprint: str
    reused: Exception

    def earlier(self) -> HttpResponse | None:
        """The answer to the first request with this key. Nobody else works on the key until the transaction ends."""
        if not try_key(("idempotency", self.actor.organization_id, self.actor.member.pk, self.key)):
            raise KeyInUse
        kept = self._of_member().filter(key=self.key).first()
        if kept is None:
            return None
        if kept.created_at <= timezone.now() - KEPT_FOR:
            kept.delete()
            return None
        if kept.fingerprint != self.fingerprint:
            raise self.reused
        return _replay(kept)

    def keep(self, response: HttpResponse, *, headers: Collection[str], secret: bool) -> None:
        """Store the answer; without its body if that holds a secret."""
        kept = IdempotencyKey.objects.create(
            organization_id=self.actor.organization_id,
            member=self.actor.member,
            key=self.key,
            fingerprint=self.fingerprint,
            status=response.status_code,
            headers={name: response[name] for name in headers if name in response},
            body=None if secret else response.content,
        )
        if kept.pk % SWEEP_EVERY == 0:
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
    """Method, path, query and what the body means, however it is written; `secrets` name a token sent in them."""
    left_out = IGNORED_PARAMETERS | set(secrets)
    query = sorted((name, values) for name, values in request.query_params.lists() if name not in left_out)
    body = request.data
    if isinstance(body, Mapping):
        body = {name: value for name, value in body.items() if name not in secrets}
    request_means = (request.method, request.path_info, query, _meaning(body))
    return hashlib.sha256(repr(request_means).encode("utf-8", "surrogatepass")).hexdigest()


def _meaning(value: Any) -> Any:
    """The same for every way to write the same JSON: the order of keys and the zeros of a number say nothing."""
    if isinstance(value, Mapping):
        return ("object", *sorted((name, _meaning(item)) for name, item in value.items()))
    if isinstance(value, list):
        return ("list", *map(_meaning, value))
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value.normalize(EXACT)
    return value


def _replay(kept: IdempotencyKey) -> HttpResponse:
    if kept.body is None:
        raise SecretNotKept({name: kept.headers[name] for name in ("Location",) if name in kept.headers})
    response = HttpResponse(bytes(kept.body), status=kept.status)
    del response["Content-Type"]
    for name, value in {**kept.headers, REPLAYED: "true"}.items():
        response[name] = value
    return response


def sweep(limit: int = SWEEP_LIMIT) -> int:
    """Delete at most `limit` keys that have expired, without waiting for whoever else does; answers how many."""
    with transaction.atomic():
        expired = IdempotencyKey.objects.filter(created_at__lte=timezone.now() - KEPT_FOR)
        doomed = expired.order_by("created_at").select_for_update(skip_locked=True)[:limit]
        ids = list(doomed.values_list("pk", flat=True))
        return IdempotencyKey.objects.filter(pk__in=ids).delete()[0] if ids else 0
