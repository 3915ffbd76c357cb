"""A deal's money: exact decimals, each currency's own number of them, bids per period, gross from net."""

from decimal import Decimal

import pytest

from deals.models import Deal
from deals.money import formatted, price


def a_deal(**columns):
    amounts = {
        name: Decimal(value)
        for name, value in columns.items()
        if name in ("amount", "amount_gross", "bid_value")
    }
    return Deal(**{"currency": "EUR", **columns, **amounts})


def change_of(change):
    return {
        name: Decimal(v) if name.startswith(("amount", "bid_v")) and v is not None else v
        for name, v in change.items()
    }


def priced(deal, **change):
    errors = price(deal, change_of(change))

    assert errors == []
    return deal


def refusals(deal, **change):
    errors = price(deal, change_of(change))

    return [(error.field, error.code) for error in errors]


def test_it_works():
    deal = priced(a_deal(), amount="15000", tax_rate="20", currency="eur")

    assert (deal.amount, deal.amount_gross, deal.currency) == (Decimal(15000), Decimal(18000), "EUR")


class TestDecimals:
    @pytest.mark.parametrize(
        ("currency", "amount"),
        [
            ("EUR", "1.25"),
            ("EUR", "1.2"),
            ("EUR", "1"),
            ("EUR", "1.250000"),
            ("EUR", "1E+3"),
            ("KWD", "1.125"),
            ("KWD", "1.1250"),
            ("CLF", "1.1234"),
            ("JPY", "1"),
            ("JPY", "1.00"),
            ("JPY", "100"),
        ],
    )
    def test_as_many_as_the_currency_has(self, currency, amount):
        assert priced(a_deal(), currency=currency, amount=amount).amount == Decimal(amount)

    @pytest.mark.parametrize(
        ("currency", "amount"),
        [
            ("EUR", "1.001"),
            ("EUR", "0.00001"),
            ("KWD", "1.0001"),
            ("JPY", "1.5"),
            ("JPY", "0.01"),
            # More digits than the arithmetic keeps.
            ("EUR", "1.0000000000000000000000000000000000001"),
        ],
    )
    def test_more_are_refused_and_never_rounded(self, currency, amount):
        assert refusals(a_deal(), currency=currency, amount=amount) == [("amount", "max_decimal_places")]

    @pytest.mark.parametrize("name", ["amount_gross", "bid_value"])
    def test_of_every_amount(self, name):
        deal = a_deal(amount="1", bid_type="hour", bid_value="1")

        assert refusals(deal, **{name: "1.005"}) == [(name, "max_decimal_places")]

    def test_a_currency_that_has_too_few_for_what_is_there(self):
        deal = a_deal(amount="1.50")

        assert refusals(deal, currency="JPY") == [("currency", "max_decimal_places")]


class TestCurrency:
    @pytest.mark.parametrize("code", ["usd", "Usd", "USD"])
    def test_any_case_in_upper_out(self, code):
        assert priced(a_deal(), currency=code).currency == "USD"

    @pytest.mark.parametrize("code", ["", "EURO", "XYZ", "€", "XAU", "XTS", "XXX", None, 978])
    def test_it_rejects_what_is_no_currency(self, code):
        assert refusals(a_deal(), currency=code) == [("currency", "invalid_choice")]

    def test_a_deal_in_one_that_has_been_withdrawn_can_still_be_written(self):
        deal = priced(a_deal(currency="DEM", amount="100", tax_rate="16"), currency="DEM", amount="200")

        assert (deal.currency, deal.amount, deal.amount_gross) == ("DEM", Decimal(200), Decimal(232))


class TestBounds:
    @pytest.mark.parametrize("amount", ["0", "0.01", "999999999999.99"])
    def test_from_zero_to_less_than_a_million_millions(self, amount):
        assert priced(a_deal(), amount=amount).amount == Decimal(amount)

    @pytest.mark.parametrize("amount", ["-0.01", "1000000000000", "1E+20"])
    def test_it_rejects_what_lies_beyond(self, amount):
        assert refusals(a_deal(), amount=amount) == [("amount", "out_of_range")]

    @pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "sNaN"])
    def test_it_rejects_what_is_no_number(self, amount):
        assert refusals(a_deal(), amount=amount) == [("amount", "invalid")]

    @pytest.mark.parametrize("amount", [1.5, 1, "1.50", True])
    def test_a_float_never_gets_in(self, amount):
        assert [error.code for error in price(a_deal(), {"amount": amount})] == ["invalid"]

    def test_null_means_unknown(self):
        deal = priced(a_deal(amount="5", amount_gross="6"), amount=None)

        assert (deal.amount, deal.amount_gross) == (None, None)


