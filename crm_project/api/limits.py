"""Rate limits: who is counted, what a request costs, the RateLimit headers and the refusal.

The header fields and the problem type are those of draft-ietf-httpapi-ratelimit-headers. An authenticated request is
counted by its view, for its token or user and for its organization; every other one for its address.
"""

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from crm_project.accounts.actors import Actor
from crm_project.accounts.logins import client_address
from crm_project.api import counters, settling
from crm_project.api.counters import Limit, Policy, Standing

POLICY_HEADER = "RateLimit-Policy"
HEADER = "RateLimit"
# Addresses are counted by each process alone: there may be any number of them, and they are not to be stored.
UNSHARED = frozenset({"address"})


class QuotaExceeded(APIException):
    """Too many requests in the window of a policy; `wait` is the number of seconds until it ends."""

    status_code = 429
    default_code = "quota_exceeded"
    default_detail = "The quota of this client is used up."

    def __init__(self, standings: Sequence[Standing], due: Sequence[int]) -> None:
        short = [one for one, units in zip(standings, due, strict=True) if one.remaining < units]
        self.wait = max(one.seconds for one in short)
        names = [one.limit.policy.name for one in short]
        self.extra = {"violated-policies": names}
        super().__init__(f"The quota is used up ({', '.join(names)}). Wait {self.wait} seconds.")


class Bill:
    """The limits of one request, and what it has taken of them."""

    def __init__(self, limits: Sequence[Limit], *, announced: bool) -> None:
        self.limits = limits
        # Whether the answer has the headers.
        self.announced = announced
        self.refused = False
        self.standings: list[Standing] = []
        self._taken = [0] * len(limits)

    def charge(self, units: int) -> None:
        """Take what is missing to so many units in all. Raises QuotaExceeded, and then takes nothing.

        A request costs at most the whole quota, so that each one can be sent in an unused window.
        """
        if not self.limits:
            return
        owed = [min(units, limit.policy.quota) for limit in self.limits]
        due = [most - taken for most, taken in zip(owed, self._taken, strict=True)]
        enough, self.standings = counters.counters.take(self.limits, due, time.time())
        if not enough:
            self.refused = True
            raise QuotaExceeded(self.standings, due)
        self._taken = owed
        settling.settler.wake()

    def headers(self) -> dict[str, str]:
        if not self.announced or not self.standings:
            return {}
        policies = [one.limit.policy for one in self.standings]
        return {
            POLICY_HEADER: ", ".join(f'"{one.name}";q={one.quota};w={one.seconds}' for one in policies),
            HEADER: ", ".join(
                f'"{one.limit.policy.name}";r={one.remaining};t={one.seconds}' for one in self.standings
            ),
        }


def bill_of(request: HttpRequest) -> Bill | None:
    """The bill of a Django request; None if it has not been counted."""
    bill: Bill | None = getattr(request, "bill", None)
    return bill


def bill_actor(request: HttpRequest, actor: Actor) -> Bill:
    """Count for the token of the actor, or for the user without one, and for the organization."""
    token = actor.token
    own = limits_of("token", token.pk) if token else limits_of("user", actor.member.user_id)
    return _billed(request, Bill([*own, *limits_of("organization", actor.organization_id)], announced=True))


def bill_user(request: HttpRequest, user_id: int) -> Bill:
    """Count for a user in the pages of the admin."""
    return _billed(request, Bill(limits_of("user", user_id), announced=False))


def bill_address(request: HttpRequest) -> Bill:
    return _billed(request, Bill(limits_of("address", client_address(request)), announced=False))


def _billed(request: HttpRequest, bill: Bill) -> Bill:
    request.bill = bill  # type: ignore[attr-defined]
    return bill


def limits_of(name: str, client: Any) -> list[Limit]:
    """The limit of the policy; none if the policy is off."""
    rate = settings.RATE_LIMITS.get(name)
    return [Limit(_policy(name, *rate), str(client))] if rate else []


@cache
def _policy(name: str, quota: int, seconds: int) -> Policy:
    return Policy(name, quota, seconds, shared=name not in UNSHARED)


def count(request: Request, authenticate: Callable[[Request], None], units: Callable[[Request], int]) -> None:
    """Authenticate the request of a view and count it: for the token or user, or one unit for its address."""
    try:
        authenticate(request)
    except APIException as error:
        _count_address(request, error)
        raise
    if isinstance(request.auth, Actor):
        bill_actor(request._request, request.auth).charge(units(request))
    else:
        _count_address(request, None)


def counted_refusal(request: Request, error: Exception) -> Exception:
    """The refusal to answer. One that came before the request was counted, such as an unknown path, counts here."""
    if bill_of(request._request) is None:
        try:
            bill_address(request._request).charge(1)
        except QuotaExceeded as refusal:
            return refusal
    return error


def _count_address(request: Request, error: APIException | None) -> None:
    try:
        bill_address(request._request).charge(1)
    except QuotaExceeded as refusal:
        raise refusal from error
