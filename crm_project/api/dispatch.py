"""How a handler is run: a read answers with an ETag, a write is one transaction: conditional, retried or only tried."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db import connection
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated, UnsupportedMediaType
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from crm_project.accounts.actors import Actor
from crm_project.api import etags
from crm_project.api.errors import InvalidHeader, InvalidQuery
from crm_project.api.idempotency import Attempt, KeyReused, fingerprint, key_of
from crm_project.changes import change_set
from crm_project.versions import Versions

Handler = Callable[..., Any]
# Known to every write, beside its own parameters.
WRITE_PARAMETERS = frozenset({"dry_run"})
DRY_RUN = "Dry-Run"


class DryRunRollback(Exception):
    """Carries the answer of a write out of its transaction, which is rolled back."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.response = response


class DispatchView(GenericViewSet[Any]):
    """The base of every view, canonical or of a dialect; the class attributes are what a dialect may say otherwise."""

    # Without TRACE, which no resource has and which would echo a token.
    http_method_names: Any = ["get", "post", "put", "patch", "delete", "head", "options"]
    # Query parameters and top-level body fields that hold a token: they are never part of a fingerprint.
    secret_parameters: ClassVar[frozenset[str]] = frozenset()
    # Actions whose answer holds a secret: it is not stored for a retry.
    secret_actions: ClassVar[frozenset[str]] = frozenset()
    # What a retry gets again, beside status and body.
    kept_headers: ClassVar[tuple[str, ...]] = ("Content-Type", "Location", "ETag", "X-Ignored-Fields")
    # Actions that write one row and compare its version with If-Match.
    conditional_actions: ClassVar[frozenset[str]] = frozenset()

    # The version of the row that the answer shows, and the body that its ETag is made of, if not the answer's own.
    shown_version: int | None = None
    shown_body: bytes | None = None
    if_match: Versions | None = None
    attempt: Attempt | None = None
    dry_run: bool = False

    @property
    def actor(self) -> Actor:
        if not isinstance(self.request.auth, Actor):
            raise NotAuthenticated
        return self.request.auth

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """DRF's own, but that the answer is rendered before anything is decided."""
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        self.dry_run = writes(request) and request.GET.get("dry_run") == "true"
        try:
            self.initial(self.request, *args, **kwargs)
            run = self._write if writes(request) else self._read
            response: Any = run(self._handler(request), *args, **kwargs)
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        if self.dry_run:
            self.response[DRY_RUN] = "true"
        return self.response

    def _handler(self, request: HttpRequest) -> Handler:
        name = (request.method or "").lower()
        handler: Handler | None = getattr(self, name, None) if name in self.http_method_names else None
        if handler is None:
            # Said at once, so that what else the request holds is not judged.
            raise MethodNotAllowed(request.method or "")
        return handler

    def _read(self, handler: Handler, *args: Any, **kwargs: Any) -> HttpResponse:
        response = self._rendered(handler, *args, **kwargs)
        tag = response.get("ETag")
        if tag is None or not etags.not_modified(self.request, tag):
            return response
        unchanged = HttpResponse(status=304, headers={"ETag": tag})
        del unchanged["Content-Type"]
        return unchanged

    def _write(self, handler: Handler, *args: Any, **kwargs: Any) -> HttpResponse:
        self._refuse_encoding()
        # Read whole before the transaction opens: a slow upload must not hold a lock.
        _ = self.request.data
        self._check_dry_run()
        self.if_match = self._expected()
        self.attempt = self._attempt(key_of(self.request))
        return self._in_transaction(handler, *args, **kwargs)

    def _in_transaction(self, handler: Handler, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whatever fails, the rendering and the commit included, undoes the write and is answered as a problem."""
        try:
            with change_set(self._known_actor):
                if self.attempt and (earlier := self.attempt.earlier()):
                    return earlier
                response = self._rendered(handler, *args, **kwargs)
                if self.dry_run or response.status_code >= 400:
                    raise DryRunRollback(response)
                if self.attempt:
                    secret = self.action in self.secret_actions
                    self.attempt.keep(response, headers=self.kept_headers, secret=secret)
        except DryRunRollback as undone:
            return undone.response
        return response

    def _rendered(self, handler: Handler, *args: Any, **kwargs: Any) -> HttpResponse:
        response = self.finalize_response(
            self.request, handler(self.request, *args, **kwargs), *args, **kwargs
        )
        if isinstance(response, Response):
            response.render()
            self._tag(response)
        if self.dry_run:
            self._tried(response)
        return response

    def _tag(self, response: Response) -> None:
        """Pages for people hold what changes each time; a refusal and an empty answer have nothing to compare."""
        is_json = "json" in (response.accepted_media_type or "")
        if response.status_code in (200, 201) and is_json and "ETag" not in response:
            body = response.content if self.shown_body is None else self.shown_body
            response["ETag"] = etags.etag(body, self.shown_version)

    def _tried(self, response: HttpResponse) -> None:
        """What a commit would have found is found here; the answer names no row and no version that will not exist."""
        if connection.vendor == "postgresql" and response.status_code < 400:
            connection.check_constraints()
        for name in ("Location", "ETag"):
            del response[name]

    def _attempt(self, key: str) -> Attempt | None:
        """What to remember of the request: it came with a key, is carried out, and has a member to remember it for."""
        actor = self._known_actor
        if not key or actor is None or self.dry_run:
            return None
        means = fingerprint(self.request, secrets=self.secret_parameters)
        return Attempt(actor, key, means, self.key_reused())

    def key_reused(self) -> Exception:
        """What to answer to a key that came with another request before."""
        return KeyReused()

    @property
    def _known_actor(self) -> Actor | None:
        """Nobody at a vendor's login, which makes the token that the next request comes with."""
        return self.request.auth if isinstance(self.request.auth, Actor) else None

    def _refuse_encoding(self) -> None:
        encoding = self.request.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            sentence = "A body is sent as it is, without a Content-Encoding."
            raise UnsupportedMediaType(self.request.content_type, sentence)

    def _check_dry_run(self) -> None:
        if self.request.query_params.get("dry_run", "false") not in ("true", "false"):
            raise InvalidQuery({"dry_run": ["true or false."]})

    def _expected(self) -> Versions | None:
        """A condition that would not be looked at is refused: its sender relies on it."""
        if "If-None-Match" in self.request.headers:
            raise InvalidHeader("If-None-Match is for reading; a write takes If-Match.")
        expected = etags.expected_versions(self.request)
        if expected is not None and self.action not in self.conditional_actions:
            raise InvalidHeader("If-Match is for a write of one existing row; this request is none.")
        return expected


def writes(request: Request | HttpRequest) -> bool:
    return request.method not in SAFE_METHODS
