"""Print figures of the code: `python -m tests.figures`. There are no targets; they are for comparing two commits.

    python -m tests.figures                    # this tree
    python -m tests.figures --before COMMIT    # this tree beside another commit
    python -m tests.figures --places           # also name each place that lists kinds
    python -m tests.figures --coverage         # also run the suite and count the lines without a test

A line of code is neither blank nor a comment; migrations are left out.
"""

import argparse
import ast
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tests.environment  # noqa: F401

ROOT = Path.cwd()
PACKAGES = ("crm_project", "contacts", "pipelines", "deals")
LONG_FUNCTION = 50
KINDS = {
    "deal",
    "contact",
    "pipeline",
    "stage",
    "lost_reason",
    "custom_field",
    "organization",
    "user",
    "member",
}
KINDS |= {f"{kind}s" for kind in KINDS}
MODELS = {"Deal", "Contact", "Pipeline", "Stage", "LostReason", "CustomField", "Organization", "Member"}
TABLES = {"deals_deal", "deals_lostreason", "contacts_contact", "pipelines_stage", "records_customfield"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", metavar="COMMIT")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--places", action="store_true")
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.json:
        print(json.dumps(figures(coverage=options.coverage)))
        return
    columns = [("now", figures(coverage=options.coverage))]
    if options.before:
        columns.insert(0, (options.before, figures_of(options.before, coverage=options.coverage)))
    print(table(columns))
    if options.places:
        print("\n".join(["", "Places that list kinds:", *places_that_list_kinds()]))


def figures(*, coverage: bool) -> dict[str, str]:
    found = {
        **sizes("code", [path for package in PACKAGES for path in sources(package)]),
        **sizes("tests", list(sources("tests"))),
        **viewsets(),
        "places that list kinds": str(len(places_that_list_kinds())),
        "own functions passed by POST /api/deals": functions_of_a_write(),
    }
    return found | (coverage_of_the_suite() if coverage else {})


def figures_of(commit: str, *, coverage: bool) -> dict[str, str]:
    """The figures of another commit, counted by this script in a temporary work tree."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
        try:
            shutil.copy(__file__, tree / "tests" / "figures.py")
            line = [sys.executable, "-m", "tests.figures", "--json", *["--coverage"][:coverage]]
            environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
            done = subprocess.run(line, cwd=tree, env=environment, check=True, stdout=subprocess.PIPE)
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def table(columns: list[tuple[str, dict[str, str]]]) -> str:
    names = list(dict.fromkeys(name for _, column in columns for name in column))
    rows = [["", *(title for title, _ in columns)]]
    rows += [[name, *(column.get(name, "") for _, column in columns)] for name in names]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def sources(package: str) -> Iterator[Path]:
    return (path for path in sorted((ROOT / package).rglob("*.py")) if "migrations" not in path.parts)


def sizes(what: str, paths: list[Path]) -> dict[str, str]:
    """Files and functions; the lengths are median / 90th percentile / longest."""
    files = [count for path in paths if (count := lines_of_code(path.read_text()))]
    lengths = [
        (node.end_lineno or 0) - node.lineno + 1
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, FUNCTIONS)
    ]
    long = sum(length > LONG_FUNCTION for length in lengths)
    return {
        f"{what}: files with at least one line": str(len(files)),
        f"{what}: lines": f"{sum(files):,}",
        f"{what}: lines of a file": spread(files),
        f"{what}: functions": f"{len(lengths):,}",
        f"{what}: lines of a function": spread(lengths),
        f"{what}: functions over {LONG_FUNCTION} lines": str(long),
    }


def spread(values: list[int]) -> str:
    ninth = statistics.quantiles(values, n=10, method="inclusive")[8]
    return f"{statistics.median(values):g} / {ninth:.0f} / {max(values)}"


def lines_of_code(text: str) -> int:
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in quiet]
    return len({line for t in tokens if t.string for line in range(t.start[0], t.end[0] + 1)})


def places_that_list_kinds() -> list[str]:
    """`path:line` of each literal collection whose entries are kinds of row: their names, models or tables."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in PACKAGES
        for path in sources(package)
        for node in lists_of_kinds(ast.parse(path.read_text()))
    ]


def lists_of_kinds(node: ast.AST) -> Iterator[Any]:
    """The outermost ones; a list of a constraint's columns is none."""
    for child in ast.iter_child_nodes(node):
        if is_list_of_kinds(child):
            yield child
        elif not (isinstance(child, ast.keyword) and child.arg in ("fields", "unique_fields")):
            yield from lists_of_kinds(child)


