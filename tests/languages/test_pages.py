"""Every page of the admin is translated: read in a language of brackets, it has no text of ours outside of them."""

import re
import tempfile
from unittest import mock

import pytest
from django.contrib import admin
from django.db import models

from crm_project.accounts.countries import countries, languages, time_zones
from crm_project.accounts.models import Member
from tests.languages.pseudo import pseudo_language, untranslated
from tests.staff.base import action_url, add_url, change_url, list_url
from tests.staff.test_leaks import TENANT_MODELS, LeakTestCase, plain_urls

pytestmark = [pytest.mark.once, pytest.mark.slow]

# Proper names, formats and codes, which are the same in every language.
NAMES = (
    r"[A-Z]{3}|esc|msg_\w+|CSV|XLSX|UTF-8|API|URL|JSON|CRM|HubSpot|GET|POST|PATCH|ID|Ctrl|Esc|https?://\S+|\S+@\S+|"
    r"English|Français|Polski|Español|Italiano"
)


def stored_texts():
    """All texts of the rows, which are nobody's to translate."""
    for model in admin.site._registry:
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField | models.UUIDField | models.JSONField)
        ]
        for values in model._default_manager.values_list(*names):
            for value in values:
                yield from [value] if isinstance(value, str) else re.findall(r"\w+", str(value or ""))


class TranslatedTests(LeakTestCase):
    """Read by the admin, whose organization has rows of all kinds."""

    def setUp(self):
        super().setUp()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        code = self.enterContext(pseudo_language(folder))
        Member.objects.update(language=code)
        # Babel has the names of countries and languages, and none in this language.
        self.enterContext(mock.patch("crm_project.accounts.admin.operators._reader", return_value="en"))
        named = {*countries().values(), *languages().values()}
        texts = {text for text in stored_texts() if text.strip()} | time_zones() | named
        longest_first = sorted(texts, key=len, reverse=True)
        self.known = re.compile("|".join([*map(re.escape, longest_first), rf"\b(?:{NAMES})\b"]))
        self.sign_in(self.alice)

    def urls(self):
        yield from (url for url in plain_urls() if "jsi18n" not in url and "logout" not in url)
        for model in TENANT_MODELS:
            yield from (list_url(model), f"{list_url(model)}?q=000", add_url(model))
        for row in self.own.values():
            yield from (change_url(row), change_url(row).replace("/change/", "/history/"))
            for action in getattr(admin.site._registry[type(row)], "row_actions", ()):
                yield action_url(action.name, row)

    def test_no_page_has_a_text_that_is_not_translated(self):
        found = {}
        for url in dict.fromkeys(self.urls()):
            response = self.client.get(url)
            if "html" in response.headers.get("Content-Type", ""):
                for text in untranslated(response.content.decode(), self.known):
                    found.setdefault(text, url)

        assert not found, "\n".join(f"{url}: {text}" for text, url in sorted(found.items()))
