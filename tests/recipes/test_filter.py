"""The recipe "a filter" of CONTRIBUTING.md, executed: it is complete, and the filter without a test is found."""

import shutil

import pytest

from tests.recipes.document import copy_of_the_code, recipe, run

STEPS = recipe("a filter")
TABLE = "tests/api/test_filters.py::ContactFilterTests"

pytestmark = pytest.mark.recipe


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    tree = copy_of_the_code(tmp_path_factory.mktemp("filter"))
    for step in STEPS:
        step.apply(tree)
    return tree


def test_it_is_complete(finished):
    assert len(STEPS) == 12
    run(finished, "-m", "pytest", "-q", "--nomigrations", "-p", "no:cacheprovider", TABLE)
    for tool in (["ruff", "check", "."], ["ruff", "format", "--check", "."]):
        run(finished, "-m", *tool)
    run(finished, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")


def test_without_a_line_in_the_table_a_test_fails(finished, tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(finished, tree)
    step = STEPS[-1]
    step.revert(tree)

    printed = run(
        tree, "-m", "pytest", "-q", "--nomigrations", "-p", "no:cacheprovider", step.test, succeeds=False
    )
    assert "add a line to `filters`" in printed
