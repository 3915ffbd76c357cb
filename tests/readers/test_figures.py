"""A figure is read back exactly, in all of its readings, or refused; a column decides what a cell alone does not."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crm_project.readers import Unreadable
from crm_project.readers.currencies import currencies_of
from crm_project.readers.evidence import Evidence, evidence_of
from crm_project.readers.figures import SIGNS, read_figure


def values(written: str) -> dict[str, str]:
    return {sign: f"{value:f}" for sign, value in read_figure(written).values.items()}


@pytest.mark.parametrize(
    ("written", "point", "comma"),
    [
        ("12500", "12500", "12500"),
        ("12\u202f500,50", None, "12500.50"),
        ("12 500,50", None, "12500.50"),
        ("12 500.50", "12500.50", None),
        ("1.234.567,89", None, "1234567.89"),
        ("1,234.56", "1234.56", None),
        ("1.234.567", None, "1234567"),
        ("12'500.50", "12500.50", None),
        ("12’500", "12500", "12500"),
        ("1.234", "1.234", "1234"),
        ("1,234", "1234", "1.234"),
        ("0.500", "0.500", None),
        ("1234.567", "1234.567", None),
        ("12,34,567.5", "1234567.5", None),
        ("10.5", "10.5", None),
        ("10,50", None, "10.50"),
        ("(500.00)", "-500.00", None),
        ("($1,234.56)", "-1234.56", None),
        ("-500,00", None, "-500.00"),
        ("500-", "-500", "-500"),
        ("− 500", "-500", "-500"),
        ("+7", "7", "7"),
        ("12.5k", "12500.0", None),
        ("$12k", "12000", "12000"),
        ("1'200.–", "1200", "1200"),
        ("$1,234.56", "1234.56", None),
        ("1.234,56 €", None, "1234.56"),
        ("2.000,00 EUR", None, "2000.00"),
        ("USD 2,500.00", "2500.00", None),
        ("CHF 100", "100", "100"),
        ("1 234 zł", "1234", "1234"),
    ],
)
def test_spellings(written: str, point: str | None, comma: str | None) -> None:
    expected = {sign: value for sign, value in zip(SIGNS, (point, comma), strict=True) if value is not None}
    assert values(written) == expected


@pytest.mark.parametrize(
    "written",
    ["", "ten", "1.23.456", "1,2345.6.7", "1 23", "12 pcs", "5M", "--5", "(-5)", "(5", "1.234,567,8", "1'23", "1e5",
     "€ 5 USD",
     "5 5 5", "12.", ".5", "１２", "٣", "9" * 21, "1" * 200],
)  # fmt: skip
def test_other_texts_are_refused(written: str) -> None:
    with pytest.raises(Unreadable):
        read_figure(written)


@pytest.mark.parametrize(
    ("written", "codes"),
    [("€", "EUR"), ("eur", "EUR"), ("US$", "USD"), ("US Dollar", "USD"), ("złoty polski", "PLN"), ("zł", "PLN"),
     ("euro", "EUR"), ("£", "GBP"), ("$ USD", "USD"), ("CAD $", "CAD"), ("Kč", "CZK"), ("franc suisse", "CHF")],
)  # fmt: skip
def test_currencies(written: str, codes: str) -> None:
    assert currencies_of(written) == {codes}


def test_a_symbol_of_several_currencies_names_none_alone() -> None:
    assert {"USD", "CAD", "AUD"} <= currencies_of("$")
    assert currencies_of("¥") == {"JPY", "CNY"}
    assert currencies_of("pcs") == frozenset()


def column(*cells: str) -> Evidence:
    return evidence_of(SIGNS, [(cell, read_figure(cell).values) for cell in cells])


def test_a_column_decides_what_a_cell_does_not() -> None:
    assert column("1.234", "10,50").decided == ","
    assert column("1,234", "10.50").decided == "."
    assert column("1.234", "0.500").decided == "."
    assert column("100", "5").choices == []


def test_a_column_of_groups_of_three_digits_is_open() -> None:
    evidence = column("1.500", "2.000", "12")
    assert (evidence.choices, evidence.samples) == ([".", ","], ["1.500", "2.000"])


def test_a_column_that_contradicts_itself_is_open() -> None:
    evidence = column("1.50", "1,50", "1.500")
    assert evidence.is_contradictory
    assert evidence.is_open


def test_readings_that_are_equal_are_not_asked_about() -> None:
    assert not column("1.000.000", "5").is_open


AMOUNTS = st.decimals(0, 10**9, places=2, allow_nan=False, allow_infinity=False)
STYLES = [
    ("", "."),
    ("", ","),
    (",", "."),
    (".", ","),
    (" ", ","),
    ("\u00a0", ","),
    ("\u202f", "."),
    ("'", "."),
    ("’", ","),
]


def write(value: Decimal, group: str, sign: str, places: int) -> str:
    whole, _, rest = f"{value:,.{places}f}".partition(".")
    return whole.replace(",", group) + (f"{sign}{rest}" if places else "")


AFFIXES = ("%s", "€ %s", "%s €", "EUR %s", "%s EUR", "%s zł", "US$%s", "CHF %s")


@given(
    st.lists(st.tuples(AMOUNTS, st.sampled_from([0, 1, 2, 3])), min_size=1, max_size=6),
    st.sampled_from(STYLES),
    st.sampled_from(AFFIXES),
    st.booleans(),
)
def test_a_column_is_read_back_exactly_or_asked_about(cells, style, affix, negative) -> None:
    group, sign = style
    truth = [value.quantize(Decimal(1).scaleb(-places)) for value, places in cells]
    written = [affix % write(v, group, sign, places) for v, (_, places) in zip(truth, cells, strict=True)]
    if negative:
        written = [f"({text})" for text in written]
        truth = [-value for value in truth]
    evidence = column(*written)

    # The true notation is never excluded, so that an open question has the right answer.
    figures = [read_figure(text).values for text in written]
    assert sign in evidence.choices or not evidence.choices
    decided = evidence.decided or sign
    assert [readings[decided] for readings in figures] == truth
    if not evidence.choices:
        assert all(len(set(readings.values())) == 1 for readings in figures)


@given(
    st.lists(st.tuples(AMOUNTS, st.sampled_from(STYLES), st.sampled_from([0, 2, 3])), min_size=2, max_size=6)
)
def test_a_mixed_column_reads_no_cell_otherwise_than_it_is_written(cells) -> None:
    """Cells of several notations: with a decided sign each cell has its own value, or the sign is not its own."""
    written = [
        write(value.quantize(Decimal(1).scaleb(-places)), *style, places) for value, style, places in cells
    ]
    evidence = column(*written)
    assume(evidence.decided)
    for text, (value, (_, sign), places) in zip(written, cells, strict=True):
        if sign == evidence.decided:
            assert read_figure(text).values[sign] == value.quantize(Decimal(1).scaleb(-places))
