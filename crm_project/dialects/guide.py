"""What the README says of each dialect, made of the routes themselves."""

import re
from collections import defaultdict
from importlib import import_module
from typing import Any

from crm_project.dialects.registry import DIALECTS, Dialect

PARAMETER = re.compile(r"<\w+:(\w+)>")
HEAD = (
    "| system | what changes in a client, beside the token | served | not served |\n| --- | --- | --- | --- |"
)


def table() -> str:
    """Markdown: for each system the line that changes in a client and what is not served, then the paths that are."""
    return "\n".join([HEAD, *map(_row, DIALECTS.values()), "", *map(_served, DIALECTS.values())])


def _row(dialect: Dialect) -> str:
    change = f"`{dialect.base}` → `http://127.0.0.1:8000/dialects/{dialect.system}`"
    return f"| {dialect.system} | {change} | {len(routes(dialect))} paths, listed below | {dialect.lacks} |"


def _served(dialect: Dialect) -> str:
    found = routes(dialect)
    lines = "\n".join(f"{verbs:<16} /{path}" for path, verbs in found.items())
    title = f"<summary>What {dialect.system} serves: {len(found)} paths</summary>"
    return f"<details>{title}\n\n```text\n{lines}\n```\n\n</details>"


def routes(dialect: Dialect) -> dict[str, str]:
    """Each path of the dialect with its verbs, in the vendor's order; twins in `.json` and `.xml` go without saying."""
    verbs: dict[str, set[str]] = defaultdict(set)
    for pattern in import_module(dialect.urls).urlpatterns:
        actions: dict[str, Any] = getattr(pattern.callback, "actions", None) or {}
        if str(pattern.pattern) not in ("", "<rest:rest>"):
            # Rest framework adds HEAD to a view at its first GET.
            served = {verb.upper() for verb in actions} - {"HEAD"}
            verbs[PARAMETER.sub(r"{\1}", str(pattern.pattern))] |= served
    twins = {f"{path}.{suffix}" for path in verbs for suffix in ("json", "xml")}
    return {path: " ".join(sorted(found)) for path, found in verbs.items() if path not in twins}
