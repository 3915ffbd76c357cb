"""The base view of both generations."""

from crm_project.dialects.kit.views import DialectView
from crm_project.dialects.xalantis import errors


class XalantisView(DialectView):
    system = "xalantis"
    answer = staticmethod(errors.answer)
    error_schema = errors.SCHEMA

    def key_reused(self) -> Exception:
        return errors.IdempotencyConflict()
