"""Step: the grain of a history, and the order of all steps in time."""

import datetime
from typing import Any, NamedTuple


class Step(NamedTuple):
    """Something that a member, named by id, did to one row at one instant; `change` is what a service takes."""

    at: datetime.datetime
    actor: int
    verb: str
    change: dict[str, Any]


class Place(NamedTuple):
    """A step's place in time; at one instant contacts come before deals, and a row's steps stay in order."""

    at: datetime.datetime
    kind: str
    row: int
    step: int
