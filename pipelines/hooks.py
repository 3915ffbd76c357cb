"""What pipelines ask of outer apps, which fill these lists in their AppConfig."""

from collections.abc import Callable, Sequence

from crm_project.accounts.actors import Actor
from pipelines.models import Stage

# How many live rows stand in any of these stages, visible or not?
count_uses: list[Callable[[Sequence[int]], int]] = []
# These stages' default probabilities have changed: so has what stands there and has none of its own.
after_probability: list[Callable[[Sequence[int]], None]] = []
# Move every live row that stands in these stages to that one.
move_all: list[Callable[[Actor, Sequence[int], Stage], None]] = []
