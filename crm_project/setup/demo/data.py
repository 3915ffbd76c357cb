"""What `demo.toml` says."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).resolve().parent.parent / "demo.toml"


@cache
def demo_data() -> dict[str, Any]:
    return tomllib.loads(PATH.read_text(encoding="utf-8"))


def slugs() -> list[str]:
    return [demo_data()[name].get("slug", name) for name in ("demo", "other")]
