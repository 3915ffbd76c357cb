"""The encoding of a text without a byte order mark that is not UTF-8: the best guess among code pages."""

import re

from charset_normalizer import from_bytes

# What Windows writes in the countries of a language; a text of few letters is in the language of its reader.
LATIN = {
    "cp1252": "àâäáãåæçèéêëìíîïñòóôöõøœùúûüÿß",
    "cp1250": "ąćęłńóśźżáčďéěíňřšťúůýžäľĺŕôöőüűăâîşţđß",
    "cp1254": "çğıöşüâîûäéß",
    "cp1257": "ąčęėįšųūžāēģīķļņõäöü",
}
MARKS = "“”„‘’–—…€«»°§·•™©®\u00a0¿¡ºª"
LANGUAGES = {
    **dict.fromkeys("pl cs sk hu sl hr ro bs sq".split(), "cp1250"),
    "tr": "cp1254",
    **dict.fromkeys("lt lv et".split(), "cp1257"),
    **dict.fromkeys("ru uk bg sr mk be".split(), "cp1251"),
    "el": "cp1253",
    "ja": "cp932",
    "zh": "gb18030",
    "ko": "cp949",
}
ALPHABETS = {"cp1251": re.compile("[а-яёіїєґўђјљњћџ]+"), "cp1253": re.compile("[α-ωάέήίόύώϊϋΐΰ]+")}
ASIAN = ["cp932", "gb18030", "big5", "cp949"]
OTHERS = [*ALPHABETS, *ASIAN]
NAMES = {"shift_jis": "cp932", "euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030"}
WORDS = re.compile(rb"[A-Za-z\x80-\xff]{3,}")
HIGH = re.compile(rb"[\x80-\xff]+")
# The share of words, and of letters, from which on a text is taken to be one of an alphabet.
MOST = 0.6
ENOUGH = 0.8


def guess_code_page(sample: bytes, language: str = "") -> str:
    """The code page in which the letters of the sample are those of its languages; Windows-1252 if none fits."""
    preferred = LANGUAGES.get(language[:2].lower(), "cp1252")
    if preferred in OTHERS and _decodes(sample, preferred):
        return preferred
    words = [word for word in WORDS.findall(sample) if HIGH.search(word)]
    foreign = sum(HIGH.fullmatch(word) is not None for word in words)
    scores = {page: _score(sample, page, letters) for page, letters in LATIN.items()}
    order = sorted(LATIN, key=lambda page: (-scores[page], page != preferred, page != "cp1252"))
    if (words and foreign / len(words) >= MOST) or scores[order[0]] < ENOUGH:
        if page := _alphabet(words):
            return page
        best = from_bytes(sample, cp_isolation=ASIAN, threshold=1.0).best()
        if best is not None:
            return NAMES.get(best.encoding, best.encoding)
    return order[0] if scores[order[0]] else "cp1252" if _decodes(sample, "cp1252") else "iso-8859-1"


def _alphabet(words: list[bytes]) -> str | None:
    """The page in which nearly all words are of one alphabet, and begin with a capital or are of one case."""
    for page, letters in ALPHABETS.items():
        texts = [word.decode(page, "replace") for word in words]
        regular = [
            text
            for text in texts
            if letters.fullmatch(text.lower()) and (text.istitle() or text.islower() or text.isupper())
        ]
        if texts and len(regular) / len(texts) >= ENOUGH:
            return page
    return None


def _score(sample: bytes, page: str, letters: str) -> float:
    """The share of the letters beyond ASCII that the page's languages have; 0 if it cannot be decoded."""
    try:
        text = sample.decode(page)
    except UnicodeDecodeError:
        return 0.0
    beyond = [character for character in text if character > "\x7f"]
    usual = sum(
        character.lower() in letters or character in MARKS or character == "İ" for character in beyond
    )
    return usual / len(beyond) if beyond else 0.0


def _decodes(sample: bytes, page: str) -> bool:
    try:
        sample.decode(page)
    except UnicodeDecodeError:
        return False
    return True
