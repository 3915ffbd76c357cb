"""The OpenAPI document against the server: what it generates never breaks, and every answer is as documented."""

import pytest
from django.db import transaction
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from crm_project.accounts.services import create_token
from tests.api.client import PROBLEM, ApiClient, document
from tests.api.routes import make_rows, places
from tests.base import World
from tests.examples import IS_REPEATABLE
from tests.generated import PLAIN, generates, loaded, undone

# A body that fits its schema may have ids of no row, or break a rule that a schema cannot express.
UNTELLABLE = [positive_data_acceptance]
# With the name of a real row in the path, what was wrong with the request may be right.
MENDED = [*UNTELLABLE, negative_data_rejection]


schema = loaded(document())


class _Case:
    """What make_rows needs of a test case."""

    def __init__(self):
        vars(self).update(vars(World()))
        self.as_alice, self.as_bob = ApiClient(self.alice), ApiClient(self.bob)


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Alice's token and the rows of her organization, made once: each test undoes only what it does itself."""
    with django_db_blocker.unblock(), transaction.atomic():
        case = _Case()
        secrets = [create_token(actor=actor, name="schema")[1] for actor in (case.alice, case.charlie)]
        yield secrets, places(make_rows(case))
        transaction.set_rollback(True)


@pytest.fixture
def alice(world, django_db_blocker):
    with django_db_blocker.unblock(), undone():
        yield world


@pytest.mark.django_db
@schema.parametrize()
@generates(6)
def test_the_server_keeps_to_its_document(alice, case):
    (own, stranger), rows = alice
    given, real = case.path_parameters, rows.get(case.path)
    calls = [(own, given, UNTELLABLE), (own, real, MENDED)]
    if not IS_REPEATABLE:
        # In a long run Charlie sends the ids of Alice's rows, too.
        calls.append((stranger, real, MENDED))
    for secret, names, unchecked in calls:
        if names is None:
            continue
        headers = {"Authorization": f"Bearer {secret}", **PLAIN}
        case.path_parameters = names
        response = case.call(headers=headers)
        case.validate_response(response, headers=headers, excluded_checks=unchecked)
        if response.status_code >= 400:
            assert response.headers["content-type"] == [PROBLEM]
