"""What the OpenAPI document says of each operation; every example in it can be sent."""

import re
from copy import deepcopy

from django.db import transaction

from tests.api.client import ApiTestCase
from tests.api.routes import PUBLIC, make_rows, operations, places, served, served_methods


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
