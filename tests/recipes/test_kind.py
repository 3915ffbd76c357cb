"""The recipe "a kind" of CONTRIBUTING.md, executed: it is complete, and a check fails without each step."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from crm_project.environment import BASE_DIR
from tests.recipes.document import copy_of_the_code
from tests.recipes.kind import EDITS, FILES, START, Step, write

STEPS = [*FILES, *EDITS]

pytestmark = pytest.mark.recipe

ICONS = "tests/staff/test_icons.py"
CONVERTERS = "tests/api/test_uuid_paths.py::UUIDPathTests::test_no_route_of_a_row_takes_the_id_alone"
# A test of the new kind, run in the copy.
WALK = """
from crm_project.journal.models import Event
from industries.models import Industry
from tests.api.client import ApiTestCase
from tests.staff.base import StaffTestCase, list_url


class WalkTests(ApiTestCase):
    def test_create_journal_and_undo(self):
        row = self.as_manager.post("/api/industries", {"name": "Steel"}).json()
        assert self.as_bob.get("/api/industries").json()["results"][0]["name"] == "Steel"
        assert self.as_charlie.get("/api/industries").json()["results"] == []
        again = self.as_manager.post("/api/industries", {"name": " Steel"})
        assert (again.status_code, again.json()["code"]) == (409, "name_taken")
        events = self.as_bob.get("/api/events").json()["results"]
        event = next(one for one in events if one["kind"] == "industry")
        assert (event["action"], event["row"]) == ("created", row["uuid"])
        assert self.as_bob.get(f"/api/industries/{event['row']}").json() == row
        named = {"system": "erp", "kind": "industry", "external_id": "7", "row": row["id"]}
        assert self.as_manager.post("/api/external-references", named).status_code == 201
        done = self.as_manager.post(f"/api/events/{event['sequence']}/undo")
        assert done.status_code == 409, "the reference came later"
        last = Event.objects.filter(kind="industry").order_by("sequence").last()
        assert self.as_manager.post(f"/api/events/{last.sequence}/undo").status_code == 200
        assert self.as_manager.post(f"/api/events/{event['sequence']}/undo").status_code == 200
        assert Industry.objects.get().deleted_at is not None


class PageTests(StaffTestCase):
    def test_the_list_opens(self):
        self.sign_in(self.alice)
        assert self.client.get(list_url(Industry)).status_code == 200
"""


def forget(tree: Path, step: Step) -> None:
    """Take the step back. No two steps change the same file."""
    if step.anchor:
        shutil.copy(BASE_DIR / step.path, tree / step.path)
    else:
        (tree / step.path).unlink()


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ENV_FILE": "", "DEBUG": "on", "DATABASE_URL": "sqlite:///scratch.sqlite3"}
    environment.pop("TEST_DATABASE_URL", None)
    # Two versions of a file may have the same size and the same second: no compiled file is kept.
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True, timeout=900
    )


def run_tests(tree: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    return run(tree, "-m", "pytest", "-q", "-x", "--nomigrations", "-p", "no:cacheprovider", *tests)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The code with all steps of the recipe, and the migration. One copy serves all tests."""
    tree = copy_of_the_code(tmp_path_factory.mktemp("kind"))
    for step in STEPS:
        write(tree, step)
    made = run(tree, "manage.py", "makemigrations", "industries", "-n", "initial")
    assert made.returncode == 0, made.stderr
    return tree


@pytest.fixture
def without(finished):
    """Take one step back for the test."""
    steps: list[Step] = []

    def take_back(step):
        steps.append(step)
        forget(finished, step)
        return finished

    yield take_back
    for step in steps:
        write(finished, step)


def test_the_document_names_every_step_in_order():
    section = (
        (BASE_DIR / "CONTRIBUTING.md").read_text().partition("## Recipe: a kind\n")[2].partition("\n## ")[0]
    )
    paths = re.findall(r"`((?:<app>|crm_project|tests)/[\w/.]+|pyproject\.toml)`", section)

    assert list(dict.fromkeys(paths)) == [
        "tests/recipes/kind.py",
        *(step.path.replace("industries/", "<app>/", 1) for step in STEPS),
    ]


def test_the_recipe_is_short():
    assert len(FILES) <= 10
    assert len(EDITS) <= 8


def test_it_works(finished):
    checks = run(finished, "manage.py", "check")
    assert checks.returncode == 0, checks.stderr
    for tool in (["ruff", "check", "."], ["ruff", "format", "--check", "."]):
        linted = run(finished, "-m", *tool)
        assert linted.returncode == 0, linted.stdout
    (finished / "tests/test_walk.py").write_text(WALK)

    guards = sorted({step.guard for step in STEPS} - {START})
    done = run_tests(finished, "tests/test_walk.py", CONVERTERS, ICONS, *guards)
    assert done.returncode == 0, done.stdout


@pytest.mark.long
@pytest.mark.parametrize("step", [step for step in STEPS if step.text], ids=lambda step: step.path)
def test_a_forgotten_step_is_found(without, step):
    tree = without(step)

    start = run(tree, "manage.py", "check")

    if step.guard == START:
        assert start.returncode != 0
    else:
        assert start.returncode == 0, start.stderr
        assert run_tests(tree, step.guard).returncode == 1


def test_a_kind_that_is_not_registered_is_found(finished, without):
    (step,) = (step for step in FILES if step.path == "industries/apps.py")
    tree = without(step)
    write(tree, replace(step, text=step.text.replace("kinds.connect()", "assert kinds")))

    start = run(tree, "manage.py", "check")

    assert start.returncode != 0
    assert "records.E001" in start.stderr
