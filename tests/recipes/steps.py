"""A recipe as data: the files that it writes and the edits that it makes, for the tests and for the working tree."""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crm_project.environment import BASE_DIR

# The guard of a step without which Django's start or its system checks fail.
START = "manage.py check"

# What several recipes do without.
IN_TABLE = "tests/api/test_permissions.py::CoverageTests::test_every_route_is_in_the_table"
IN_LAYERS = "tests/test_layers.py"
IN_ADMIN = "tests/test_kinds.py::TestPlaces::test_every_kind_with_services_has_a_page_in_the_admin"
IN_SIDEBAR = "tests/test_kinds.py::TestPlaces::test_the_sidebar_leads_to_every_kind_with_services"
WALKED = "tests/staff/test_leaks.py::CoverageTests::test_every_model_of_the_admin_is_walked_or_the_operators"
COUNTED = "tests/api/test_query_counts.py"
SERVED = "tests/journal/test_every_service.py"


# A text, or a pattern whose every match is replaced.
Old = str | re.Pattern[str]
New = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True)
class Step:
    """One file: `text` is all of it, or is inserted before `anchor` in a file that is there.

    `further` are the other changes of the same file, as (old, new). `guard` is the check that fails without the step:
    START, or the id of a test.
    """

    path: str
    text: str
    why: str
    anchor: str = ""
    guard: str = START
    further: Sequence[tuple[Old, New]] = ()

    def carry_out(self, tree: Path) -> None:
        path = tree / self.path
        if not self.anchor:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text)
            return
        source = path.read_text()
        for old, new in [(self.anchor, self.text + self.anchor), *self.further]:
            source = self._replaced(source, old, new)
        path.write_text(source)

    def _replaced(self, source: str, old: Old, new: New) -> str:
        if isinstance(old, re.Pattern):
            assert old.search(source), f"{self.path}: {old.pattern}"
            return old.sub(new, source)
        assert old in source, f"{self.path}: {old}"
        return source.replace(old, str(new), 1)

    def renamed(self, words: Mapping[str, str]) -> "Step":
        """The same step with other words in what it writes."""

        def put(text: str) -> str:
            for old, new in words.items():
                text = text.replace(old, new)
            return text

        return replace(
            self,
            path=put(self.path) if not self.anchor else self.path,
            text=put(self.text),
            further=[(old, put(new) if isinstance(new, str) else new) for old, new in self.further],
        )


@dataclass(frozen=True)
class Recipe:
    """The example of a recipe of CONTRIBUTING.md, whose heading is `title`: the app `app` with the model `model`."""

    title: str
    app: str
    model: str
    files: Sequence[Step]
    edits: Sequence[Step]

    @property
    def steps(self) -> list[Step]:
        return [*self.files, *self.edits]

    def named(self, app: str, model: str) -> "Recipe":
        """The recipe with other names of the app and of the model."""
        words = {
            f"{_article(self.model)} {self.model.lower()}": f"{_article(model)} {model.lower()}",
            self.app: app,
            self.app.capitalize(): app.capitalize(),
            self.model.lower(): model.lower(),
            self.model: model,
        }
        files, edits = ([step.renamed(words) for step in steps] for steps in (self.files, self.edits))
        return replace(self, app=app, model=model, files=files, edits=edits)


def _article(noun: str) -> str:
    return "an" if noun[0] in "AEIOU" else "a"


def in_packages(app: str) -> tuple[Old, New]:
    """The change of pyproject.toml that names the app wherever its neighbours are named."""
    return re.compile('"pipelines", "deals"'), f'"pipelines", "deals", "{app}"'


# The reads that take one more query for each kind that has external references.
OF_EACH_KIND: tuple[Old, New] = (
    re.compile(r'("GET /api/external-references(?:/\{reference\})?": )(\d+)'),
    lambda found: f"{found[1]}{int(found[2]) + 1}",
)


def main(recipe: Recipe) -> None:
    """Carry the recipe out in the working tree: `python -m … [app Model]`."""
    recipe = recipe.named(*sys.argv[1:]) if sys.argv[1:] else recipe
    for step in recipe.steps:
        step.carry_out(BASE_DIR)
    for arguments in (["check", "--fix", "--quiet"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, BASE_DIR], check=True)
    print(f"Now: python manage.py makemigrations -n initial {recipe.app}")
