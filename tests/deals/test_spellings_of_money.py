"""Every money field × spellings of an amount, through the API, the form and the import: the exact value, or a refusal.

The dialects have theirs in `tests/dialects/test_money.py`.
"""

from decimal import Decimal
from typing import Any

import pytest

from deals.models import Deal
from deals.money import AMOUNT_FIELDS
from tests.api.client import ApiTestCase
from tests.imports.client import csv_file, imported
from tests.staff.base import StaffTestCase, add_url

LARGEST = "999999999999.99"
# What a text means in all three, or None if it is refused there; the form reads more of them.
TEXTS = {
    "12": "12",
    "12.5": "12.5",
    "12.50": "12.5",
    "12.500000": "12.5",
    "0.10": "0.1",
    "0": "0",
    "007": "7",
    LARGEST: LARGEST,
    "1000000000000": None,
    "12.345": None,
    "0.30000000000000004": None,
    "-1": None,
    "-0.01": None,
    "1e3": None,
    "1E3": None,
    "12.": None,
    ".5": None,
    "12,5": None,
    "1.000,50": None,
    "0x1F": None,
    "1_000": None,
    "１２": None,
    "١٢": None,
    "NaN": None,
    "Infinity": None,
    "twelve": None,
    "1/2": None,
    "--1": None,
}
# People type these; programs do not send them.
TYPED = {" 12 ": "12", "\u00a012": "12"}
# What a person types with a decimal comma has one meaning; a program shall send a point.
SIGNS = {"12,5": "12.5", "1.000,50": "1000.5"}
# A table and a person may group digits.
GROUPED = {"1,000": "1000", "1 000.50": "1000.5", "1\u202f000": "1000", "12,345,678.90": "12345678.9"}
NUMBERS: list[tuple[Any, str | None]] = [
    (12, "12"),
    (12.5, "12.5"),
    (0.1, "0.1"),
    (1e2, "100"),
    (0, "0"),
    (0.1 + 0.2, None),
    (12.345, None),
    (1e-7, None),
    (-1, None),
    (10**12, None),
    (True, None),
    ([], None),
    ({"amount": 1}, None),
    ("", None),
]


def beside(field: str) -> dict[str, Any]:
    """What the field needs."""
    return {"amount": {}, "amount_gross": {"amount": "0"}, "bid_value": {"bid_type": "hour"}}[field]


class ApiTests(ApiTestCase):
    def test_texts_and_numbers(self) -> None:
        values = [*TEXTS.items(), *((text, None) for text in [*TYPED, *GROUPED]), *NUMBERS]
        for field in AMOUNT_FIELDS:
            for currency, more in (("EUR", []), ("JPY", [("12.5", None)]), ("KWD", [("12.345", "12.345")])):
                sent = values if currency == "EUR" else more
                operations = [
                    {
                        "op": "create",
                        "data": {"name": "A", "currency": currency, **beside(field), field: value},
                    }
                    for value, _ in sent
                ]
                body = {"operations": operations, "atomic": False}
                results = self.as_bob.post("/api/deals/bulk", body).json()["results"] if sent else []
                for (value, meaning), result in zip(sent, results, strict=True):
                    with self.subTest(field=field, currency=currency, value=value):
                        if meaning is None:
                            pointers = {error["pointer"] for error in result["error"]["errors"]}
                            assert {pointer.rpartition("/data/")[2] for pointer in pointers} == {field}
                        else:
                            assert Decimal(result["deal"][field]) == Decimal(meaning)


class ImportTests(ApiTestCase):
    def test_cells(self) -> None:
        meanings = TEXTS | TYPED | GROUPED
        for field in AMOUNT_FIELDS:
            header = ("external_id", "name", *beside(field), field)
            lines = [(f"{field} {n}", "A", *beside(field).values(), text) for n, text in enumerate(meanings)]
            options = {"decimal": ".", "bad_rows": "skip"}
            result = imported(self.as_bob, "deals", csv_file(header, *lines), options=options)
            refused = {row["line"]: row["errors"][0]["field"] for row in result["refused"]}
            stored = dict(Deal.objects.values_list("references__external_id", field))
            for number, (text, meaning) in enumerate(meanings.items()):
                with self.subTest(field=field, text=text):
                    assert refused.get(number + 2) == (None if meaning else field)
                    assert stored.get(f"{field} {number}") == (Decimal(meaning) if meaning else None)


class FormTests(StaffTestCase):
    @pytest.mark.slow
    def test_typed_amounts(self) -> None:
        """The same text in all three fields, which then agree."""
        meanings = TEXTS | TYPED | GROUPED | SIGNS
        url = add_url(Deal)
        plain = self.form(url)
        for text, meaning in meanings.items():
            with self.subTest(text=text):
                typed = {"name": f"{text!a}", "bid_type": "hour", **dict.fromkeys(AMOUNT_FIELDS, text)}
                response = self.client.post(url, {**plain, **typed})
                if meaning is None:
                    errors = response.context["adminform"].form.errors.keys()
                    # The decimals of a product are those of its factor.
                    assert errors & {"amount_gross", "bid_value"}
                    assert errors <= {*AMOUNT_FIELDS}
                else:
                    deal = Deal.objects.get(name=typed["name"])
                    assert {getattr(deal, field) for field in AMOUNT_FIELDS} == {Decimal(meaning)}
