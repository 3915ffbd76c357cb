"""The currencies of ISO 4217, without metals and test codes, which have no decimals."""

from collections.abc import Mapping

from iso4217 import Currency

# The number of decimals by code.
CURRENCY_DECIMALS: Mapping[str, int] = {
    currency.code: currency.exponent for currency in Currency if currency.exponent is not None
}
