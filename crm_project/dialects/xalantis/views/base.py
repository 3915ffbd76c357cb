"""The base view of both generations."""

from collections.abc import Mapping
from typing import Any

from crm_project.dialects.kit.deal_writes import DealWritesView
from crm_project.dialects.kit.views import DialectView
from crm_project.dialects.xalantis import errors
from deals.models import Deal


class XalantisView(DialectView):
    system = "xalantis"
    answer = staticmethod(errors.answer)
    error_schema = errors.SCHEMA
    more_refusals = frozenset({422})

    def key_reused(self) -> Exception:
        return errors.IdempotencyConflict()


class XalantisDealWritesView(DealWritesView, XalantisView):
    """Base of the views that create deals with their contacts."""

    def create_deal(self, change: Mapping[str, Any]) -> Deal:
        """Report the fields of a contact that was found: it stays as it is."""
        deal = super().create_deal(change)
        prefix = "contact_"
        for name in ("contact_first_name", "contact_last_name", "contact_phone"):
            if change.get(name) and change[name] != getattr(deal.contact, name.removeprefix(prefix), None):
                self.ignore([name])
        return deal
