"""The rows of an export in the background: those of a list of the API or of the admin, for its member, as of now.

The lists themselves filter and order, so that a file in the background holds what the list shows.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.accounts.reading import read_by
from crm_project.batches import in_batches
from crm_project.errors import DomainError
from crm_project.imports.exporting import BLOCK
from crm_project.imports.kinds import KINDS, import_kind
from crm_project.imports.models import Export

CHANGED = gettext_noop("The filters of this list are no longer valid. Export it again.")


def rows_of_api(export: Export, actor: Actor) -> Iterable[dict[str, Any]]:
    """Raises a DomainError if the parameters, which were valid, are so no longer: a custom field may be gone."""
    # Imported late: the views import the services.
    from crm_project.api.errors import InvalidQuery
    from crm_project.imports.api.views import rows_of_list

    try:
        return rows_of_list(export.kind, actor, QueryDict(export.query))
    except InvalidQuery:
        raise DomainError(CHANGED) from None


def rows_of_admin(export: Export, actor: Actor) -> Iterable[dict[str, Any]]:
    """The rows of the change list with the same query, whose figures are as the member writes them."""
    from django.contrib import admin
    from django.contrib.admin.options import IncorrectLookupParameters

    request = HttpRequest()
    request.method = "GET"
    request.GET = QueryDict(export.query)
    request.user = actor.member.user
    request.staff_actor = actor  # type: ignore[attr-defined]
    listing: Any = admin.site._registry[KINDS[export.kind].model]
    try:
        with read_by(actor.member):
            rows = listing.get_changelist_instance(request).get_queryset(request)
    except IncorrectLookupParameters:
        raise DomainError(CHANGED) from None
    return chain.from_iterable(in_batches(import_kind(export.kind, actor).for_export(rows), BLOCK))
