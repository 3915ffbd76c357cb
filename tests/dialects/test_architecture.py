"""The house rules of the dialects: nobody depends on them, and whoever knows one vendor's folder knows all."""

import re
from pathlib import Path

import pytest
from django.test import Client

from crm_project.dialects.registry import DIALECTS

ROOT = Path(__file__).parents[2]
DIALECTS_FOLDER = ROOT / "crm_project" / "dialects"
PARTS = ("urls", "views", "serializers", "errors")
IMPORT = re.compile(r"^\s*(from|import) crm_project\.dialects", re.MULTILINE)
VENDORS = re.compile(rf"\b({'|'.join([*DIALECTS, 'leadway', 'gohighlevel'])})", re.IGNORECASE)
ROOMS = ("crm_project", "contacts", "pipelines", "deals", "templates")


def sources() -> list[Path]:
    """The product's code outside the dialects; what the demo and the interface say is data, not code."""
    found = [
        path for room in ROOMS for end in ("py", "html", "js") for path in (ROOT / room).rglob(f"*.{end}")
    ]
    return [path for path in found if DIALECTS_FOLDER not in path.parents]


def test_every_vendor_has_the_same_files() -> None:
    folders = {path.name for path in DIALECTS_FOLDER.iterdir() if (path / "__init__.py").is_file()}

    assert folders == DIALECTS.keys() | {"kit"}


@pytest.mark.parametrize("system", DIALECTS)
def test_a_vendor_is_a_docstring_and_four_parts(system: str) -> None:
    """A part is a module, or a package where a vendor has many routes."""
    parts = {path.stem for path in (DIALECTS_FOLDER / system).iterdir() if path.name != "__pycache__"}

    assert parts == {"__init__", *PARTS}
    assert "cannot be said" in (DIALECTS_FOLDER / system / "__init__.py").read_text()


@pytest.mark.parametrize("system", DIALECTS)
def test_a_vendor_knows_no_other(system: str) -> None:
    others = re.compile(rf"crm_project\.dialects\.({'|'.join(DIALECTS.keys() - {system}) or 'nobody'})\b")

    for path in (DIALECTS_FOLDER / system).rglob("*.py"):
        assert not others.search(path.read_text()), path


def test_nobody_imports_a_dialect() -> None:
    assert [path for path in sources() if IMPORT.search(path.read_text())] == []


def test_no_vendor_is_named_elsewhere_in_the_code() -> None:
    named = {path.relative_to(ROOT): VENDORS.findall(path.read_text()) for path in sources()}

    assert {path: names for path, names in named.items() if names} == {}


def test_the_canonical_document_knows_no_dialect() -> None:
    paths = Client().get("/api/schema").json()["paths"]

    assert "/api/deals" in paths
    assert not [path for path in paths if not path.startswith("/api/")]
