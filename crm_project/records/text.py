"""Text as people search it: without case and accents, the same on every database."""

import unicodedata
from collections.abc import Iterable


def fold(text: str) -> str:
    """`Éric MÜLLER` → `eric muller`."""
    if text.isascii():
        return text.lower()
    # Twice, since a compatibility form may turn into capitals: `℡` → `TEL`.
    once = unicodedata.normalize("NFKD", text.casefold())
    twice = unicodedata.normalize("NFKD", once.casefold())
    return "".join(character for character in twice if not unicodedata.combining(character))


def search_text(parts: Iterable[str]) -> str:
    """The folded text of a row, a line each, so that a needle never matches across two fields."""
    return "\n".join(fold(part) for part in parts if part)
