"""The functions of outer apps that writes of accounts call; each is set in an AppConfig."""

from collections.abc import Callable

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member, Organization


def _nothing(member: Member) -> None:
    """Until `records` is ready."""


# member_added(member): called in the transaction that adds the member
member_added: Callable[[Member], None] = _nothing

# organization_created(organization): called in the transaction that creates the organization
organization_created: list[Callable[[Organization], None]] = []

# country_changed(organization id): called in the transaction that changes the country
country_changed: list[Callable[[int], None]] = []

# currency_changed(organization id): called in the transaction that changes the currency
currency_changed: list[Callable[[int], None]] = []

# time_zone_changed(organization id): called in the transaction that changes the time zone
time_zone_changed: list[Callable[[int], None]] = []

# For each kind of row, a function that returns the number of the live rows that a member owns.
count_owned: dict[str, Callable[[Member], int]] = {}

# hand_over(actor, leaver, heir, with_closed): make the heir the owner of the leaver's live rows, of those that are
# closed only if `with_closed`; returns their number.
hand_over: list[Callable[[Actor, Member, Member, bool], int]] = []
