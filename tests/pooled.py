"""A pytest plug-in: each test with committed rows has its connections through PgBouncer in transaction mode.

`python -m tests.postgres python -m pytest -p tests.pooled -m "race and not long"` is the whole race suite behind it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.pgbouncer import behind_pgbouncer, store_limits


@pytest.fixture(autouse=True)
def _pooled(request: Any) -> Iterator[None]:
    if "transactional_db" not in request.fixturenames or request.module.__name__ == "tests.test_pooler":
        yield
        return
    request.getfixturevalue("transactional_db")
    with behind_pgbouncer(connection) as port:
        store_limits(connection, port)
        yield
