"""How many rows of a kind there are, in words: a sentence for each kind, since languages count differently."""

from django.db.models import Model
from django.utils.translation import ngettext

from crm_project.languages.figures import number
from crm_project.languages.names import counts_of


def counted_rows(model: type[Model], count: int) -> str:
    """`1 deal`, `1,200 deals`."""
    return ngettext(*counts_of(model), count) % {"count": number(count)}


def counted_of_all_kinds(count: int) -> str:
    """`1 row`, `1,200 rows`."""
    return ngettext("%(count)s row", "%(count)s rows", count) % {"count": number(count)}
