"""Text is folded the same way in Python for every database: without case, accents and compatibility forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_project.records.text import fold, search_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Éric MÜLLER", "eric muller"),
        ("E\u0301ric", "eric"),
        ("STRASSE Straße", "strasse strasse"),
        ("Łódź", "lodz"),
        ("ΑΘΉΝΑΣ", "αθηνασ"),
        ("İstanbul", "istanbul"),
        ("ﬁnance ＡＢＣ ①", "finance abc 1"),
        # Compatibility forms turn into capitals.
        ("℡ № ℃ 𝐀𝐁", "tel no °c ab"),
        ("東京 🚀", "東京 🚀"),
        ("", ""),
    ],
)
def test_it_folds(text, folded):
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


def test_parts_are_lines_so_that_nothing_matches_across_two():
    assert search_text(["Éva", "", "Kiss"]) == "eva\nkiss\n"
