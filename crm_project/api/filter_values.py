"""The values of filters: form fields that refuse a text that they cannot read, instead of ignoring it."""

import datetime
import re
import uuid
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.dateparse import parse_datetime

from crm_project.api.fields import DAY, INSTANT, UUID
from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.emails import fold_email
from crm_project.records.rules import is_day
from crm_project.records.text import needles
from crm_project.records.writing.columns import BIGGEST_ID

# The values of one parameter; also the rows of a batch read by `uuid`.
MOST_VALUES = 100
NUMBER = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,4}0*)?")
INTEGER = re.compile(r"-?[0-9]{1,19}")


class StrictField(forms.Field):
    """A form field whose `read` parses the text; None stands for a text that is refused with `sentence`."""

    sentence = "This value is not valid."

    def to_python(self, value: Any) -> Any:
        if value in (None, ""):
            return None
        read = self.read(value)
        if read is None:
            raise forms.ValidationError(self.sentence)
        return read

    def read(self, text: str) -> Any:
        raise NotImplementedError


class TextValue(StrictField):
    sentence = "Must be a string."

    def read(self, text: str) -> str | None:
        return None if "\x00" in text else text


class SearchValue(TextValue):
    """A text with something to search for: without, it would find every row."""

    sentence = "Must have a character that is neither a space nor invisible."

    def read(self, text: str) -> str | None:
        return super().read(text) if needles(text) else None


class NumberValue(StrictField):
    sentence = "Must be a decimal number with at most four decimals."

    def read(self, text: str) -> Decimal | None:
        return Decimal(text) if NUMBER.fullmatch(text) else None


class IntegerValue(StrictField):
    sentence = "Must be an integer."

    def read(self, text: str) -> int | None:
        return int(text) if INTEGER.fullmatch(text) and abs(int(text)) <= BIGGEST_ID else None


class PercentValue(IntegerValue):
    sentence = "Must be an integer from 0 to 100."

    def read(self, text: str) -> int | None:
        number = super().read(text)
        return number if number is not None and 0 <= number <= 100 else None


class DaysValue(IntegerValue):
    sentence = "Must be an integer from 0 to 36500."

    def read(self, text: str) -> int | None:
        number = super().read(text)
        return number if number is not None and 0 <= number <= 36500 else None


class CurrencyValue(StrictField):
    sentence = "Must be an ISO 4217 currency code."

    def read(self, text: str) -> str | None:
        code = text.upper() if text.isascii() else text
        return code if code in CURRENCY_DECIMALS else None


class EmailValue(StrictField):
    """An e-mail address. One with a space is refused: a plus sign that was not escaped arrives as a space."""

    sentence = "Must be an e-mail address. A plus sign is written %2B in a URL."

    def read(self, text: str) -> str | None:
        email = fold_email(text.strip())
        try:
            validate_email(email)
        except ValidationError:
            return None
        return email


class UUIDValue(StrictField):
    sentence = "Must be a UUID."

    def read(self, text: str) -> uuid.UUID | None:
        return uuid.UUID(text) if UUID.fullmatch(text) else None


class BooleanValue(StrictField):
    sentence = "Must be true or false."

    def read(self, text: str) -> bool | None:
        return {"true": True, "false": False}.get(text)


class DayValue(StrictField):
    sentence = "Must be a date: YYYY-MM-DD."

    def read(self, text: str) -> datetime.date | None:
        return datetime.date.fromisoformat(text) if is_day(text) else None


class InstantValue(StrictField):
    """A date, which stands for the whole day in the organization's time zone, or an instant with its UTC offset."""

    sentence = "Must be a date, YYYY-MM-DD, or an instant with its UTC offset."

    def read(self, text: str) -> datetime.date | None:
        if DAY.fullmatch(text):
            return datetime.date.fromisoformat(text) if is_day(text) else None
        # A plus sign that is not escaped arrives as a space.
        text = text.replace(" ", "+")
        try:
            instant = parse_datetime(text) if INSTANT.fullmatch(text) else None
            return instant and instant.astimezone(datetime.UTC)
        except (ValueError, OverflowError):
            return None


class ChoiceValue(StrictField):
    """One of the choices."""

    def __init__(self, *, choices: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices
        self.sentence = f"Must be one of: {', '.join(choices)}."

    def read(self, text: str) -> str | None:
        return text if text in self.choices else None


class ValuesField(forms.Field):
    """One or more values, comma-separated: fixed words such as `none`, and values that the field `one` reads."""

    def __init__(
        self,
        *,
        one: StrictField,
        words: Collection[str] = (),
        split: bool = True,
        whole: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        """`split`: whether a comma separates values; a text of `whole` is one value in any case."""
        super().__init__(**kwargs)
        self.one, self.words, self.split, self.whole = one, words, split, whole

    def to_python(self, value: Any) -> list[Any]:
        is_one = not self.split or value in self.whole
        texts = [] if not value else [value] if is_one else value.split(",")
        if len(texts) > MOST_VALUES:
            raise forms.ValidationError(f"At most {MOST_VALUES} values.")
        return [text if text in self.words else self._read(text) for text in texts]

    def _read(self, text: str) -> Any:
        read = self.one.read(text) if text else None
        if read is None:
            raise forms.ValidationError(self.one.sentence)
        return read
