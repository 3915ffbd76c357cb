"""The recipe for a kind of row works as it is written, and each step that is forgotten is found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recipes.kind import EDITS, FILES, FURTHER, START, Step

ROOT = Path(__file__).parents[2]
SKIPPED = shutil.ignore_patterns(".*", "staticfiles", "__pycache__", "*.sqlite3*")

pytestmark = pytest.mark.recipe

# What somebody does with the new kind, as a test of the scratch copy.
WALK = """
from crm_project.journal.models import Event
from industries.models import Industry
from tests.api.client import ApiTestCase
from tests.staff.base import StaffTestCase, list_url


class WalkTests(ApiTestCase):
    def test_it_is_created_seen_in_the_journal_and_undone(self):
        row = self.as_manager.post("/api/industries", {"name": "Steel"}).json()
        assert self.as_bob.get("/api/industries").json()["results"][0]["name"] == "Steel"
        assert self.as_charlie.get("/api/industries").json()["results"] == []
        again = self.as_manager.post("/api/industries", {"name": "Steel"})
        assert (again.status_code, again.json()["code"]) == (409, "name_taken")
        event = [one for one in self.as_bob.get("/api/events").json()["results"] if one["kind"] == "industry"][0]
        assert (event["action"], event["row"]) == ("created", row["uuid"])
        named = {"system": "erp", "kind": "industry", "external_id": "7", "row": row["id"]}
        assert self.as_manager.post("/api/external-references", named).status_code == 201
        done = self.as_manager.post(f"/api/events/{event['sequence']}/undo")
        assert done.status_code == 409, "the reference came later"
        last = Event.objects.filter(kind="industry").order_by("sequence").last()
        assert self.as_manager.post(f"/api/events/{last.sequence}/undo").status_code == 200
        assert self.as_manager.post(f"/api/events/{event['sequence']}/undo").status_code == 200
        assert Industry.objects.get().deleted_at is not None


class PageTests(StaffTestCase):
    def test_its_page_opens(self):
        self.sign_in(self.alice)
        assert self.client.get(list_url(Industry)).status_code == 200
"""


def carried_out(tree: Path, without: Step | None = None) -> None:
    """Write the files and make the edits in a copy of the product, but for one step."""
    shutil.copytree(ROOT, tree, ignore=SKIPPED)
    for step in FILES:
        if step is not without:
            (tree / step.path).parent.mkdir(parents=True, exist_ok=True)
            (tree / step.path).write_text(step.text)
    for step in EDITS:
        if step is not without:
            edit(tree / step.path, step.anchor, step.text + step.anchor)
    for path, old, new in FURTHER:
        if without is None or path != without.path:
            edit(tree / path, old, new)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path.name}: {old}"
    path.write_text(text.replace(old, new) if path.name == "pyproject.toml" else text.replace(old, new, 1))


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ENV_FILE": "", "DEBUG": "on", "DATABASE_URL": "sqlite:///scratch.sqlite3"}
    environment.pop("TEST_DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True, timeout=300
    )


def started(tree: Path) -> subprocess.CompletedProcess[str]:
    """Make the migration and run the system checks."""
    made = run(tree, "manage.py", "makemigrations", "industries", "-n", "initial")
    return run(tree, "manage.py", "check") if made.returncode == 0 else made


def tested(tree: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    return run(tree, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests)


def test_the_recipe_is_short():
    assert len(FILES) <= 10
    assert len(EDITS) <= 8


def test_it_works(tmp_path):
    tree = tmp_path / "tree"
    carried_out(tree)
    (tree / "tests/test_walk.py").write_text(WALK)

    checks = started(tree)
    assert checks.returncode == 0, checks.stderr
    migrated = run(tree, "manage.py", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    guards = sorted({step.guard for step in [*FILES, *EDITS]} - {START})
    done = tested(tree, "tests/test_walk.py", *guards)
    assert done.returncode == 0, done.stdout


FORGOTTEN = [step for step in [*FILES, *EDITS] if step.text]


@pytest.mark.parametrize("step", FORGOTTEN, ids=lambda step: step.path)
def test_a_forgotten_step_is_found(tmp_path, step):
    tree = tmp_path / "tree"
    carried_out(tree, without=step)

    start = started(tree)

    if step.guard == START:
        assert start.returncode != 0
    else:
        assert start.returncode == 0, start.stderr
        assert tested(tree, step.guard).returncode == 1


def test_a_kind_that_is_not_registered_is_found(tmp_path):
    tree = tmp_path / "tree"
    carried_out(tree)
    edit(tree / "industries/apps.py", "kinds.connect()", "assert kinds")

    start = started(tree)

    assert start.returncode != 0
    assert "records.E001" in start.stderr
