"""The languages of the staff pages and of mails. The API and the dialects always answer in English."""

from django.conf import settings

DEFAULT = "en"
# By code, each under its own name.
LANGUAGES = {"en": "English", "fr": "Français", "pl": "Polski", "es": "Español", "it": "Italiano"}
# Those with a catalogue.
TRANSLATED = tuple(code for code in LANGUAGES if code != DEFAULT)


def nearest(tag: str) -> str:
    """The language of the pages for a tag such as `fr-CA`; English for one that there is none for."""
    code = tag.partition("-")[0].lower()
    return code if code in dict(settings.LANGUAGES) else DEFAULT
