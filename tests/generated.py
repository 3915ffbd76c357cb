"""What the tests that generate requests of an OpenAPI document share: the document, the settings, the connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, settings

from crm_project.wsgi import application
from tests.examples import IS_REPEATABLE, examples

# schemathesis decompresses no answer of a WSGI application.
PLAIN = {"Accept-Encoding": "identity"}


def loaded(document: Any) -> Any:
    """The document as schemathesis reads it; its calls go to the WSGI application of this process."""
    schema = schemathesis.openapi.from_dict(document)
    schema.app = application
    # Its boundary cases are some hundred for each list and each body; test_strict.py has them.
    schema.config.phases.coverage.enabled = False
    # A body that is too large is refused for that before anything else is looked at.
    schema.config.checks.negative_data_rejection.expected_statuses.append("413")
    # A list of writes that is not atomic answers with the refusals of its operations.
    schema.config.checks.negative_data_rejection.expected_statuses.append("207")
    return schema


def generates(count: int) -> Any:
    """A decorator: `count` requests of each operation, times TEST_EXAMPLES."""
    return settings(
        max_examples=examples(count),
        deadline=None,
        derandomize=IS_REPEATABLE,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )


@contextmanager
def undone() -> Iterator[None]:
    """A transaction that is rolled back, on a connection that the requests in it do not close."""
    with transaction.atomic():
        # Real calls would close the connection; Django's own client connects these again whenever it is used.
        request_started.disconnect(close_old_connections)
        request_finished.disconnect(close_old_connections)
        yield
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)
        transaction.set_rollback(True)
