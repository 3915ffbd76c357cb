"""The lock files hold what pyproject.toml asks for, name no host, and agree with each other."""

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement

from crm_project.environment import BASE_DIR

PROJECT = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def locked(name):
    """Return the pins as (name, version); a package may have one for each Python."""
    return set(PIN.findall((BASE_DIR / "requirements" / name).read_text()))


def wanted():
    """Each requirement with its lock: the clients of the dialects have one of their own."""
    groups = {"project": PROJECT["project"]["dependencies"], **PROJECT["dependency-groups"]}
    return [
        (Requirement(line), "clients.txt" if name == "clients" else "dev.txt")
        for name, lines in groups.items()
        for line in lines
        if isinstance(line, str)
    ]


@pytest.mark.parametrize(("requirement", "lock"), wanted(), ids=str)
def test_every_requirement_is_locked(requirement, lock):
    pins = [version for name, version in locked(lock) if name == requirement.name.lower()]

    assert any(version in requirement.specifier for version in pins), "run `make lock`"


def test_production_runs_what_the_tests_ran():
    names = {Requirement(line).name.lower() for line in PROJECT["project"]["dependencies"]}

    assert locked("production.txt") <= locked("dev.txt")
    assert names <= {name for name, _ in locked("production.txt")}


@pytest.mark.parametrize("name", ["production.txt", "dev.txt", "clients.txt"])
def test_no_lock_names_a_host(name):
    text = (BASE_DIR / "requirements" / name).read_text()

    assert "://" not in text
    assert "index" not in text


def test_the_lock_of_node_packages_names_no_host_of_a_package():
    lock = json.loads((BASE_DIR / "tests/dialects/clients/package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages.values())
