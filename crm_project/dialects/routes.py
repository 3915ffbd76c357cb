"""The route table of a dialect, derived from its URL configuration."""

import re
from collections import defaultdict
from importlib import import_module
from typing import Any

from crm_project.dialects.registry import Dialect

PARAMETER = re.compile(r"<\w+:(\w+)>")
CATCH_ALL = ("", "<rest:rest>")
SUFFIXES = ("json", "xml")


def routes_of(dialect: Dialect) -> dict[str, list[str]]:
    """The methods of each path, in the order of the URL configuration; the `.json` and `.xml` variants are left out."""
    methods: dict[str, set[str]] = defaultdict(set)
    for pattern in import_module(dialect.urls).urlpatterns:
        actions: dict[str, Any] = getattr(pattern.callback, "actions", None) or {}
        if str(pattern.pattern) not in CATCH_ALL:
            # Django REST framework adds HEAD to a view on its first GET.
            served = {method.upper() for method in actions} - {"HEAD"}
            methods[PARAMETER.sub(r"{\1}", str(pattern.pattern))] |= served
    variants = {f"{path}.{suffix}" for path in methods for suffix in SUFFIXES}
    return {path: sorted(found) for path, found in methods.items() if path not in variants}


def route_table(dialect: Dialect) -> str:
    """A Markdown table of the paths below `/dialects/<system>` and their methods."""
    rows = [f"| `/{path}` | {', '.join(methods)} |" for path, methods in routes_of(dialect).items()]
    return "\n".join(["| Path | Methods |", "| --- | --- |", *rows])
