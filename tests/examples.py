"""How many examples a test with generated input tries: few in `make test`, `TEST_EXAMPLES` times as many if set."""

import os

FACTOR = int(os.environ.get("TEST_EXAMPLES", "1"))
# Without a factor a run is the same each time; with one `--hypothesis-seed` chooses the examples.
IS_REPEATABLE = FACTOR == 1


def examples(count: int) -> int:
    return count * FACTOR
