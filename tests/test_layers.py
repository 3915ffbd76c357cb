"""Every first-party package has a layer: a contract says nothing about a package that it does not name."""

import re
import tomllib

import pytest
from django.conf import settings

from crm_project.environment import BASE_DIR

pytestmark = pytest.mark.once

PROJECT = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["tool"]
LINTER = PROJECT["importlinter"]
NAME = re.compile(r"[a-z_][a-z_.]*")
# The database backend: Django loads it by its name in DATABASES, and no module imports it.
WITHOUT_LAYER = {"crm_project.sqlite"}


def contract(type, name):
    return next(c for c in LINTER["contracts"] if c["type"] == type and c["name"].startswith(name))


def layers():
    return {name for line in contract("layers", "Layers")["layers"] for name in NAME.findall(line)}


def packages(folder, prefix=""):
    return {f"{prefix}{path.parent.name}" for path in folder.glob("*/__init__.py")}


def own_packages():
    """The rooms: packages of the top level and of crm_project, without the tests."""
    top = packages(BASE_DIR) - {"tests", "crm_project"}
    return top | packages(BASE_DIR / "crm_project", "crm_project.")


def own_apps():
    roots = packages(BASE_DIR)
    return {app for app in settings.INSTALLED_APPS if app.split(".")[0] in roots}


def test_every_package_has_a_layer():
    assert own_packages() - WITHOUT_LAYER - layers() == set()


def test_every_own_app_has_a_layer():
    assert own_apps() - layers() == set()
    assert {"contacts", "crm_project.api"} <= own_apps()


def test_no_layer_is_left_of_a_package_that_is_gone():
    modules = {f"crm_project.{path.stem}" for path in (BASE_DIR / "crm_project").glob("*.py")}

    assert layers() - own_packages() - modules == set()


def test_the_order_of_the_document_is_that_of_the_contract():
    """An app beside contacts, pipelines and deals may be missing in it."""
    text = (BASE_DIR / "docs/architecture.md").read_text()
    order = text.partition("From the inside out:\n\n```text\n")[2].partition("```")[0]
    documented = [set(NAME.findall(room)) for room in order.split("·")]

    own = {"contacts", "pipelines", "deals"}.union(*documented)
    checked = [
        {name.removeprefix("crm_project.") for name in NAME.findall(line) if name in own or "." in name}
        for line in reversed(contract("layers", "Layers")["layers"])
    ]
    assert documented == [room for room in checked if room], (
        "the layers of pyproject.toml differ from 'From the inside out'"
    )


@pytest.mark.parametrize(
    "listed",
    [
        LINTER["root_packages"],
        PROJECT["mypy"]["files"],
        PROJECT["ruff"]["lint"]["isort"]["known-first-party"],
    ],
)
def test_every_tool_reads_every_package(listed):
    assert packages(BASE_DIR) - {"tests"} <= set(listed)


def test_dialects_are_restricted_in_every_package():
    """A module of a package that this contract does not name could be imported by any dialect."""
    restricted = set(contract("forbidden", "Dialects")["forbidden_modules"])

    assert own_packages() - WITHOUT_LAYER - {"crm_project.dialects"} - restricted == set()
