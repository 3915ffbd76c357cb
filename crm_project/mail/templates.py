"""The texts of mail: templates with parameters, which each app registers for its own messages.

They are plain text, in the language that is active when they are filled in; a value in one is always a single line,
so that a name can neither add a header nor lines of its own.
"""

import unicodedata
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import Promise

SUBJECT_LENGTH = 200
# Joiners, which are part of words in some scripts and of emoji.
JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Text:
    """A subject of one line, and a body."""

    subject: str
    body: str


@dataclass(frozen=True)
class Template:
    """`render(message)` returns the text, or None if the message shall no longer be sent."""

    label: str | Promise
    render: Callable[[Any], Text | None]


TEMPLATES: dict[str, Template] = {}


@dataclass
class Hooks:
    # read_by_recipient(message) -> a block in the language and the time zone of its recipient; accounts set it
    read_by_recipient: Callable[[Any], AbstractContextManager[None]] = lambda message: nullcontext()


hooks = Hooks()


def register(name: str, label: str | Promise, render: Callable[[Any], Text | None]) -> None:
    """Declare a template; an app does so in `AppConfig.ready()`."""
    TEMPLATES[name] = Template(label, render)


def fill(subject: str | Promise, body: str | Promise, **values: Any) -> Text:
    """The texts with the values in place of `%(name)s`."""
    lines = {name: one_line(str(value)) for name, value in values.items()}
    line = str(subject) % lines
    if len(line) > SUBJECT_LENGTH:
        line = f"{line[: SUBJECT_LENGTH - 1].rstrip()}…"
    return Text(line, str(body) % lines)


def one_line(text: str) -> str:
    """The text without line breaks and without control, invisible and directional characters."""
    visible = (
        " " if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") and sign not in JOINERS else sign
        for sign in text
    )
    return " ".join("".join(visible).split())


def link(path: str) -> str:
    """The address of a page, as PUBLIC_URL has it: never that of the request, whose Host anybody can choose."""
    return f"{settings.PUBLIC_URL}{path}"
