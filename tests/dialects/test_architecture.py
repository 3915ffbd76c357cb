"""The architecture of the dialects: no other room imports them, and all vendors' folders have the same structure."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.test import Client
from rest_framework.serializers import BaseSerializer

from crm_project.dialects.kit.views import DialectView
from crm_project.dialects.registry import DIALECTS

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
DIALECTS_FOLDER = ROOT / "crm_project" / "dialects"
PACKAGES = ("views", "serializers")
PARTS = {"__init__.py", "urls.py", "errors.py", *PACKAGES}
SHARED = {"kit", "management"}
IMPORT = re.compile(r"^\s*(from|import) crm_project\.dialects", re.MULTILINE)
VENDORS = re.compile(rf"\b({'|'.join([*DIALECTS, 'leadway', 'gohighlevel'])})", re.IGNORECASE)
ROOMS = ("crm_project", "contacts", "pipelines", "deals", "templates")


def subclasses(base: type) -> Iterator[type]:
    for one in base.__subclasses__():
        yield one
        yield from subclasses(one)


def sources() -> list[Path]:
    """The product's code outside the dialects; what the demo and the interface say is data, not code."""
    found = [
        path for room in ROOMS for end in ("py", "html", "js") for path in (ROOT / room).rglob(f"*.{end}")
    ]
    return [path for path in found if DIALECTS_FOLDER not in path.parents]


def test_every_package_is_a_vendor_of_the_registry_or_shared() -> None:
    packages = {path.name for path in DIALECTS_FOLDER.iterdir() if (path / "__init__.py").is_file()}

    assert packages == DIALECTS.keys() | SHARED


@pytest.mark.parametrize("system", DIALECTS)
def test_every_vendor_has_the_same_files(system: str) -> None:
    folder = DIALECTS_FOLDER / system
    parts = {path.name for path in folder.iterdir() if path.name != "__pycache__"}

    assert parts == PARTS | ({"webhooks.py"} if DIALECTS[system].webhooks else set())
    assert all(
        path.suffix == ".py" for part in PACKAGES for path in (folder / part).iterdir() if path.is_file()
    )
    assert all((folder / part / "__init__.py").is_file() for part in PACKAGES)


def test_the_docstring_of_the_dialects_names_the_files_of_a_vendor() -> None:
    lines = (DIALECTS_FOLDER / "__init__.py").read_text().splitlines()
    named = {line.strip("`").rstrip("/") for line in lines if line.startswith("`") and line.endswith("`")}

    assert named == PARTS


@pytest.mark.parametrize("system", DIALECTS)
def test_the_docstring_of_a_vendor_has_its_fields(system: str) -> None:
    text = (DIALECTS_FOLDER / system / "__init__.py").read_text()

    assert "| Here |" in text
    assert "| not supported |" in text


@pytest.mark.parametrize("system", DIALECTS)
def test_views_and_serializers_begin_with_the_name_of_the_vendor(system: str) -> None:
    import_module(DIALECTS[system].urls)
    vendor = f"crm_project.dialects.{system}."
    found = [*subclasses(DialectView), *subclasses(BaseSerializer)]
    own = {one.__name__ for one in found if one.__module__.startswith(vendor)}

    assert own
    assert {name for name in own if not name.lower().startswith(system)} == set()


def test_no_class_name_is_used_twice() -> None:
    trees = {path: ast.parse(path.read_text()) for path in DIALECTS_FOLDER.rglob("*.py")}
    names = Counter(
        node.name for tree in trees.values() for node in tree.body if isinstance(node, ast.ClassDef)
    )

    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("system", DIALECTS)
def test_a_vendor_imports_no_other(system: str) -> None:
    others = re.compile(rf"crm_project\.dialects\.({'|'.join(DIALECTS.keys() - {system}) or 'nobody'})\b")

    for path in (DIALECTS_FOLDER / system).rglob("*.py"):
        assert not others.search(path.read_text()), path


def test_only_the_url_conf_imports_a_dialect() -> None:
    assert [path for path in sources() if IMPORT.search(path.read_text())] == []


def test_no_vendor_is_named_elsewhere_in_the_code() -> None:
    named = {path.relative_to(ROOT): VENDORS.findall(path.read_text()) for path in sources()}

    assert {path: names for path, names in named.items() if names} == {}


def test_the_canonical_document_names_no_dialect() -> None:
    paths = Client().get("/api/schema").json()["paths"]

    assert "/api/deals" in paths
    assert not [path for path in paths if not path.startswith("/api/")]
