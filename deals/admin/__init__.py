"""Deals and lost reasons in the admin."""

from deals.admin import deals, lost_reasons, work  # noqa: F401
