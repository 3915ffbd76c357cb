"""The recipe of a field runs in copies of the code that use SQLite: it is left out of the run on PostgreSQL."""

import os

collect_ignore = ["test_field.py"] if os.environ.get("TEST_DATABASE_URL") else []
