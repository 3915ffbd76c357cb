"""Normalization of phone numbers: all spellings of a number have one form."""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber

EXTENSION = "x"


def normalize_phone(text: str, country: str) -> str:
    """`01 55 96 02 43` in FR → `+33155960243`, an extension as `x12`; a text that is no number → its digits.

    `country` is the ISO 3166 code of the country whose national numbers are typed without prefix; may be empty.
    """
    number = parse_phone(text, country)
    if number is None:
        return _digits(text)
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain}{EXTENSION}{number.extension}" if number.extension else plain


def phone_forms(text: str, country: str) -> list[str]:
    """The digits of a number that a search compares: in international form, and as dialled within its country."""
    number = parse_phone(text, country)
    if number is None:
        return [_digits(text)]
    international = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return [international, _digits(national.partition(" ext")[0])]


def parse_phone(text: str, country: str) -> PhoneNumber | None:
    """The number that a text is, if it has a possible length. `00` is an international prefix everywhere."""
    typed = "".join(character for character in text if unicodedata.category(character) != "Cf")
    plus = re.match(r"\s*(?:00|\(00\))", typed)
    spellings = [typed, *([f"+{typed[plus.end() :]}"] if plus else [])]
    for spelling in spellings:
        try:
            number = phonenumbers.parse(spelling, country or None)
        except NumberParseException:
            continue
        if phonenumbers.is_possible_number(number):
            return number
    return None


def _digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(character)) for character in text if character.isdecimal())
