"""The values that several vendors write in the same way: instants, numbers, names, tags, custom fields."""

import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_project.dialects.kit.casts import custom_field_value, decimal_of, is_number
from crm_project.dialects.kit.deal_contacts import client_of, contact_of
from crm_project.dialects.kit.instants import format_instant
from crm_project.dialects.kit.names import split_name
from crm_project.dialects.kit.tags import tags_change, tags_of
from crm_project.records.models import CustomField
from tests.base import BaseTestCase
from tests.factories import CompanyFactory

INSTANT = datetime.datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=datetime.UTC)
WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"digits": 3}, "2026-03-01T10:00:00.123Z"),
        ({"digits": 6}, "2026-03-01T10:00:00.123456Z"),
        ({"digits": 7}, "2026-03-01T10:00:00.1234560Z"),
        ({"digits": 3, "zone": WARSAW}, "2026-03-01T11:00:00.123+01:00"),
        ({"digits": 3, "utc": "+00:00"}, "2026-03-01T10:00:00.123+00:00"),
    ],
)
def test_an_instant_has_the_digits_and_the_zone_of_the_vendor(options: Any, text: str) -> None:
    assert format_instant(INSTANT, **options) == text


def test_an_instant_of_a_whole_second_has_all_digits() -> None:
    assert format_instant(INSTANT.replace(microsecond=0), digits=3) == "2026-03-01T10:00:00.000Z"


def test_a_number_is_read_from_a_number_or_a_numeric_string() -> None:
    assert decimal_of(7) == 7
    assert decimal_of(" 1.5e+3 ") == 1500
    assert decimal_of("seven") is None
    assert [is_number(value) for value in (1, Decimal("1.5"), True, "1", None)] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ada King Lovelace", "Ada", "King Lovelace"),
        ("Ada", "Ada", ""),
        (" Ada Lovelace ", "Ada", "Lovelace"),
        ("", "", ""),
    ],
)
def test_a_name_is_split_at_its_first_space(name: str, first: str, last: str) -> None:
    assert split_name(name) == {"first_name": first, "last_name": last}


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        ("text", "7", "7"),
        ("number", " 7.50 ", Decimal("7.50")),
        ("number", "seven", "seven"),
        ("checkbox", "Yes", True),
        ("checkbox", "perhaps", "perhaps"),
        ("date", "today", "2026-03-01"),
        ("date", "one day", "one day"),
        ("multiselect", "red, blue", ["red", "blue"]),
        ("multiselect", "black, white", ["black, white"]),
    ],
)
def test_a_string_becomes_the_value_of_a_custom_field(type: str, text: str, value: Any) -> None:
    definition = CustomField(type=type, options=["red", "blue", "black, white"])

    read = custom_field_value(definition, text, booleans={"yes": True}, day_of={"today": "2026-03-01"}.get)

    assert read == value


@pytest.mark.parametrize("stored", [None, "red", ["red", 1], {"red": True}])
def test_a_value_of_another_type_is_not_a_list_of_tags(stored: Any) -> None:
    assert tags_of(SimpleNamespace(custom_fields={"tags": stored})) == []


def test_a_change_of_tags_removes_an_empty_list() -> None:
    assert tags_of(SimpleNamespace(custom_fields={"tags": ["red"]})) == ["red"]
    assert tags_change(["red"]) == {"custom_fields": {"tags": ["red"]}, "free_custom_fields": ["tags"]}
    assert tags_change([])["custom_fields"] == {"tags": None}


class TestDealContacts(BaseTestCase):
    def test_the_one_contact_of_a_deal(self) -> None:
        person, company = self.person(), CompanyFactory(actor=self.bob)

        both = self.deal(contact=person.pk, client=company.pk)
        only_contact, only_client = self.deal(contact=person.pk), self.deal(client=company.pk)

        assert [contact_of(deal) for deal in (both, only_contact, only_client)] == [person, person, company]
        assert [client_of(deal) for deal in (both, only_contact, only_client)] == [company, person, company]
        assert contact_of(self.deal()) is client_of(self.deal()) is None
