"""The recipe "a field" of CONTRIBUTING.md, executed: it is complete, and each step is needed."""

import shutil

import pytest

from tests.recipes.document import copy_of_the_code, recipe, run

STEPS = recipe("a field")
NEEDED = [step for step in STEPS if step.test]

pytestmark = pytest.mark.recipe


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The code with all steps of the recipe."""
    tree = copy_of_the_code(tmp_path_factory.mktemp("field"))
    for step in STEPS:
        if step.path:
            step.apply(tree)
        else:
            program, *arguments = step.text.split()
            assert program == "python"
            run(tree, *arguments)
    return tree


def test_the_steps_are_those_of_the_document():
    assert len(STEPS) == 14
    assert [step.text for step in STEPS if not step.path] == [
        "python manage.py makemigrations -n add_campaign deals"
    ]


def test_it_is_complete(finished):
    """The field is in the API, the filters, the document, the history, the form, the import and the export."""
    assert "add_campaign" in " ".join(path.name for path in (finished / "deals/migrations").iterdir())
    run(finished, "manage.py", "makemigrations", "--check", "--dry-run")
    run(finished, "manage.py", "lint_migrations")
    tests = {step.test for step in NEEDED}
    run(
        finished,
        "-m",
        "pytest",
        "-q",
        "--nomigrations",
        "-p",
        "no:cacheprovider",
        "tests/recipes/check_field.py",
        *tests,
    )


@pytest.mark.long
@pytest.mark.parametrize("step", NEEDED, ids=lambda step: f"{step.path}: {step.test}")
def test_without_a_step_its_test_fails(finished, step, tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(finished, tree)
    step.revert(tree)

    printed = run(
        tree, "-m", "pytest", "-q", "--nomigrations", "-p", "no:cacheprovider", step.test, succeeds=False
    )
    assert " failed" in printed


def test_without_the_migration_the_check_fails(finished, tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(finished, tree)
    (migration,) = (tree / "deals/migrations").glob("*_add_campaign.py")
    migration.unlink()

    run(tree, "manage.py", "makemigrations", "--check", "--dry-run", succeeds=False)
