"""Catalogues of messages, made by Babel: extracted from the sources, brought up to date, and compiled.

Messages are the arguments of Django's functions (`gettext`, `ngettext`, …) in Python and templates, the templates of
domain errors, and the names of models and fields. The strings of the theme, which has no catalogues, are among them.
"""

import ast
import datetime
import io
from collections.abc import Container, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract, extract_python
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django import conf
from django.apps import apps
from django.conf import settings
from django.utils.translation.template import templatize

from crm_project import __version__
from crm_project.errors import DomainError
from crm_project.languages import TRANSLATED
from crm_project.languages.names import OWN, names
from crm_project.readers import Unreadable

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "django"
WIDTH = 110
# The time of a catalogue is that of its commit.
WHEN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ROOMS = tuple(package.rstrip(".") for package in OWN)
SKIPPED = {"migrations", "management", "demo"}
# Of the dialects, the pages show what this file says of each.
OF_DIALECTS = "registry.py"


def extracted() -> Catalog:
    """All messages of the product and of the theme, without translations."""
    found = _catalogue(None)
    for path in _sources():
        _add(found, path)
    for name in names():
        found.add(name)
    for path in _theme():
        _add(found, path, but=translated_elsewhere())
    return found


def update() -> None:
    """Write the messages that are there now into the catalogue of each language; translations stay."""
    template = extracted()
    for language in TRANSLATED:
        catalogue = stored(language)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        catalogue.creation_date = catalogue.revision_date = WHEN
        store(catalogue, language)


def stored(language: str) -> Catalog:
    path = po_path(language)
    if not path.exists():
        return _catalogue(language)
    with path.open("rb") as file:
        return read_po(file, language, DOMAIN)


def store(catalogue: Catalog, language: str) -> None:
    """Write the catalogue for people, and its compiled form for the server."""
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=WIDTH, no_location=True, sort_output=True)
    path.with_suffix(".mo").write_bytes(compiled(stored(language)))


def compiled(catalogue: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def translated_elsewhere() -> frozenset[str]:
    """The messages that catalogues of Django and of installed apps have in every language, by their singular."""
    return frozenset.intersection(*(frozenset(_of_libraries(language)) for language in TRANSLATED))


def _of_libraries(language: str) -> Iterator[str]:
    folders = [Path(conf.__file__).parent, *(Path(each.path) for each in apps.get_app_configs())]
    for folder in folders:
        path = folder / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
        if folder != LOCALE.parent and path.exists():
            with path.open("rb") as file:
                yield from (singular(message.id) for message in read_mo(file) if message.id)


def singular(message: Any) -> str:
    return message if isinstance(message, str) else str(message[0])


def _catalogue(language: str | None) -> Catalog:
    about = {"project": "CRM", "version": __version__, "last_translator": "", "language_team": ""}
    return Catalog(language, DOMAIN, fuzzy=False, header_comment="", **about)


def _sources() -> Iterator[Path]:
    """The Python files and templates of the product, without what only machines and developers read."""
    root = Path(settings.BASE_DIR)
    for folder in (*ROOMS, "templates"):
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            if path.suffix not in (".py", ".html") or SKIPPED & {*parts}:
                continue
            if "dialects" not in parts or path.name == OF_DIALECTS:
                yield path


def _theme() -> Iterator[Path]:
    """The sources of the theme and of those of its parts that are installed."""
    for app in apps.get_app_configs():
        if app.name.startswith("unfold"):
            yield from sorted(Path(app.path).glob("*.py"))
            yield from sorted(Path(app.path, "templates").rglob("*.html"))


def _add(catalogue: Catalog, path: Path, but: Container[str] = ()) -> None:
    method: Any = _python if path.suffix == ".py" else _template
    with path.open("rb") as file:
        for line, message, _, context in extract(method, file, keywords()):
            if singular(message) not in but:
                catalogue.add(message, None, [(path.name, line)], context=context)


def _python(file: Any, words: Any, tags: Any, options: Any) -> Iterator[tuple[int, str, Any, list[str]]]:
    """The literal arguments of the functions. Babel would take the key of `gettext(row["key"])` for a message."""
    for node in ast.walk(ast.parse(file.read())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in words:
            found = [each.value if isinstance(each, ast.Constant) else None for each in node.args]
            texts = tuple(value if isinstance(value, str) else None for value in found)
            yield node.lineno, name, texts if len(texts) > 1 else next(iter(texts), None), []


def _template(file: Any, words: Any, tags: Any, options: Any) -> Any:
    """Django turns the tags of a template into calls of Python; the indentation of the rest means nothing."""
    source = "\n".join(line.lstrip() for line in templatize(file.read().decode()).splitlines())
    return extract_python(io.BytesIO(source.encode()), words, tags, options)


@cache
def keywords() -> dict[str, Any]:
    """The functions and classes whose arguments are messages, with the arguments' places."""
    found = dict(DEFAULT_KEYWORDS)
    for name in ("gettext", "ngettext", "pgettext", "npgettext"):
        found[f"{name}_lazy"] = found[name]
    found["gettext_noop"] = found["gettext"]
    for error in (*_errors(DomainError), *_errors(Unreadable)):
        found[error.__name__] = (1,)
    # `conflict` is a method of the deals that use a row.
    return found | {"conflict": (1,), "FieldError": (3,)}


def _errors(base: type[Exception]) -> Iterator[type[Exception]]:
    yield base
    for error in base.__subclasses__():
        yield from _errors(error)
