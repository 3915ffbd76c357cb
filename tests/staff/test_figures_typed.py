"""Figures as the language of the page writes them: displayed, typed, and refused where they have two values."""

from decimal import Decimal

import pytest
from django import forms
from django.utils import translation

from crm_project.languages.figures import decimal_as_typed, number
from crm_project.staff.inputs import DecimalInput


@pytest.mark.parametrize(
    ("language", "written", "typed"),
    [
        ("en", "12,500.50", "12500.50"),
        ("fr", "12\u00a0500,50", "12500,50"),
        ("pl", "12\u00a0500,50", "12500,50"),
        ("es", "12.500,50", "12500,50"),
        ("it", "12.500,50", "12500,50"),
    ],
)
def test_what_a_page_writes_can_be_typed(language, written, typed):
    amount = Decimal("12500.50")
    with translation.override(language):
        assert number(amount) == written
        assert decimal_as_typed(amount) == typed
        for text in (written, typed, written.replace("\u00a0", " "), "12500.50", "12500,50", "12500.5"):
            assert DecimalInput().clean(text) == amount, text


@pytest.mark.parametrize(
    ("language", "text", "amount"),
    [
        ("en", "12,500", 12500),
        ("en", "12.500", Decimal("12.5")),
        ("es", "12.500", 12500),
        ("it", "12,500", Decimal("12.5")),
        ("fr", "12,500", Decimal("12.5")),
        ("fr", "12 500", 12500),
        ("pl", "1 234 567,8", Decimal("1234567.8")),
    ],
)
def test_groups_of_three_digits_are_read_as_the_language_writes_them(language, text, amount):
    with translation.override(language):
        assert DecimalInput().clean(text) == amount


@pytest.mark.parametrize(
    ("language", "text"),
    [
        # French and Polish group by spaces: a point may be a decimal sign or a group.
        ("fr", "12.500"),
        ("pl", "12.500"),
        ("en", "1,5,0"),
        ("en", "€ 5"),
        ("en", "-5"),
        ("en", "1e5"),
        ("en", "five"),
        ("en", "0.123456789"),
        ("en", "12345678901234567"),
    ],
)
def test_what_has_two_values_or_none_is_refused_with_an_example(language, text):
    with translation.override(language):
        with pytest.raises(forms.ValidationError) as caught:
            DecimalInput().clean(text)

        assert number(Decimal("15000.50")) in caught.value.messages[0]
