"""The OpenAPI document against the server: what it generates never breaks, and every answer is as documented."""

import re
from copy import deepcopy

import pytest
from django.db import transaction
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from crm_project.accounts.services import create_token
from tests.api.client import PROBLEM, ApiClient, ApiTestCase, document
from tests.api.routes import PUBLIC, ROUTES, make_rows, served, served_methods
from tests.base import World
from tests.generated import PLAIN, generates, loaded, undone

METHODS = ("get", "post", "put", "patch", "delete")
# A body that fits its schema may have ids of no row, or break a rule that a schema cannot express.
UNTELLABLE = [positive_data_acceptance]
# With the name of a real row in the path, what was wrong with the request may be right.
MENDED = [*UNTELLABLE, negative_data_rejection]


schema = loaded(document())


def operations():
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def places(rows):
    """For each path of the document, the names of rows that exist."""
    found = {}
    for route in ROUTES:
        path = route.path.partition("?")[0]
        pattern = re.compile(re.sub(r"\{\w+\}", r"\\{(\\w+)\\}", path))
        for place in document()["paths"]:
            if match := pattern.fullmatch(place):
                names = re.findall(r"\{(\w+)\}", path)
                found[place] = {name: str(rows[row]) for name, row in zip(match.groups(), names, strict=True)}
    return found


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
        yield create_token(actor=case.alice, name="schema")[1], places(make_rows(case))
        transaction.set_rollback(True)


@pytest.fixture
def alice(world, django_db_blocker):
    with django_db_blocker.unblock(), undone():
        yield world


@pytest.mark.django_db
@schema.parametrize()
@generates(6)
def test_the_server_keeps_to_its_document(alice, case):
    secret, rows = alice
    headers = {"Authorization": f"Bearer {secret}", **PLAIN}
    for names, unchecked in ((case.path_parameters, UNTELLABLE), (rows.get(case.path), MENDED)):
        if names is None:
            continue
        case.path_parameters = names
        response = case.call(headers=headers)
        case.validate_response(response, headers=headers, excluded_checks=unchecked)
        if response.status_code >= 400:
            assert response.headers["content-type"] == [PROBLEM]


class ExampleTests(ApiTestCase):
    def test_every_example_can_be_sent(self):
        rows = make_rows(self)
        sent, named = set(), places(rows)
        for path, method, operation in operations():
            for name, example in examples(operation):
                for data in bodies(example):
                    if "deal_uuid" in data:
                        data["deal_uuid"] = str(rows["deal"])
                with transaction.atomic():
                    where = path.format(**named.get(path, {}))
                    answer = self.as_alice.send(method.upper(), where, example)
                    transaction.set_rollback(True)
                assert answer.status_code in (200, 201), (path, name, answer.content)
                sent.add(f"{method} {path}")
        assert sent >= {
            "post /api/deals",
            "post /api/deals/upsert",
            "post /api/deals/bulk",
            "post /api/contacts",
            "post /api/contacts/bulk",
            "post /api/pipelines",
            "post /api/lost-reasons",
            "post /api/custom-fields",
            "post /api/activities/bulk",
            "post /api/tokens",
        }

    def test_every_operation_and_parameter_has_a_description(self):
        for path, method, operation in operations():
            assert operation["tags"], (method, path)
            assert operation["summary"], (method, path)
            for parameter in operation.get("parameters", ()):
                assert parameter["schema"], (method, path, parameter["name"])
                assert parameter["in"] == "path" or parameter["description"], (
                    method,
                    path,
                    parameter["name"],
                )

    def test_lists_describe_custom_fields_and_sparse_answers(self):
        for path in ("/api/deals", "/api/contacts", "/api/deals/summary"):
            parameters = {
                one["name"]: one for one in document_of("get", path)["parameters"] if one["in"] == "query"
            }
            custom = parameters["custom_fields"]
            assert (custom["style"], custom["explode"]) == ("form", True)
            [pattern] = custom["schema"]["patternProperties"]
            for name in ("custom_budget", "custom_budget_min", "custom_day_after", "custom_a_empty"):
                assert re.fullmatch(pattern, name)
            assert not re.fullmatch(pattern, "budget")
            assert ("fields" in parameters) == (path != "/api/deals/summary")
        assert "expand" in {one["name"] for one in document_of("get", "/api/deals")["parameters"]}
        refused = self.as_bob.get("/api/deals", custom_fields="x")
        assert refused.json()["errors"][0]["pointer"] == "/custom_fields"

    def test_the_document_lists_every_route(self):
        documented = {(path, method.upper()) for path, method, _ in operations()}
        routed = {
            ("/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", place), method)
            for place, view in served().items()
            if place not in PUBLIC
            for method in served_methods(view)
        }
        assert routed == documented


def document_of(method, path):
    return next(operation for place, verb, operation in operations() if (verb, place) == (method, path))


def examples(operation):
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return [(name, deepcopy(example["value"])) for name, example in content.get("examples", {}).items()]


def bodies(example):
    """The example, and the data of each operation if it is a list of writes."""
    return [example, *(operation["data"] for operation in example.get("operations", ()))]
