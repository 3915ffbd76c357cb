"""The recipes "a kind" and "an ordinary kind" of CONTRIBUTING.md, executed: a check fails without each step of them.

Both are carried out in one copy of the code, as two people might in one tree.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from crm_project.environment import BASE_DIR
from tests.recipes import kind, ordinary_kind, walks
from tests.recipes.document import copy_of_the_code
from tests.recipes.steps import START, Recipe, Step

RECIPES = [kind.RECIPE, ordinary_kind.RECIPE]
STEPS = [(recipe, step) for recipe in RECIPES for step in recipe.steps]

pytestmark = pytest.mark.recipe
of_each = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.app)

ICONS = "tests/staff/test_icons.py"
CONVERTERS = "tests/api/test_uuid_paths.py::UUIDPathTests::test_no_route_of_a_row_takes_the_id_alone"


def forget(tree: Path, recipe: Recipe, forgotten: Step) -> None:
    """Take the step back. No two steps of a recipe change the same file; those of the other recipe stay."""
    if not forgotten.anchor:
        (tree / forgotten.path).unlink()
        return
    shutil.copy(BASE_DIR / forgotten.path, tree / forgotten.path)
    others = [step for other, step in STEPS if other is not recipe and step.path == forgotten.path]
    for step in others:
        step.carry_out(tree)


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
    """The code with all steps of the recipes, and the migrations. One copy serves all tests."""
    tree = copy_of_the_code(tmp_path_factory.mktemp("kind"))
    for _, step in STEPS:
        step.carry_out(tree)
    apps = [recipe.app for recipe in RECIPES]
    made = run(tree, "manage.py", "makemigrations", *apps, "-n", "initial")
    assert made.returncode == 0, made.stderr
    return tree


@pytest.fixture
def without(finished):
    """Take one step back for the test."""
    kept: dict[Path, str] = {}

    def take_back(recipe, step):
        path = finished / step.path
        kept[path] = path.read_text()
        forget(finished, recipe, step)
        return finished

    yield take_back
    for path, text in kept.items():
        path.write_text(text)


@of_each
def test_the_document_names_every_step_in_order(recipe):
    heading = f"## Recipe: {recipe.title}\n"
    section = (BASE_DIR / "CONTRIBUTING.md").read_text().partition(heading)[2].partition("\n## ")[0]
    paths = re.findall(r"`((?:<app>|crm_project|tests)/[\w/.]+|pyproject\.toml)`", section)

    steps = [step.path.replace(f"{recipe.app}/", "<app>/", 1) for step in recipe.steps]
    assert [path for path in dict.fromkeys(paths) if path in steps] == steps


@of_each
def test_the_recipe_is_short(recipe):
    assert len(recipe.files) <= 10
    assert len(recipe.edits) <= 8


@of_each
def test_other_names_leave_none_of_the_example(recipe):
    other = recipe.named("orchards", "Orchard")

    written = "\n".join(f"{step.path}\n{step.text}" for step in other.steps)
    written += "\n".join(str(new) for step in other.edits for _, new in step.further if isinstance(new, str))
    assert re.findall(f"{recipe.app}|{recipe.model}", written, re.IGNORECASE) == []
    assert "an orchard" in written
    assert not re.search(r"\ba orchard", written)


def test_they_work(finished):
    checks = run(finished, "manage.py", "check")
    assert checks.returncode == 0, checks.stderr
    for tool in (["ruff", "check", "."], ["ruff", "format", "--check", "."]):
        linted = run(finished, "-m", *tool)
        assert linted.returncode == 0, linted.stdout
    for name, text in (("industries", walks.INDUSTRIES), ("visits", walks.VISITS)):
        (finished / f"tests/test_walk_of_{name}.py").write_text(text)

    guards = sorted({step.guard for _, step in STEPS} - {START})
    own = ["tests/test_walk_of_industries.py", "tests/test_walk_of_visits.py"]
    done = run_tests(finished, *own, CONVERTERS, ICONS, *guards)
    assert done.returncode == 0, done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("recipe", "step"),
    [(recipe, step) for recipe, step in STEPS if step.text],
    ids=[f"{recipe.app}:{step.path}" for recipe, step in STEPS if step.text],
)
def test_a_forgotten_step_is_found(without, recipe, step):
    tree = without(recipe, step)

    start = run(tree, "manage.py", "check")

    if step.guard == START:
        assert start.returncode != 0
    else:
        assert start.returncode == 0, start.stderr
        assert run_tests(tree, step.guard).returncode == 1


def test_a_kind_that_is_not_registered_is_found(finished, without):
    (step,) = (step for step in kind.RECIPE.files if step.path == "industries/apps.py")
    tree = without(kind.RECIPE, step)
    replace(step, text=step.text.replace("kinds.connect()", "assert kinds")).carry_out(tree)

    start = run(tree, "manage.py", "check")

    assert start.returncode != 0
    assert "records.E001" in start.stderr
