"""Answers in XML: the root is `<result>`, and a list is a repeated element."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from rest_framework.renderers import BaseRenderer

# Characters that XML cannot contain, not even escaped.
UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# A parser would read an unescaped carriage return as a line feed.
ENTITIES = {"\r": "&#13;"}


class XmlRenderer(BaseRenderer):
    media_type = "text/xml"
    format = "xml"
    charset = "utf-8"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return "".join(_elements("result", data)).encode()


def _elements(name: str, value: Any) -> Iterable[str]:
    if isinstance(value, list | tuple):
        return [text for item in value for text in _elements(name, item)]
    inner = _inner(value)
    return [f"<{name}>{inner}</{name}>" if inner else f"<{name} />"]


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(text for name, item in value.items() for text in _elements(name, item))
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
    return escape(UNWRITABLE.sub(REPLACEMENT, text), ENTITIES)
