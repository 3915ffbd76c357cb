"""The catalogues: complete, up to date, compiled, with the same placeholders, and in the words of the glossary."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from crm_project.languages import TRANSLATED, catalogues

FOLDER = Path(catalogues.__file__).parent
PLACEHOLDER = re.compile(r"%\([a-z_0-9]+\)[a-z]|%%|\{[a-z_0-9]*\}")
# What is written alike: proper names, formats, signs.
MARKUP = re.compile(r"</?[a-z]+")


def glossary():
    """The words of the product by English word: language to word."""
    with (FOLDER / "glossary.csv").open(newline="") as file:
        return {row.pop("en"): row for row in csv.DictReader(file)}


def same_in():
    """(language, message) of texts that are the same as in English, because that is the word."""
    with (FOLDER / "same.csv").open(newline="") as file:
        return {(row["language"], row["message"]) for row in csv.DictReader(file)}


def forms(string):
    return string if isinstance(string, list | tuple) else (string,)


@pytest.fixture(scope="module")
def messages():
    return catalogues.extracted()


@pytest.mark.parametrize("language", TRANSLATED)
class TestCatalogue:
    def test_it_has_exactly_the_messages_of_the_sources(self, language, messages):
        stored = {(message.context, message.id) for message in catalogues.stored(language) if message.id}

        assert stored == {(message.context, message.id) for message in messages if message.id}

    def test_every_message_is_translated(self, language):
        catalogue = catalogues.stored(language)
        missing = [
            message.id
            for message in catalogue
            if message.id and not (message.string and all(forms(message.string)))
        ]
        assert missing == []
        assert not [message.id for message in catalogue if message.fuzzy]

    def test_every_plural_form_is_there(self, language):
        catalogue = catalogues.stored(language)
        for message in catalogue:
            if message.id and message.pluralizable:
                assert len(message.string) == catalogue.num_plurals, message.id

    def test_placeholders_and_markup_are_those_of_the_message(self, language):
        wrong = []
        for message in catalogues.stored(language):
            wanted = forms(message.id)
            for place, string in enumerate(forms(message.string)) if message.id else ():
                source = wanted[min(place, len(wanted) - 1)]
                same = all(
                    Counter(pattern.findall(source)) == Counter(pattern.findall(string))
                    for pattern in (PLACEHOLDER, MARKUP)
                )
                # A singular may spell the number out.
                plural = message.pluralizable and set(PLACEHOLDER.findall(string)) <= set(
                    PLACEHOLDER.findall(wanted[-1])
                )
                if not same and not plural:
                    wrong.append((source, string))
        assert wrong == []

    def test_spaces_and_line_breaks_at_the_ends_are_kept(self, language):
        for message in filter(lambda message: message.id, catalogues.stored(language)):
            source, string = forms(message.id)[0], forms(message.string)[0]
            ends = [
                (text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :])
                for text in (source, string)
            ]
            assert ends[0] == ends[1], source

    def test_a_text_like_its_source_is_listed(self, language):
        same = {
            message.id
            for message in catalogues.stored(language)
            if isinstance(message.id, str)
            and message.string == message.id
            and re.search("[a-z]{2}", PLACEHOLDER.sub("", message.id))
        }
        listed = {message for code, message in same_in() if code == language}

        assert same - listed == set()
        assert listed - same == set(), "listed for nothing"

    def test_the_words_of_the_glossary_are_used(self, language):
        strings = {
            message.id.lower(): forms(message.string)[0].lower()
            for message in catalogues.stored(language)
            if isinstance(message.id, str) and not message.context
        }
        wrong = {
            word: (strings[word.lower()], words[language])
            for word, words in glossary().items()
            if word.lower() in strings and strings[word.lower()] != words[language].lower()
        }
        assert wrong == {}

    def test_the_compiled_catalogue_is_that_of_the_source(self, language):
        path = catalogues.po_path(language)

        assert path.with_suffix(".mo").read_bytes() == catalogues.compiled(catalogues.stored(language))
