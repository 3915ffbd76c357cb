"""Running a handler: a read gets an ETag; a write is one transaction with condition, idempotency key and dry run."""

from collections.abc import Callable, Mapping, Sequence
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
from crm_project.api.authentication import require_tls
from crm_project.api.budget import Budget, budget_of
from crm_project.api.errors import InvalidHeader, InvalidQuery
from crm_project.api.idempotency import Attempt, KeyReused, fingerprint, key_of
from crm_project.api.limits import bill_of, count, counted_refusal
from crm_project.changes import change_set
from crm_project.compression import leave_uncompressed
from crm_project.versions import Versions

Handler = Callable[..., Any]
# Accepted by every write, beside its own parameters.
WRITE_PARAMETERS = frozenset({"dry_run"})
DRY_RUN = "Dry-Run"
# Values of a query parameter that ask for nothing.
UNSET = frozenset({"", "false"})


class DryRunRollback(Exception):
    """Rolls the transaction back and carries the response out of it."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.response = response


class DispatchView(GenericViewSet[Any]):
    """The base of every view of the canonical API and of the dialects, which override class attributes."""

    # Without TRACE, which would echo a token.
    http_method_names: Any = ["get", "post", "put", "patch", "delete", "head", "options"]
    # Query parameters and top-level body fields that hold a token: they are never part of a fingerprint.
    secret_parameters: ClassVar[frozenset[str]] = frozenset()
    # Actions whose response contains a secret: its body is neither stored for a retry nor compressed.
    secret_actions: ClassVar[frozenset[str]] = frozenset()
    # The headers that a retry gets again, beside status and body.
    replayed_headers: ClassVar[tuple[str, ...]] = (
        "Content-Type",
        "Location",
        "ETag",
        "Retry-After",
        "X-Ignored-Fields",
    )
    # Requests are counted by the view, which authenticates them, instead of by the middleware.
    counts_itself: ClassVar[bool] = True
    # What a request counts in the rate limits, if not one unit: action → units.
    costs: ClassVar[Mapping[str, int]] = {}
    # The units that a query parameter adds: name → units.
    parameter_costs: ClassVar[Mapping[str, int]] = {}
    # The rows of a list in the body that count for one unit, for actions that take one: action → rows.
    rows_per_unit: ClassVar[Mapping[str, int]] = {}
    # Further response headers of the OpenAPI document: action → status → names.
    documented_headers: ClassVar[Mapping[str, Mapping[int, Sequence[str]]]] = {}
    # Actions that write one row and compare its version with If-Match.
    conditional_actions: ClassVar[frozenset[str]] = frozenset()

    # The version of the row in the response, and the body to compute the ETag of, if not the response's own.
    etag_version: int | None = None
    etag_body: bytes | None = None
    if_match: Versions | None = None
    attempt: Attempt | None = None
    dry_run: bool = False

    @property
    def actor(self) -> Actor:
        if not isinstance(self.request.auth, Actor):
            raise NotAuthenticated
        return self.request.auth

    @property
    def budget(self) -> Budget:
        """What this answer may still cost."""
        return budget_of(self.request._request)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Like DRF's, but the response is rendered inside the transaction, so that a failure there rolls back."""
        self.args, self.kwargs = args, kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        self.dry_run = writes(request) and request.GET.get("dry_run") == "true"
        try:
            self.initial(self.request, *args, **kwargs)
            run = self._write if writes(request) else self._read
            response: Any = run(self._handler(request), *args, **kwargs)
        except Exception as error:
            response = self.handle_exception(counted_refusal(self.request, error))
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        if self.dry_run:
            self.response[DRY_RUN] = "true"
        if getattr(self, "action", None) in self.secret_actions:
            leave_uncompressed(self.response)
        return self.response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        require_tls(request)
        super().initial(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        count(request, super().perform_authentication, self.first_units)

    @property
    def pages(self) -> bool:
        """Whether the action answers a page, and may count the rows."""
        return False

    def units(self, request: Request) -> int:
        """The units of the request, without those of its body."""
        given = request.query_params
        extra = (cost for name, cost in self.parameter_costs.items() if given.get(name, "") not in UNSET)
        return self.costs.get(getattr(self, "action", None) or "", 1) + sum(extra)

    def _handler(self, request: HttpRequest) -> Handler:
        name = (request.method or "").lower()
        handler: Handler | None = getattr(self, name, None) if name in self.http_method_names else None
        if handler is None:
            # Before anything else of the request is checked.
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
        # Read before the transaction begins: a slow upload must not hold a lock.
        _ = self.request.data
        self._check_dry_run()
        self.if_match = self._expected()
        self.attempt = self._attempt(key_of(self.request))
        if self.attempt is None:
            self._charge_rest()
        return self._in_transaction(handler, *args, **kwargs)

    def _in_transaction(self, handler: Handler, *args: Any, **kwargs: Any) -> HttpResponse:
        """Any failure, in rendering and commit too, rolls the write back and becomes a problem."""
        try:
            with change_set(self._known_actor):
                if self.attempt:
                    if earlier := self.attempt.earlier():
                        return earlier
                    self._charge_rest()
                response = self._rendered(handler, *args, **kwargs)
                if self.dry_run or response.status_code >= 400:
                    raise DryRunRollback(response)
                if self.attempt:
                    secret = self.action in self.secret_actions
                    self.attempt.store(response, headers=self.replayed_headers, secret=secret)
        except DryRunRollback as undone:
            return undone.response
        return response

    def first_units(self, request: Request) -> int:
        """A write begins with one unit: the answer to a retry costs no more."""
        return 1 if writes(request) else self.units(request)

    def _charge_rest(self) -> None:
        """Count all of a write that is carried out."""
        if bill := bill_of(self.request._request):
            bill.charge(self.units(self.request) + self._body_units())

    def _body_units(self) -> int:
        rows = self.rows_per_unit.get(self.action or "")
        sent = (
            self.request.data.get("operations") if rows and isinstance(self.request.data, Mapping) else None
        )
        return len(sent) // rows if rows and isinstance(sent, list) else 0

    def _rendered(self, handler: Handler, *args: Any, **kwargs: Any) -> HttpResponse:
        response = self.finalize_response(
            self.request, handler(self.request, *args, **kwargs), *args, **kwargs
        )
        if isinstance(response, Response):
            response.render()
            self.budget.spend(size=len(response.content))
            self._tag(response)
        if self.dry_run:
            self._tried(response)
        return response

    def _tag(self, response: Response) -> None:
        """Add the ETag. HTML pages differ at each request; refusals and empty responses have none."""
        is_json = "json" in (response.accepted_media_type or "")
        if response.status_code in (200, 201) and is_json and "ETag" not in response:
            body = response.content if self.etag_body is None else self.etag_body
            response["ETag"] = etags.etag(body, self.etag_version)

    def _tried(self, response: HttpResponse) -> None:
        """Check deferred constraints as a commit would, and drop the headers of a row that will not exist."""
        if connection.vendor == "postgresql" and response.status_code < 400:
            connection.check_constraints()
        del response["ETag"]
        if response.status_code == 201:
            del response["Location"]

    def _attempt(self, key: str) -> Attempt | None:
        """The attempt to store with the response, for a request with a key and a member that is no dry run."""
        actor = self._known_actor
        if not key or actor is None or self.dry_run:
            return None
        digest = fingerprint(self.request, secrets=self.secret_parameters)
        return Attempt(actor, key, digest, self.key_reused())

    def key_reused(self) -> Exception:
        """The refusal of a key that another request had."""
        return KeyReused()

    @property
    def _known_actor(self) -> Actor | None:
        """None at a vendor's login, which is sent without a token."""
        return self.request.auth if isinstance(self.request.auth, Actor) else None

    def _refuse_encoding(self) -> None:
        encoding = self.request.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            sentence = "Content-Encoding is not supported; send the body unencoded."
            raise UnsupportedMediaType(self.request.content_type, sentence)

    def _check_dry_run(self) -> None:
        if self.request.query_params.get("dry_run", "false") not in ("true", "false"):
            raise InvalidQuery({"dry_run": ["Must be true or false."]})

    def _expected(self) -> Versions | None:
        """The versions of If-Match. A condition that the action does not check is refused: the sender relies on it."""
        if "If-None-Match" in self.request.headers:
            raise InvalidHeader("If-None-Match is for reads; use If-Match with a write.")
        expected = etags.expected_versions(self.request)
        if expected is not None and self.action not in self.conditional_actions:
            raise InvalidHeader("If-Match is only accepted with a write of one existing row.")
        return expected


def writes(request: Request | HttpRequest) -> bool:
    return request.method not in SAFE_METHODS
