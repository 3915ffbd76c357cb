"""Parses the three notations of Gauzy's queries: brackets, plain parameters, and one JSON text in `data`."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rest_framework import serializers

from crm_project.records.rules import text_error

BRACKETS = re.compile(r"([a-zA-Z]+)((?:\[[^\[\]]*\]){1,5})")
TEXT_LIMIT = 511
TRUE = ("true", "1", True)


def parsed_query(lists: Iterable[tuple[str, list[str]]]) -> dict[str, Any]:
    """`where[a]=1&relations[0]=b`, `relations[]=b`, `relations=b` and `data={…}` as one object."""
    parsed: dict[str, Any] = {}
    for name, values in lists:
        matched = BRACKETS.fullmatch(name)
        keys = re.findall(r"\[([^\[\]]*)\]", matched[2]) if matched else []
        _put(parsed, [matched[1] if matched else name, *keys], values)
    legacy = _legacy(parsed.pop("data", None))
    return {**parsed, **legacy}


def _put(place: dict[str, Any], keys: list[str], values: list[str]) -> None:
    """Nest the values under their keys; an empty or numeric key is an index of a list."""
    first, *rest = keys
    if not rest:
        place[first] = values[-1] if len(values) == 1 else values
        return
    if rest[0] == "" or rest[0].isdigit():
        existing = place.get(first)
        place[first] = [*(existing if isinstance(existing, list) else []), *values]
        return
    if not isinstance(place.get(first), dict):
        place[first] = {}
    _put(place[first], rest, values)


def _legacy(text: Any) -> dict[str, Any]:
    """The JSON text of older clients: `findInput` or `filter` becomes `where`; other keys are unchanged."""
    try:
        data = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        raise serializers.ValidationError({"data": ["Must be JSON."]}) from None
    if not isinstance(data, dict):
        raise serializers.ValidationError({"data": ["Must be a JSON object."]})
    where = data.pop("findInput", None) or data.pop("filter", None)
    return {name: value for name, value in {**data, "where": where}.items() if value}


def relations_of(asked: Any) -> list[str]:
    """Dotted paths and those above them, from a list, a comma-separated string, or an object whose leaves are true."""
    if isinstance(asked, str):
        names = [name for name in asked.split(",") if name]
    elif isinstance(asked, list):
        names = [name for name in asked if isinstance(name, str)]
    else:
        names = list(_paths(asked)) if isinstance(asked, Mapping) else []
    # A path includes the rows on its way: `stages.deals` asks for `stages` too.
    parts = [name.split(".") for name in names]
    return list(dict.fromkeys(".".join(path[: end + 1]) for path in parts for end in range(len(path))))


def _paths(tree: Mapping[str, Any], within: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield f"{within}{name}"
            yield from _paths(value, f"{within}{name}.")
        elif is_true(value):
            yield f"{within}{name}"


def is_true(value: Any) -> bool:
    return value in TRUE


def is_text(value: Any) -> bool:
    """Whether the value is a string that all databases accept."""
    return isinstance(value, str) and text_error("", value, limit=TEXT_LIMIT) is None


def picked(data: Mapping[str, Any], select: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `select` names, and the id."""
    named = {name: value for name, value in data.items() if name == "id" or name in select}
    return {name: _part(value, select.get(name)) for name, value in named.items()}


def _part(value: Any, select: Any) -> Any:
    if not isinstance(select, Mapping):
        return value
    if isinstance(value, list):
        return [_part(item, select) for item in value]
    return picked(value, select) if isinstance(value, Mapping) else value
