"""Errors of an import in the language of the reader; what the API answers and what is stored stays English."""

from contextlib import contextmanager

import pytest
from django.utils.translation import override, trans_real

from crm_project.imports.admin.imports import _problem_of, _problems_of
from crm_project.imports.fields import plain, translated
from crm_project.imports.mapping import guess_mapping
from crm_project.imports.models import Import
from crm_project.imports.refusals import _headers, error_table, is_error_file
from crm_project.imports.running import with_problems
from crm_project.imports.tasks import CONFLICTING, LATER, stored
from tests.api.client import ApiTestCase
from tests.imports.client import csv_file, imported

pytestmark = pytest.mark.once

WORDS = {
    "%(value)s is not a number.": "%(value)s nie jest liczbą.",
    "Amount": "Kwota",
    "Errors": "Błędy",
    "Line": "Wiersz",
    "Other changes of the same data interrupted it %(attempts)s times.": "Przerwano %(attempts)s razy.",
    "Try again later.": "Spróbuj później.",
}


@contextmanager
def polish():
    """Read in Polish, with these words in front of the catalogue."""
    catalogue = trans_real.translation("pl")._catalog
    catalogue._catalogs.insert(0, WORDS)
    catalogue._plurals.insert(0, catalogue._plurals[0])
    _headers.cache_clear()
    translated.cache_clear()
    try:
        with override("pl"):
            yield
    finally:
        catalogue._catalogs.pop(0)
        catalogue._plurals.pop(0)
        _headers.cache_clear()
        translated.cache_clear()


class LanguageTests(ApiTestCase):
    def setUp(self):
        self.result = imported(self.as_bob, "deals", csv_file(("name", "amount"), ("A", "x")))
        self.source = Import.objects.get()

    def test_errors_of_rows(self):
        with polish():
            table = error_table(self.source)
            # A file is written after the request, whose language is no longer active.
            with override("en"):
                rows = list(table)
            assert rows == [
                ["name", "amount", "Wiersz", "Błędy"],
                ["A", "x", 2, "amount: 'x' nie jest liczbą."],
            ]
            assert _problems_of(self.source) == [(1, "amount", "'x' nie jest liczbą.")]
            labels = ["name", "amount", "Wiersz", "Błędy"]
            assert is_error_file(labels)
            assert is_error_file(["name", "Line", "Errors"])
            assert not is_error_file(["name", "Line", "Błędy"])

        assert self.result["summary"]["problems"] == [
            {"column": "amount", "detail": "'x' is not a number.", "rows": 1}
        ]
        assert self.result["refused"][0]["errors"] == [
            {"column": "amount", "field": "amount", "code": "invalid", "detail": "'x' is not a number."}
        ]

    def test_errors_that_an_earlier_release_has_stored_are_english(self):
        row = self.source.refused_rows.get()
        row.errors = [{"column": "amount", "field": "amount", "code": "invalid", "detail": "No number."}]
        row.save()
        with polish():
            assert [*error_table(self.source)][1][-1] == "amount: No number."

    def test_the_problem_of_an_import(self):
        problems = [stored(CONFLICTING, {"attempts": 3}), stored("No text of ours."), stored(LATER)]
        text = "Other changes of the same data interrupted it 3 times. No text of ours. Try again later."
        columns = with_problems({}, problems)
        assert columns["problem"] == text
        source = Import(**columns)
        assert _problem_of(source) == text
        with polish():
            assert _problem_of(source) == "Przerwano 3 razy. No text of ours. Spróbuj później."
            source.problem = "Another problem since."
            assert _problem_of(source) == "Another problem since."

    def test_a_header_is_found_by_its_label_in_any_language(self):
        fields = [plain("amount", "Amount", str)]
        with polish(), override("fr"):
            assert guess_mapping(["kwota"], fields) == {"kwota": "amount"}
            assert guess_mapping(["AMOUNT"], fields) == {"AMOUNT": "amount"}
            assert guess_mapping(["Betrag"], fields) == {"Betrag": None}
