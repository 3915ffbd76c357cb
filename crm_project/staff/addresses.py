"""Addresses of pages of the admin, resolved once in a process: a page has more than a hundred links."""

from functools import cache
from typing import Any

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import get_script_prefix, reverse

# In a cached address, in the place of a row's id.
ROW_ID = "--row--"


def address_of(name: str, *arguments: str) -> str:
    """The address of a page whose arguments are not the ids of rows."""
    return _address(get_script_prefix(), name, *arguments)


def row_address(row: Any) -> str:
    """The page of a row, which may be a plain one."""
    return _row_address(get_script_prefix(), row._meta.model).replace(ROW_ID, str(quote(row.pk)))


@cache
def _address(prefix: str, name: str, *arguments: str) -> str:
    return reverse(name, args=arguments)


@cache
def _row_address(prefix: str, model: type[Model]) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[ROW_ID])