class TestGross:
    @pytest.mark.parametrize(
        ("currency", "amount", "tax_rate", "gross"),
        [
            ("EUR", "100", "23", "123"),
            ("EUR", "100", "5.5", "105.5"),
            ("EUR", "0.02", "25", "0.03"),
            ("EUR", "0.50", "23", "0.62"),
            ("EUR", "0", "23", "0"),
            ("JPY", "5", "10", "6"),
            ("KWD", "0.010", "5", "0.011"),
            ("EUR", "100", "0", "100"),
        ],
        ids=str,
    )
    def test_a_new_amount_recomputes_it_half_up(self, currency, amount, tax_rate, gross):
        deal = priced(a_deal(currency=currency, tax_rate=tax_rate), amount=amount)

        assert deal.amount_gross == Decimal(gross)

    @pytest.mark.parametrize("tax_rate", ["", "zw", "np.", "23%", "-5", "1e2"])
    def test_or_clears_it_where_the_rate_is_no_number(self, tax_rate):
        deal = priced(a_deal(amount="100", amount_gross="123", tax_rate=tax_rate), amount="200")

        assert deal.amount_gross is None

    def test_one_that_is_sent_stands(self):
        assert priced(a_deal(tax_rate="23"), amount="100", amount_gross="120").amount_gross == Decimal(120)

    def test_a_null_that_is_sent_stands(self):
        assert priced(a_deal(tax_rate="23"), amount="100", amount_gross=None).amount_gross is None

    def test_the_amount_as_it_was_keeps_it(self):
        deal = priced(a_deal(amount="100", amount_gross="120", tax_rate="23"), amount="100.00")

        assert deal.amount_gross == Decimal(120)

    def test_a_bid_that_changes_the_amount_recomputes_it(self):
        deal = a_deal(amount="100", amount_gross="123", tax_rate="23", bid_type="hour", bid_value="100")

        assert priced(deal, bid_periods=2).amount_gross == Decimal(246)

    def test_it_rejects_one_below_the_amount(self):
        assert refusals(a_deal(amount="100"), amount_gross="99.99") == [("amount_gross", "amount_conflict")]

    def test_it_rejects_an_amount_above_it(self):
        assert refusals(a_deal(), amount="100", amount_gross="99") == [("amount_gross", "amount_conflict")]

    @pytest.mark.parametrize("change", [{"amount_gross": "5"}, {"amount": None, "amount_gross": "5"}])
    def test_it_needs_an_amount(self, change):
        assert refusals(a_deal(), **change) == [("amount_gross", "amount_conflict")]

    def test_it_equals_the_amount_at_the_least(self):
        assert priced(a_deal(), amount="100", amount_gross="100").amount_gross == Decimal(100)

    def test_one_that_grows_out_of_bounds_is_an_error_of_the_amount(self):
        assert refusals(a_deal(tax_rate="23"), amount="999999999999") == [("amount", "out_of_range")]


