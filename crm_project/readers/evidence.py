"""The notation of a column: the one in which all of its cells can be read, if there is exactly one."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

SAMPLES = 3


@dataclass
class Evidence:
    """What the cells of a column say about its notation: a decimal sign, or an order of day, month and year.

    Each cell has readings: its value by notation. A notation is `possible` if all cells can be read in it. Two
    notations are `different` if some cell has another value in one than in the other.
    """

    notations: Sequence[str]
    possible: set[str] = field(default_factory=set)
    different: set[frozenset[str]] = field(default_factory=set)
    votes: Counter[str] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.possible = set(self.notations)

    def add(self, written: str, readings: Mapping[str, Any], count: int = 1) -> None:
        """Take a cell into account, which occurs `count` times."""
        self.possible &= readings.keys()
        values = list(readings.values())
        if len(readings) < len(self.notations):
            self.votes.update(dict.fromkeys(readings, count))
        if values.count(values[0]) == len(values) and len(readings) == len(self.notations):
            return
        for first, second in combinations(readings, 2):
            if readings[first] != readings[second]:
                self.different.add(frozenset((first, second)))
        if len(self.samples) < SAMPLES and written not in self.samples:
            self.samples.append(written)

    @property
    def choices(self) -> list[str]:
        """The notations that may be meant: several if the column does not decide, none if it has nothing to decide.

        Of a column that contradicts itself all that some cell can be read in.
        """
        if not self.possible:
            return [notation for notation in self.notations if self.votes[notation]]
        rest = [notation for notation in self.notations if notation in self.possible]
        if len(rest) == len(self.notations) and not self.different:
            return []
        if any(pair <= self.possible for pair in self.different):
            return rest
        return rest[:1]

    @property
    def decided(self) -> str:
        """The notation of the column, or an empty text."""
        choices = self.choices
        return choices[0] if len(choices) == 1 else ""

    @property
    def is_open(self) -> bool:
        """Whether somebody must say which notation is meant."""
        return len(self.choices) > 1

    @property
    def is_contradictory(self) -> bool:
        return not self.possible


def evidence_of(notations: Sequence[str], cells: Iterable[tuple[str, Mapping[str, Any]]]) -> Evidence:
    evidence = Evidence(notations)
    for written, readings in cells:
        evidence.add(written, readings)
    return evidence
