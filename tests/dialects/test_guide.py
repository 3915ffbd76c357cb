"""What is told of the dialects is so: the README's table, and the examples of their OpenAPI documents."""

import json
from pathlib import Path
from typing import Any

from django.test import Client

from crm_project.dialects.guide import routes, table
from crm_project.dialects.registry import DIALECTS

# Asked before somebody signs in.
PUBLIC = {"api", "api/health", "api/auth/authenticated"}
README = Path(__file__).parents[2] / "README.md"


def test_the_readme_holds_the_table() -> None:
    assert table() in README.read_text()


def test_every_route_of_the_table_asks_for_a_token_or_a_password() -> None:
    for dialect in DIALECTS.values():
        for path, verbs in routes(dialect).items():
            if path in PUBLIC:
                continue
            for verb in verbs.split():
                place = f"/dialects/{dialect.system}/{path}".replace("{", "").replace("}", "")
                answer = Client().generic(verb, place, headers={"Version": "2021-07-28"})
                assert answer.status_code in (400, 401), (verb, place, answer.status_code)


def examples(schema: Any) -> list[Any]:
    """Of every request in an OpenAPI document."""
    operations = [one for path in schema["paths"].values() for one in path.values()]
    bodies = [one["requestBody"]["content"] for one in operations if "requestBody" in one]
    kinds = [kind for body in bodies for kind in body.values()]
    return [example["value"] for kind in kinds for example in kind.get("examples", {}).values()]


def test_every_request_that_a_vendor_prints_is_an_example() -> None:
    for system in DIALECTS.keys() - {"onlyoffice"}:  # which prints fields alone
        shown = examples(Client().get(f"/dialects/{system}/schema").json())
        printed = list((Path(__file__).parent / system).glob("*.request.json"))

        assert printed
        for file in printed:
            assert json.loads(file.read_text()) in shown, file.name
