"""Counts of rows in words."""

import pytest
from django.contrib import admin
from django.utils import translation

from contacts.models import Contact
from crm_project.records.kinds import kinds
from crm_project.staff.counts import counted_of_all_kinds, counted_rows
from deals.models import Deal

SHOWN = {*admin.site._registry, *(kind.model for kind in kinds.values())}


@pytest.mark.parametrize("model", sorted(SHOWN, key=lambda model: model._meta.label), ids=str)
def test_a_count_has_the_name_of_its_model(model):
    names = model._meta

    assert counted_rows(model, 1) == f"1 {names.verbose_name}"
    assert counted_rows(model, 1_200) == f"1,200 {names.verbose_name_plural}"


def test_a_count_is_in_the_language_of_the_page():
    with translation.override("pl"):
        assert counted_rows(Deal, 1_200) == "1\u00a0200 szans sprzedaży"
        assert counted_rows(Deal, 2) == "2 szanse sprzedaży"


def test_rows_of_all_kinds():
    assert counted_of_all_kinds(1) == "1 row"
    assert counted_of_all_kinds(0) == "0 rows"
    assert counted_rows(Deal, 0) == "0 deals"
    assert counted_rows(Contact, 2) == "2 contacts"
