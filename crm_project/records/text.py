"""Searchable text: folded (no case, accents, strokes or typographic variants), and the words of a search."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# Letters that Unicode does not decompose; letters with a stroke, hook or bar are added from their names below.
LETTERS = {
    "æ": "ae",
    "œ": "oe",
    "ð": "d",
    "þ": "th",
    "ŋ": "n",
    "ĸ": "k",
    "ı": "i",
    "ȷ": "j",
    "ə": "e",
    # Arabic tatweel, which only widens a word.
    "ـ": "",
}
APOSTROPHES = "`´‘’‚‛′ʹʻʼʽʾʿˈ＇"
QUOTES = "“”„‟«»″＂"
HYPHENS = "‐‑‒–—―−﹘﹣－"
LATIN = (range(0xC0, 0x250), range(0x1E00, 0x1F00), range(0x2C60, 0x2C80), range(0xA722, 0xA7F0))
WITH_MARK = re.compile(r"LATIN (?:SMALL|CAPITAL) LETTER ([A-Z]) WITH ")
SEPARATORS = re.compile(r"[\s,;、،。·]+")
# Chinese, Japanese and Korean, where the family name comes first and no space separates the names.
CJK = re.compile("[\u1100-\u11ff\u3005\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
PHONE_WORD = re.compile(r"[+(]*[0-9][0-9().+/-]*|[().+/-]+")
# With fewer digits a needle is a word like any other.
PHONE_DIGITS = 5
# The last character of a search text that this release writes; an earlier release wrote none.
END = "\n"
# Begins the text of another row by which a row is found, too; a needle never has it, since it counts as a space.
RELATED = "\x1f"


def _substitutions() -> dict[int, str]:
    characters = {ord(letter): plain for letter, plain in LETTERS.items()}
    for codes, plain in ((APOSTROPHES, "'"), (QUOTES, '"'), (HYPHENS, "-")):
        characters |= {ord(character): plain for character in codes}
    for code in (code for block in LATIN for code in block):
        marked = WITH_MARK.match(unicodedata.name(chr(code), ""))
        if marked and not unicodedata.decomposition(chr(code)):
            characters[code] = marked[1].lower()
    return characters


SUBSTITUTIONS = _substitutions()


def fold(text: str) -> str:
    """`Éric MÜLLER` → `eric muller`, `Łódź` → `lodz`. Scripts are not transliterated."""
    if text.isascii():
        return text.lower().replace("`", "'")
    # Twice, since a compatibility form may turn into capitals: `℡` → `TEL`.
    for _ in range(2):
        text = unicodedata.normalize("NFKD", text.casefold().translate(SUBSTITUTIONS))
    folded = "".join(map(_plain, text))
    return unicodedata.normalize("NFKD", folded.translate(SUBSTITUTIONS))


def _plain(character: str) -> str:
    """A character without marks and invisible characters; a decimal digit of any script as an ASCII digit."""
    if character.isascii():
        return character
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return ""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def tidy(text: str) -> str:
    """A name as names are compared: in NFC, without spaces around it, single spaces inside."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def search_text(parts: Iterable[str]) -> str:
    """The folded text of a row, a line each, so that a needle never matches across two fields; ends in `END`."""
    return "".join(fold(part) + END for part in parts if part).replace(RELATED, " ") or END


def own_text(text: str) -> str:
    """A search text without that of other rows."""
    return text.partition(RELATED)[0]


def name_forms(given: str, family: str) -> list[str]:
    """A person's name as it is searched: given name first and, for CJK names, both written together."""
    given, family = tidy(given), tidy(family)
    forms = [" ".join(part for part in (given, family) if part)]
    if given and family and CJK.search(given + family):
        forms += [family + given, given + family]
    return forms


@dataclass(frozen=True)
class Needle:
    """One condition of a search: the row's text has all of `words`, or `digits` (of a phone number, if not empty)."""

    words: tuple[str, ...]
    digits: str = ""


def needles(text: str) -> list[Needle]:
    """The conditions of a search, all of which a row must meet. Adjacent words of digits may be one phone number."""
    folded = fold(text)
    words = [word for word in SEPARATORS.split(folded) if word]
    if not words:
        return [Needle((folded.strip(),))] if folded.strip() else []
    found: list[Needle] = []
    run: list[str] = []
    for word in [*words, ""]:
        if PHONE_WORD.fullmatch(word):
            run.append(word)
            continue
        found += _numbers(run)
        run = []
        if word:
            found.append(Needle((word,)))
    return list(dict.fromkeys(found))


def _numbers(run: list[str]) -> list[Needle]:
    digits = phone_digits(" ".join(run))
    if len(digits) < PHONE_DIGITS:
        return [Needle((word,)) for word in run]
    if run == [digits]:
        return [Needle((digits,))]
    # Words of two digits are in no trigram index: together they are one.
    indexed = any(re.search("[0-9]{3}", word) for word in run)
    return [Needle(tuple(run) if indexed else (" ".join(run),), digits)]


def phone_digits(text: str) -> str:
    """The digits of a phone number as typed, without `(0)`, international prefix `00` and leading zeros."""
    return re.sub("[^0-9]", "", re.sub(r"\(0+\)", "", text)).lstrip("0")
