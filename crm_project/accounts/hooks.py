"""What accounts ask of outer apps, which fill these lists in their AppConfig."""

from collections.abc import Callable

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member

# A member has been added, inside the transaction that adds it.
member_added: list[Callable[[Member], None]] = []

# The country of an organization (its id) has changed, inside the transaction that changes it.
country_changed: list[Callable[[int], None]] = []

# How many live rows somebody owns, by the kind of row.
count_owned: dict[str, Callable[[Member], int]] = {}

# Make the second member the owner of every live row that the first one owns; answers how many there were.
hand_over: list[Callable[[Actor, Member, Member], int]] = []
