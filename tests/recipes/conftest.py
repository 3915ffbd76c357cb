"""The recipes run in copies of the code that use SQLite: they are left out of the run on PostgreSQL."""

import os

collect_ignore = (
    ["test_field.py", "test_filter.py", "test_kind.py"] if os.environ.get("TEST_DATABASE_URL") else []
)
