"""The content of `demo.toml`. Its decimal fractions are Decimals, as amounts have to be."""

import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

SLUGS = ("demo", "other")


@cache
def demo_data() -> dict[str, Any]:
    path = Path(__file__).resolve().parent.parent / "demo.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def demo_members() -> list[dict[str, Any]]:
    """The members of both organizations, the admin of `demo` first."""
    return [entry for slug in SLUGS for entry in demo_data()[slug]["members"]]


def words() -> dict[str, Any]:
    return dict(demo_data()["words"])
