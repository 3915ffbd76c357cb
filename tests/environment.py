"""A pytest plug-in: fixes the environment before the settings read it; TEST_DATABASE_URL picks a database."""

import os

os.environ["ENV_FILE"] = ""
os.environ["DEBUG"] = "on"
# Tests run tasks themselves, with `tests.tasks.run_tasks`.
os.environ["TASK_WORKER"] = "command"
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or "sqlite:///test.sqlite3"
for name in (
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "BEHIND_TLS",
    "EMAIL_URL",
    "DEFAULT_FROM_EMAIL",
    "PUBLIC_URL",
    "LOG_LEVEL",
):
    os.environ.pop(name, None)
# The suite sends more requests than any client; the tests of the limits set them.
for name in ("TOKEN", "USER", "ORGANIZATION", "ADDRESS"):
    os.environ[f"RATE_LIMIT_{name}"] = "off"
# Playwright's synchronous API runs an event loop, which Django takes for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
