"""The version is written once; the package metadata and the OpenAPI document take it from there."""

import re
import tomllib

from django.test import Client

from crm_project import __version__
from crm_project.environment import BASE_DIR

CHANGELOG = (BASE_DIR / "CHANGELOG.md").read_text()


def test_the_version_has_three_numbers():
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_the_package_takes_the_version_from_the_code():
    metadata = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())

    assert metadata["project"]["dynamic"] == ["version"]
    assert "version" not in metadata["project"]
    assert metadata["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "crm_project.__version__"}


def test_the_openapi_document_has_the_version():
    assert Client().get("/api/schema").json()["info"]["version"] == __version__


def test_the_newest_entry_of_the_changelog_is_this_version():
    newest = re.search(r"^## (\d+\.\d+\.\d+)", CHANGELOG, re.MULTILINE)

    assert newest
    assert newest[1] == __version__
