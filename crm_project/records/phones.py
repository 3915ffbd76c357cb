"""Phone numbers in one form, whatever their spelling."""

import re


def normalize_phone(text: str, country: str) -> str:
    """The digits of a number without `(0)`, international prefix `00` and leading zeros.

    `country` is the ISO 3166 code of the country whose national numbers are typed without prefix; may be empty.
    """
    return re.sub("[^0-9]", "", re.sub(r"\(0+\)", "", text)).lstrip("0")
