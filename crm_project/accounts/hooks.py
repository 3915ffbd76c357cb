"""What accounts ask of outer apps, which fill these lists in their AppConfig."""

from collections.abc import Callable

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member

# A member has been added, inside the transaction that adds it.
member_added: list[Callable[[Member], None]] = []

# How many live rows somebody owns, by the kind of row.
count_owned: dict[str, Callable[[Member], int]] = {}

# hand_over(actor, leaver, heir, with_closed): make the heir the owner of the leaver's live rows, of those that are
# closed only if `with_closed`; returns their number.
hand_over: list[Callable[[Actor, Member, Member, bool], int]] = []
