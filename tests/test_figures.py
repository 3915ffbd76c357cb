"""The figures script counts what it says: lines, and literals that list kinds of row."""

import ast

import pytest

from tests.figures import lines_of_code, lists_of_kinds, spread

pytestmark = pytest.mark.once


def test_blank_lines_and_comments_are_no_lines_of_code():
    assert lines_of_code('# A comment.\n\nx = """one\ntwo"""  # another\n\n\ny = 1\n') == 3


def test_a_spread_is_median_ninth_decile_and_greatest():
    assert spread([1, 2, 3, 4, 100]) == "3 / 62 / 100"


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ('X = {"deal": 1, "contact": 2}', 1),
        ("X = [Deal, Contact]", 1),
        ('X = (Kind("deal", 1), Kind("contact", 2))', 1),
        ('X = {"deal": ["contact", "stage"], "contact": []}', 1),
        ('X = ["deal", "name"]', 0),
        ('X = ["deal"]', 0),
        ('UniqueConstraint(fields=["deal", "contact"])', 0),
    ],
)
def test_a_literal_of_two_kinds_is_a_place(source, places):
    assert len(list(lists_of_kinds(ast.parse(source)))) == places
