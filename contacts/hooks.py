"""What contacts ask of outer apps, which fill these lists in their AppConfig."""

from collections.abc import Callable, Sequence

# How many live rows use any of these contacts?
count_uses: list[Callable[[Sequence[int]], int]] = []
# These contacts' names or addresses have changed: bring what was derived from them in step.
after_rename: list[Callable[[Sequence[int]], None]] = []
