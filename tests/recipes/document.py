"""Reads the recipes of CONTRIBUTING.md and applies their changes to a copy of the code.

A change is a `diff` block: the path, then context (` `), removed (`-`) and added (`+`) lines. The context and the
removed lines must occur exactly once in the file. `Without: …` names the test that fails without the change before it.
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from crm_project.environment import BASE_DIR

BLOCK = re.compile(r"^ *```(diff|sh)\n(.*?)^ *```|^ *Without: `([^`]+)`", re.MULTILINE | re.DOTALL)
IGNORED = shutil.ignore_patterns(".*", "staticfiles", "__pycache__", "*.sqlite3*", "node_modules")


@dataclass
class Step:
    """One change, or a command if `path` is empty; `test` fails without it."""

    path: str
    text: str
    test: str = ""

    def apply(self, tree: Path) -> None:
        self._replace(tree, self._lines(" -"), self._lines(" +"))

    def revert(self, tree: Path) -> None:
        self._replace(tree, self._lines(" +"), self._lines(" -"))

    def _lines(self, marks: str) -> str:
        return "".join(line[1:] for line in self.text.splitlines(keepends=True) if line[0] in marks)

    def _replace(self, tree: Path, old: str, new: str) -> None:
        file = tree / self.path
        source = file.read_text()
        assert source.count(old) == 1, f"{self.path} has these lines {source.count(old)} times:\n{old}"
        file.write_text(source.replace(old, new))


def recipe(title: str) -> list[Step]:
    """The steps of a recipe in the order of the document."""
    text = (BASE_DIR / "CONTRIBUTING.md").read_text()
    section = text.partition(f"## Recipe: {title}\n")[2].partition("\n## ")[0]
    steps: list[Step] = []
    for language, body, test in BLOCK.findall(section):
        if test:
            steps[-1].test = test
        elif language == "sh":
            steps.append(Step("", textwrap.dedent(body).strip()))
        else:
            head, _, change = textwrap.dedent(body).partition("\n")
            steps.append(Step(head.removeprefix("--- "), change))
    return steps


def copy_of_the_code(folder: Path) -> Path:
    tree = folder / "tree"
    shutil.copytree(BASE_DIR, tree, ignore=IGNORED)
    return tree


def run(tree: Path, *arguments: str, succeeds: bool = True) -> str:
    """Run Python in the copy, with a database of its own: the recipe is the same on each."""
    names = {"PATH", "HOME", "LANG", "TMPDIR"}
    environment = {name: value for name, value in os.environ.items() if name in names}
    environment |= {"ENV_FILE": "", "DEBUG": "on"}
    line = [sys.executable, *arguments]
    done = subprocess.run(line, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is succeeds, f"{arguments}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout
