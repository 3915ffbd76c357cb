"""The documents of the dialects agree with the code: routes, fields, and the examples of the OpenAPI documents."""

import json
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from crm_project.dialects.registry import DIALECTS
from crm_project.dialects.routes import route_table, routes_of

pytestmark = pytest.mark.once

# Used before a client signs in.
PUBLIC = {"api", "api/health", "api/auth/authenticated"}
DOCUMENTS = Path(__file__).parents[2] / "docs" / "dialects"


def section(system: str, name: str) -> str:
    """The text between `<!-- name -->` and `<!-- /name -->`."""
    text = (DOCUMENTS / f"{system}.md").read_text()
    assert text.count(f"<!-- {name} -->") == text.count(f"<!-- /{name} -->") == 1
    return text.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0].strip()


@pytest.mark.parametrize("system", DIALECTS)
def test_the_document_has_the_output_of_the_command(system: str) -> None:
    printed = StringIO()

    call_command("dialect_routes", system, stdout=printed)

    assert section(system, "routes") == printed.getvalue().strip()


def test_the_command_prints_all_tables() -> None:
    printed = StringIO()

    call_command("dialect_routes", stdout=printed)

    for dialect in DIALECTS.values():
        assert f"## {dialect.system}\n\n{route_table(dialect)}\n" in printed.getvalue()


@pytest.mark.parametrize("system", DIALECTS)
def test_the_document_has_the_fields_of_the_docstring(system: str) -> None:
    docstring = import_module(f"crm_project.dialects.{system}").__doc__ or ""

    assert section(system, "fields") == docstring.partition("\n\n")[2].strip()


def test_there_is_one_document_for_each_dialect() -> None:
    assert {path.stem for path in DOCUMENTS.glob("*.md")} == DIALECTS.keys() | {"README"}
    index = (DOCUMENTS / "README.md").read_text()
    assert all(f"[{system}.md]({system}.md)" in index for system in DIALECTS)


def test_every_route_of_the_table_asks_for_a_token_or_a_password() -> None:
    for dialect in DIALECTS.values():
        for path, methods in routes_of(dialect).items():
            if path in PUBLIC:
                continue
            for method in methods:
                place = f"/dialects/{dialect.system}/{path}".replace("{", "").replace("}", "")
                answer = Client().generic(method, place, headers={"Version": "2021-07-28"})
                assert answer.status_code in (400, 401), (method, place, answer.status_code)


def examples(schema: Any) -> list[Any]:
    """Of every request in an OpenAPI document."""
    operations = [one for path in schema["paths"].values() for one in path.values()]
    bodies = [one["requestBody"]["content"] for one in operations if "requestBody" in one]
    kinds = [kind for body in bodies for kind in body.values()]
    return [example["value"] for kind in kinds for example in kind.get("examples", {}).values()]


def test_every_request_of_a_vendors_documentation_is_an_example() -> None:
    for system in DIALECTS.keys() - {"onlyoffice"}:  # its documentation has fields only
        shown = examples(Client().get(f"/dialects/{system}/schema").json())
        printed = list((Path(__file__).parent / system).glob("*.request.json"))

        assert printed
        for file in printed:
            assert json.loads(file.read_text()) in shown, file.name