class TestBid:
    @pytest.mark.parametrize("bid_type", ["hour", "day", "week", "month", "year"])
    def test_the_amount_holds_the_product(self, bid_type):
        deal = priced(a_deal(), bid_type=bid_type, bid_value="80.50", bid_periods=10)

        assert (deal.amount, deal.bid_value, deal.bid_periods) == (Decimal(805), Decimal("80.50"), 10)

    @pytest.mark.parametrize("periods", [{"bid_periods": 0}, {"bid_periods": None}, {}])
    def test_no_periods_are_one(self, periods):
        assert priced(a_deal(), bid_type="month", bid_value="80", **periods).amount == Decimal(80)

    def test_other_periods_change_the_amount(self):
        deal = priced(a_deal(amount="80", bid_type="hour", bid_value="80", bid_periods=1), bid_periods=3)

        assert deal.amount == Decimal(240)

    def test_another_value_changes_the_amount(self):
        deal = priced(a_deal(amount="160", bid_type="hour", bid_value="80", bid_periods=2), bid_value="90")

        assert deal.amount == Decimal(180)

    def test_another_period_alone_keeps_the_amount(self):
        deal = priced(a_deal(amount="160", bid_type="hour", bid_value="80", bid_periods=2), bid_type="day")

        assert (deal.bid_type, deal.amount) == ("day", Decimal(160))

    def test_an_amount_alone_makes_it_fixed(self):
        deal = priced(a_deal(amount="160", bid_type="hour", bid_value="80", bid_periods=2), amount="200")

        assert (deal.amount, deal.bid_type, deal.bid_value, deal.bid_periods) == (
            Decimal(200),
            "fixed",
            None,
            None,
        )

    def test_unless_it_is_the_product(self):
        deal = priced(a_deal(amount="160", bid_type="hour", bid_value="80", bid_periods=2), amount="160.00")

        assert (deal.bid_type, deal.bid_value, deal.bid_periods) == ("hour", Decimal(80), 2)

    def test_a_fixed_bid_has_no_periods(self):
        for change in ({"bid_periods": 3}, {"bid_type": "fixed", "bid_value": "500", "bid_periods": 1}):
            [error] = price(a_deal(), change_of(change))

            assert (error.field, error.code) == ("bid_periods", "invalid")

    def test_the_amount_alone_makes_it_fixed(self):
        deal = priced(a_deal(), bid_type="fixed", bid_value="500", bid_periods=0)

        assert (deal.amount, deal.bid_value, deal.bid_periods) == (Decimal(500), None, None)

    def test_fixed_again_keeps_the_amount(self):
        deal = priced(a_deal(amount="160", bid_type="hour", bid_value="80", bid_periods=2), bid_type="fixed")

        assert (deal.amount, deal.bid_type, deal.bid_value, deal.bid_periods) == (
            Decimal(160),
            "fixed",
            None,
            None,
        )

    def test_an_amount_and_a_bid_that_agree(self):
        deal = priced(a_deal(), amount="160", bid_type="hour", bid_value="80", bid_periods=2)

        assert (deal.amount, deal.bid_type) == (Decimal(160), "hour")

    @pytest.mark.parametrize(
        "change",
        [
            {"amount": "161", "bid_type": "hour", "bid_value": "80", "bid_periods": 2},
            {"amount": None, "bid_type": "hour", "bid_value": "80"},
            {"amount": "1", "bid_type": "fixed", "bid_value": "2"},
        ],
    )
    def test_it_rejects_those_that_disagree(self, change):
        assert refusals(a_deal(), **change) == [("amount", "amount_conflict")]

    @pytest.mark.parametrize("change", [{"bid_type": "hour"}, {"bid_type": "hour", "amount": "5"}])
    def test_one_per_period_needs_its_value(self, change):
        assert refusals(a_deal(amount="5"), **change) == [("bid_value", "required")]

    def test_it_rejects_a_value_that_is_taken_away(self):
        deal = a_deal(amount="5", bid_type="hour", bid_value="5")

        assert refusals(deal, bid_value=None) == [("bid_value", "required")]

    def test_it_rejects_a_product_out_of_bounds(self):
        deal = a_deal()

        assert refusals(deal, bid_type="year", bid_value="1000000", bid_periods=1_000_000) == [
            ("bid_value", "out_of_range")
        ]

    def test_it_names_what_was_sent(self):
        deal = a_deal(amount="1000000", bid_type="year", bid_value="1000000")

        assert refusals(deal, bid_periods=1_000_000) == [("bid_periods", "out_of_range")]


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"amount": "100", "amount_gross": "120", "tax_rate": "23"},
        {"amount": "100", "tax_rate": "23"},
        {"amount": "160", "bid_type": "hour", "bid_value": "80", "bid_periods": 2},
        {"amount": "80", "bid_type": "hour", "bid_value": "80", "bid_periods": 0},
        {"amount": "80", "bid_type": "hour", "bid_value": "80"},
    ],
    ids=str,
)
def test_sending_back_what_was_read_changes_nothing(columns):
    deal = a_deal(**columns)
    names = ("amount", "amount_gross", "tax_rate", "currency", "bid_type", "bid_value", "bid_periods")
    read = {name: getattr(deal, name) for name in names}

    priced(deal, **read)

    assert {name: getattr(deal, name) for name in names} == read


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (None, "EUR", None),
        ("15000", "EUR", "15000.00"),
        ("15000.0000", "EUR", "15000.00"),
        ("1E+3", "EUR", "1000.00"),
        ("0", "EUR", "0.00"),
        ("-0", "EUR", "0.00"),
        ("5", "JPY", "5"),
        ("5.0000", "JPY", "5"),
        ("1.5", "KWD", "1.500"),
        # What a currency cannot have is shown all the same, should it ever be there.
        ("1.5", "JPY", "1.5"),
    ],
)
def test_how_an_amount_is_shown(amount, currency, text):
    assert formatted(amount and Decimal(amount), currency) == text
