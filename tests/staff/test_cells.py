"""Lists and widgets that we render ourselves have the HTML of Django's and of the theme's, for less work."""

import re

from django import forms
from django.contrib import admin
from django.contrib.admin.templatetags.admin_list import items_for_result
from django.test import SimpleTestCase
from django.utils import translation
from django.utils.html import escape
from unfold import widgets

from contacts.models import Contact
from crm_project.accounts.models import User
from crm_project.activities.models import Activity
from crm_project.languages.caching import cached_by_language
from crm_project.staff import inputs
from deals.models import Deal
from tests.factories import CustomFieldFactory
from tests.staff.base import StaffTestCase, list_url
from tests.staff.test_query_counts import COUNTS, fill

LABEL = re.compile(r' data-label="[^"]*"')
ROW = re.compile(r'<tr class="data-row">(.*?)</tr>', re.DOTALL)
NAME = "<b>\"R&D\"</b> 'x'"


class CellTests(StaffTestCase):
    def setUp(self):
        self.sign_in(self.alice)

    def test_the_cells_of_every_list_are_those_of_django(self):
        fill(self, 3)
        self.deal(name=NAME, is_private=True, owner=None)
        self.person(first_name=NAME, last_name="", email="")
        lists = [model for model in admin.site._registry if model._meta.label_lower in COUNTS]
        for model in [*lists, User]:
            self.sign_in(self.operator if model is User else self.alice)
            self.check(list_url(model), is_filled=model in (Deal, Contact, Activity, User))
        for url in (f"{list_url(Deal)}?status=open&o=-2", f"{list_url(Contact)}?q=r&_popup=1"):
            self.sign_in(self.alice)
            self.check(url, is_filled=False)

    def check(self, url, *, is_filled):
        """Compare each row with the cells that Django makes of a model's instance."""
        response = self.client.get(url)
        cl, rows = response.context["cl"], ROW.findall(response.content.decode())
        assert len(rows) == len(cl.result_list), url
        assert rows or not is_filled, url
        for html, row in zip(rows, cl.result_list, strict=True):
            instance = cl.queryset.get(pk=row.pk)
            expected = "".join(str(cell) for cell in items_for_result(cl, instance, None))
            assert LABEL.sub("", html) == LABEL.sub("", expected), url

    def test_a_fixed_filter_has_the_language_of_the_reader(self):
        pages = []
        for language in ("en", "fr", "en"):
            self.alice.member.language = language
            self.alice.member.save()
            pages.append(self.page(list_url(Deal)))

        assert "<legend>Status</legend>" in pages[0]
        assert "<legend>Statut</legend>" in pages[1]
        assert "<legend>Status</legend>" in pages[2]

    def test_a_filter_in_use_does_not_mark_those_of_other_requests(self):
        for query, selected in (("", ""), ("?status=won", "won"), ("", "")):
            select = re.search(
                r'<select name="status".*?</select>', self.page(list_url(Deal) + query), re.DOTALL
            )
            assert re.findall(r'value="(\w*)" selected', select[0]) == [selected]

    def test_a_filter_of_a_custom_field_has_the_present_options(self):
        for options in (["a", "b"], ["c"]):
            CustomFieldFactory(actor=self.alice, key=f"size_{options[0]}", type="select", options=options)
            assert f'<option value="{options[-1]}">' in self.page(list_url(Deal))


class WidgetTests(SimpleTestCase):
    def same(self, own, theirs, value):
        attrs = {"id": "id_a", "required": True, "aria-label": NAME}
        assert tags(own.render("a", value, attrs)) == tags(theirs.render("a", value, attrs))

    def test_a_select_is_that_of_the_theme(self):
        choices = [
            ("", "All"),
            (None, "None"),
            (1, NAME),
            ("1", "again"),
            ("Group", [(2, "Two"), (3, "Three")]),
        ]
        for value in (None, "", 1, "1", 3, "missing", NAME):
            self.same(inputs.Select(choices=choices), widgets.UnfoldAdminSelectWidget(choices=choices), value)

    def test_an_input_is_that_of_the_theme(self):
        for value in (None, "", NAME, 0):
            for attrs in (None, {"class": "crm-short", "placeholder": NAME}, {"suffix": "%"}):
                self.same(inputs.TextInput(attrs), widgets.UnfoldAdminTextInputWidget(attrs), value)

    def test_an_input_of_a_day_is_that_of_the_browser(self):
        form = forms.Form({"a": "2024-01-31"})
        form.fields["a"] = inputs.Day()

        assert '<input type="date" name="a" value="2024-01-31"' in str(form["a"])


def tags(html):
    """Tags with their attributes in a fixed order, and texts, without the white space of templates."""
    parts = re.findall(r"<[^>]*>|[^<]+", html)
    return [sorted(re.findall(r'[\w:-]+="[^"]*"|[^\s<>]+', part)) for part in parts if part.strip()]


class CachedTextTests(SimpleTestCase):
    def test_a_text_is_made_once_for_each_language(self):
        made = []

        @cached_by_language
        def text(number):
            made.append(number)
            return escape(number)

        for language in ("en", "fr", "en", "fr"):
            with translation.override(language):
                assert [text(1), text(2)] == ["1", "2"]

        assert made == [1, 2, 1, 2]
