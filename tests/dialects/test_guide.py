"""The README's table of dialects is made of their routes, and says what is so."""

from pathlib import Path

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
