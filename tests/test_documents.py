"""The documents are true: links lead somewhere, the tour can be pasted whole, every variable is named."""

import ast
import os
import re
import subprocess

import pytest

from crm_project.accounts.services import create_token
from crm_project.environment import BASE_DIR
from tests.base import World
from tests.tasks import running_worker

pytestmark = pytest.mark.once

DOCUMENTS = sorted(
    path for path in [*BASE_DIR.glob("*.md"), *(BASE_DIR / "docs").rglob("*.md")] if ".venv" not in path.parts
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
README = BASE_DIR / "README.md"
MODULES_WITH_VARIABLES = ("settings.py", "environment.py", "server.py", "setup/demo/report.py")
READERS = {"env.str", "env.bool", "env.int", "env.list", "env.db", "env.email_url", "os.environ.get"}
READERS |= {"environment.load().int"}


def names():
    return [str(path.relative_to(BASE_DIR)) for path in DOCUMENTS]


def anchors(path):
    """The anchors of a document as GitHub makes them of its headings."""
    headings = HEADING.findall(CODE.sub("", path.read_text()))
    kept = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("name", names())
def test_every_relative_link_leads_to_a_file_and_a_heading(name):
    document = BASE_DIR / name
    for link in LINK.findall(CODE.sub("", document.read_text())):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", names())
def test_every_document_of_docs_can_be_reached(name):
    others = [path for path in DOCUMENTS if path != BASE_DIR / name]
    linked = {
        (other.parent / link.partition("#")[0]).resolve()
        for other in others
        for link in LINK.findall(other.read_text())
    }
    # The pages of the dialects are listed by the README of their folder.
    assert name == "README.md" or name.startswith("docs/dialects/") or (BASE_DIR / name) in linked


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 200


def test_every_picture_is_used_and_all_are_small():
    pictures = list((BASE_DIR / "docs/images").glob("*"))
    used = {(path.parent / link).resolve() for path in DOCUMENTS for link in LINK.findall(path.read_text())}

    assert pictures
    assert set(pictures) <= used
    assert len(pictures) <= 6
    assert sum(picture.stat().st_size for picture in pictures) <= 1.5 * 1024 * 1024


def variables_that_are_read():
    """The first arguments of `env.str("NAME", …)`, `os.environ.get("NAME")` and their like."""
    for module in MODULES_WITH_VARIABLES:
        for node in ast.walk(ast.parse((BASE_DIR / "crm_project" / module).read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in READERS:
                yield ast.literal_eval(node.args[0])


def test_operations_names_exactly_the_variables_that_are_read():
    table = (BASE_DIR / "docs/operations.md").read_text().partition("## Variables")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)

    assert len(documented) > 10
    assert set(documented) == set(variables_that_are_read())


def test_operations_names_every_command_of_ours():
    text = (BASE_DIR / "docs/operations.md").read_text()
    commands = (BASE_DIR / "crm_project").glob("*/management/commands/[a-z]*.py")

    assert [path.stem for path in commands if f"`{path.stem}" not in text] == []


def test_every_room_and_module_of_the_project_is_described():
    text = (BASE_DIR / "docs/architecture.md").read_text()
    folder = BASE_DIR / "crm_project"
    rooms = {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
    modules = {path.name for path in folder.glob("[a-z]*.py")}

    assert sorted(name for name in rooms | modules if name not in text) == []


def shell(document, heading):
    """The shell commands below a heading, as they would be pasted."""
    text = document.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def paste(script, folder, **variables):
    """Run as a terminal would; a server error or an empty answer shows in the output."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    done = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def pasted(live_server, tmp_path):
    """The folder of `make run`, a token of the demo in it, and a tour that calls the server of the test."""
    _, secret = create_token(actor=World().bob, name="demo", scopes=("read", "write"))
    (tmp_path / ".env").write_text(f"SECRET_KEY=x\nDEMO_TOKEN={secret}\n")
    tour = shell(README, "Tour")
    assert "API=http://127.0.0.1:8000/api" in tour
    return tour.replace("http://127.0.0.1:8000", live_server.url), tmp_path


@pytest.mark.django_db(transaction=True)
def test_the_tour_can_be_pasted_whole(pasted):
    tour, folder = pasted
    printed = paste(tour, folder)

    assert '"full_name":"Bob"' in printed
    assert printed.count('"name":"Partenariat 2024"') >= 4
    assert '"email":"sophie.martin@example.com"' in printed
    assert '"status":"won"' in printed
    assert '"outcome":"created"' in printed
    assert '"outcome":"unchanged"' in printed
    assert '"action":"updated"' in printed
    assert printed.count("application/problem+json") + printed.count('"type":"/api/problems/') == 1
    assert '"code":"unknown_parameter"' in printed


@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_api_document_continue_the_tour(pasted, settings):
    settings.RATE_LIMITS = {"token": (1000, 60), "organization": (5000, 60)}
    settings.RATE_LIMIT_SHARED = False
    tour, folder = pasted
    document = BASE_DIR / "docs/api.md"
    sections = ("Lists", "Writes", "Limits", "History", "Import and export")
    with running_worker():
        script = "\n".join([tour, "echo; echo NEXT", *(shell(document, one) for one in sections)])
        printed = paste(script, folder)

    own = printed.partition("NEXT")[2]
    assert "/api/problems/" not in own
    assert own.count("201 Created") == 2
    assert own.lower().count("idempotency-replayed: true") == 1
    assert own.count('"outcome":"') == 3
    assert '"sequence":' in own
    assert '"kind":"contacts"' in own
    assert '"state":"previewed"' in own
    assert 'RateLimit-Policy: "token";q=1000;w=60' in own
    assert (folder / "deals.csv").read_text().count("\n") > 2