def is_list_of_kinds(node: ast.AST) -> bool:
    if isinstance(node, ast.Dict):
        entries = [key for key in node.keys if key]
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        entries = [head(entry) for entry in node.elts]
    else:
        return False
    texts = [entry.value for entry in entries if isinstance(entry, ast.Constant)]
    models = [entry.id for entry in entries if isinstance(entry, ast.Name) and entry.id in MODELS]
    return len(entries) > 1 and len({*texts, *models}) == len(entries) and all(map(names_a_kind, texts))


def head(entry: ast.expr) -> ast.expr:
    """What an entry begins with: the first member of a tuple, the first argument of a call."""
    inner = entry.elts if isinstance(entry, ast.Tuple) else entry.args if isinstance(entry, ast.Call) else []
    return inner[0] if inner else entry


def names_a_kind(text: Any) -> bool:
    return text in KINDS or str(text).startswith(tuple(f"{table}_" for table in TABLES)) or text in TABLES


def viewsets() -> dict[str, str]:
    """Own classes above the viewset classes of the canonical API and of the dialects: median / most (which)."""
    set_up_django()
    from crm_project.urls import urlpatterns

    found = sorted(set(view_classes(urlpatterns)), key=lambda view: (view.__module__, view.__name__))
    dialects = [view for view in found if view.__module__.startswith("crm_project.dialects")]
    return {
        "own classes above a viewset of /api": inheritance([view for view in found if view not in dialects]),
        "own classes above a viewset of a dialect": inheritance(dialects),
    }


def view_classes(patterns: Any) -> Iterator[type]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from view_classes(pattern.url_patterns)
        elif is_own(view := getattr(pattern.callback, "cls", object)):
            yield view


def inheritance(views: list[type]) -> str:
    above = {view: sum(map(is_own, view.__mro__)) - 1 for view in views}
    deepest = max(above, key=lambda view: above[view])
    return f"{statistics.median(above.values()):g} / {above[deepest]} ({deepest.__name__})"


def is_own(cls: type) -> bool:
    return cls.__module__.split(".")[0] in PACKAGES


def functions_of_a_write() -> str:
    """Distinct own functions and files that a second POST with a new contact enters, when caches are full."""
    set_up_django()
    from django.core.management import call_command
    from django.db import connections

    with tempfile.TemporaryDirectory() as folder:
        connections.close_all()
        connections["default"].settings_dict["NAME"] = f"{folder}/figures.sqlite3"
        call_command("migrate", verbosity=0)
        seen = profile_a_write()
        connections.close_all()
    return f"{len(seen)} in {len({path for path, _ in seen})} files"


def profile_a_write() -> set[tuple[str, int]]:
    from tests.api.client import ApiClient
    from tests.base import World

    client = ApiClient(World().bob)
    folders = tuple(f"{ROOT / package}{os.sep}" for package in PACKAGES)
    seen: set[tuple[str, int]] = set()

    def enter(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(folders):
            seen.add((code.co_filename, code.co_firstlineno))

    for number in range(2):
        body = {
            "name": f"Deal {number}",
            "contact_email": f"{number}@example.com",
            "contact_first_name": "Ann",
        }
        seen.clear()
        sys.setprofile(enter)
        answer = client.post("/api/deals", body)
        sys.setprofile(None)
        assert answer.status_code == 201, answer.content
    return seen


def set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_project.settings")
    import django
    from django.conf import settings

    if not settings.configured:
        django.setup()
        settings.ALLOWED_HOSTS = ["testserver"]


def coverage_of_the_suite() -> dict[str, str]:
    """Run the suite once, on SQLite and in one process, as coverage counts no other."""
    with tempfile.TemporaryDirectory() as folder:
        data, report = f"--data-file={folder}/data", Path(folder) / "report.json"
        source = f"--source={','.join(PACKAGES)}"
        suite = ["run", data, source, "--omit=*/migrations/*", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        outcome = subprocess.run(
            [sys.executable, "-m", "coverage", *suite], cwd=ROOT, check=False, stdout=sys.stderr
        )
        line = [sys.executable, "-m", "coverage", "json", data, "-q", "-o", str(report)]
        subprocess.run(line, cwd=ROOT, check=True)
        totals = json.loads(report.read_text())["totals"]
    passed = "the suite passed" if outcome.returncode == 0 else "the suite FAILED"
    missing, lines = totals["missing_lines"], totals["num_statements"]
    return {"statements without a test": f"{missing:,} of {lines:,} ({passed})"}


if __name__ == "__main__":
    main()
