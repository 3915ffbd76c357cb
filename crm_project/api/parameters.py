"""The check of query parameters: a view accepts what its OpenAPI operation lists, and names every wrong one at once."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from django.db.models.functions import Left
from rest_framework.exceptions import ErrorDetail

from crm_project.api.dispatch import WRITE_PARAMETERS, writes
from crm_project.api.errors import InvalidQuery
from crm_project.api.filters import CUSTOM_PREFIX, custom_definitions
from crm_project.api.sparse import sparse_errors, sparse_parameters
from crm_project.errors import KNOWN, NotFound
from crm_project.records.expressions import CustomValue
from crm_project.records.models import CustomField
from crm_project.records.paging import Key

if TYPE_CHECKING:
    from crm_project.api.views import ScopedView

# Accepted by every operation, so that a client can send them with all of its requests.
COMMON_PARAMETERS = frozenset({"cursor", "page_size", "total", "format", "deleted"})
# A text of several lines is sorted by its first characters: a cursor with all of it would exceed a request line.
SORTED_BY = 255


def known_parameters(view: "ScopedView") -> frozenset[str]:
    """The names that the operation's OpenAPI entry lists."""
    operation = (type(view), view.action, writes(view.request))
    if operation not in _known:
        _known[operation] = _listed_parameters(view)
    return _known[operation]


# By the operation: its view, action, and whether it writes.
_known: dict[tuple[Any, ...], frozenset[str]] = {}


def _listed_parameters(view: "ScopedView") -> frozenset[str]:
    sources = [
        *(view.filter_backends if view.filters else ()),
        *([view.pagination_class] if view.pages else ()),
    ]
    listed = {entry["name"] for source in sources for entry in source().get_schema_operation_parameters(view)}
    always = WRITE_PARAMETERS if writes(view.request) else frozenset()
    own = view.action_parameters.get(view.action or "", {}).keys()
    return frozenset({*listed, *always, *own, *sparse_parameters(view)})


def check_parameters(view: "ScopedView") -> None:
    """Refuse unknown, repeated and empty parameters; InvalidQuery names all of them."""
    query = view.request.query_params
    known = known_parameters(view)
    custom = getattr(view.filterset_class, "custom_kind", "") and view.filters
    errors: dict[str, Any] = {}
    for name, values in query.lists():
        if (
            name not in known
            and name not in COMMON_PARAMETERS
            and not (custom and name.startswith(CUSTOM_PREFIX))
        ):
            errors[name] = [_unknown(known)]
        elif len(values) > 1:
            errors[name] = ["Send this parameter only once."]
        elif not values[0]:
            # An empty filter is more likely a mistake than a wish for all rows.
            errors[name] = ["A value is missing."]
        elif "\x00" in values[0]:
            errors[name] = ["Must not contain NUL characters."]
    errors |= {name: wrong for name, wrong in sparse_errors(view).items() if name not in errors}
    if query.get("deleted", "only") != "only":
        errors["deleted"] = ["Must be only."]
    if query.get("format", "json") not in ("json", "api"):
        errors["format"] = ["Must be json or api."]
    if errors:
        raise InvalidQuery(errors)


def with_other_errors(view: "ScopedView", error: InvalidQuery) -> InvalidQuery:
    """The error together with those of the parameters that had not been read when it was raised."""
    wrong: dict[str, Any] = {}
    for check in (_check_own, _check_page, _check_filters, check_parameters):
        try:
            check(view)
        except InvalidQuery as other:
            wrong |= cast(dict[str, Any], other.detail)
        except NotFound:
            pass
    return InvalidQuery({**wrong, **cast(dict[str, Any], error.detail)})


def _check_own(view: "ScopedView") -> None:
    view.check_own_parameters(view.request)


def _check_page(view: "ScopedView") -> None:
    if view.pages:
        view.pagination_class().parameters(view.request, view)


def _check_filters(view: "ScopedView") -> None:
    if view.filters:
        view.filter_queryset(view.get_queryset())


def custom_orderings(view: "ScopedView") -> Mapping[str, Key]:
    """The sort keys of the organization's custom fields, if the request asks for one of them."""
    kind = getattr(view.filterset_class, "custom_kind", "")
    if not kind or CUSTOM_PREFIX not in view.request.query_params.get("ordering", ""):
        return {}
    return {
        f"{CUSTOM_PREFIX}{key}": Key(_sortable(row), nullable=True)
        for key, row in custom_definitions(view.actor, kind).items()
        if row.type != "multiselect"
    }


def _sortable(definition: CustomField) -> Any:
    value = CustomValue(definition.key, definition.type)
    return Left(value, SORTED_BY) if definition.type == CustomField.Types.TEXTAREA else value


def _unknown(known: frozenset[str]) -> ErrorDetail:
    names = ", ".join(sorted(known | COMMON_PARAMETERS))
    return ErrorDetail(f"There is no such parameter.{KNOWN}{names}.", "unknown_parameter")
