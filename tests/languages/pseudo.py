"""A language that puts every message in brackets: what a page shows outside of them is not translated."""

import re
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from django import conf
from django.apps import apps
from django.conf import settings
from django.conf.locale import LANG_INFO
from django.test import override_settings

from crm_project.languages import catalogues

# A code of the range for private use, which no library has a catalogue for.
CODE = "qq"
BRACKETED = re.compile("⟦[^⟦⟧]*⟧")
ATTRIBUTES = ("title", "aria-label", "placeholder", "alt")
WORD = re.compile(r"[A-Za-z]{2,}")
HIDDEN = {"script", "style", "title", "pre", "code", "textarea", "svg"}
VOID = {"input", "br", "img", "meta", "link", "hr", "source", "wbr"}
ICON = "material-symbols"


@contextmanager
def pseudo_language(folder):
    """Make the language in a folder, and let the block's requests be read in it."""
    path = Path(folder) / CODE / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(catalogues.compiled(_catalogue()))
    languages = [*settings.LANGUAGES, (CODE, "Pseudo")]
    # Changed settings make Django forget which languages it has.
    about = {"bidi": False, "code": CODE, "name": "Pseudo", "name_local": "Pseudo"}
    with (
        override_settings(LOCALE_PATHS=[str(folder)], LANGUAGES=languages),
        mock.patch.dict(LANG_INFO, {CODE: about}),
    ):
        yield CODE


def _catalogue():
    """The messages of the product and those of the libraries that have catalogues."""
    found = Catalog("fr", charset="utf-8")
    for message in catalogues.extracted():
        if message.id:
            found.add(message.id, _bracketed(message.id), context=_text(message.context))
    folders = [Path(conf.__file__).parent, *(Path(each.path) for each in apps.get_app_configs())]
    for folder in folders:
        path = folder / "locale" / "fr" / "LC_MESSAGES" / "django.mo"
        if path.exists() and "languages" not in path.parts:
            with path.open("rb") as file:
                for message in read_mo(file):
                    if message.id and _is_text(message.id):
                        found.add(message.id, _bracketed(message.id), context=_text(message.context))
    return found


def _text(context):
    """Babel does not decode the contexts of a compiled catalogue."""
    return context.decode() if isinstance(context, bytes) else context


def _is_text(message):
    """Django keeps its formats of dates in a catalogue, too."""
    return not isinstance(message, str) or "DATE" not in message


def _bracketed(message):
    return f"⟦{message}⟧" if isinstance(message, str) else tuple(f"⟦{form}⟧" for form in message)


class _Texts(HTMLParser):
    """The texts that somebody reads or hears, in their order."""

    def __init__(self):
        super().__init__()
        self.found, self.open = [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag not in VOID:
            self.open.append((tag, tag in HIDDEN or ICON in (attributes.get("class") or "")))
        self.found += [f"{attributes[name]}\n" for name in ATTRIBUTES if attributes.get(name)]

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if not any(hidden for _, hidden in self.open):
            self.found.append(f"{data}\n")


def untranslated(html, known):
    """The texts of a page that are neither translated nor match `known`, such as names of rows."""
    texts = _Texts()
    texts.feed(html)
    # A message with markup is spread over several texts.
    rest = "".join(texts.found)
    while rest != (rest := BRACKETED.sub(" ", rest)):
        pass
    lines = (" ".join(line.split()) for line in rest.splitlines())
    return {line for line in lines if WORD.search(known.sub(" ", line))}
