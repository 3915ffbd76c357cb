"""The OpenAPI document: the parameters and responses that all operations share."""

import json
import threading
from typing import Any, Literal

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from crm_project.api import idempotency
from crm_project.api.dispatch import DispatchView
from crm_project.api.errors import ERRORS_LIMIT, MEDIA_TYPE, TITLES
from crm_project.api.limits import HEADER, POLICY_HEADER
from crm_project.api.preferences import PREFERENCE_APPLIED
from crm_project.api.sparse import sparse_parameters

PROBLEM = {
    "type": "object",
    "description": "An error, as problem details of RFC 9457.",
    "required": ["type", "title", "status", "detail", "code", "errors", "errors_total", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "The page that describes the code: `/api/problems/<code>`; of `quota_exceeded` the"
            " registered type.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable, for programs."},
        "errors": {
            "type": "array",
            "maxItems": ERRORS_LIMIT,
            "description": "The first errors. The names of all known fields or parameters are in one of them.",
            "items": {
                "type": "object",
                "required": ["in", "pointer", "code", "detail"],
                "properties": {
                    "in": {"type": "string", "enum": ["body", "query"]},
                    "pointer": {
                        "type": "string",
                        "description": "A JSON pointer, or a parameter after a slash.",
                    },
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "errors_total": {"type": "integer", "description": "The number of all errors."},
        "request_id": {"type": "string"},
        "rows": {
            "type": "array",
            "description": "The problem of each refused operation, with its index (rows_refused).",
            "items": {"type": "object"},
        },
        "changes": {
            "type": "array",
            "description": "The changes since the version in If-Match (precondition_failed).",
            "items": {
                "type": "object",
                "required": ["at", "user", "action", "fields"],
                "properties": {
                    "at": {"type": "string", "format": "date-time"},
                    "user": {
                        "type": ["object", "null"],
                        "required": ["uuid", "full_name"],
                        "properties": {
                            "uuid": {"type": "string", "format": "uuid"},
                            "full_name": {"type": "string"},
                        },
                    },
                    "action": {"type": "string"},
                    "fields": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
        "permission": {"type": "string", "description": "The permission that is missing (forbidden)."},
        "required": {
            "type": "string",
            "description": "The scopes that the token lacks, separated by spaces (forbidden).",
        },
        "count": {"type": "integer", "description": "The number of rows that prevent the deletion (in_use)."},
        "conflicts": {
            "type": "array",
            "description": "The fields that have been changed since, by row (undo_conflict).",
            "items": {
                "type": "object",
                "required": ["kind", "row", "fields"],
                "properties": {
                    "kind": {"type": "string"},
                    "row": {"type": "string", "format": "uuid"},
                    "name": {"type": "string", "description": "The name of one of the first 100 rows."},
                    "fields": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
        "epoch": {"type": "string", "format": "uuid", "description": "Of the feed (position_unknown)."},
        "last": {"type": "integer", "description": "The feed's last position (position_unknown)."},
        "import": {
            "type": "string",
            "format": "uuid",
            "description": "The import that undoes this event (import_undo).",
        },
        "violated-policies": {
            "type": "array",
            "description": "The names of the limits that are used up (quota_exceeded).",
            "items": {"type": "string"},
        },
        "candidates": {
            "type": "array",
            "description": "The rows that the upsert matches (ambiguous_match).",
            "items": {
                "type": "object",
                "required": ["uuid", "name"],
                "properties": {"uuid": {"type": "string", "format": "uuid"}, "name": {"type": "string"}},
            },
        },
    },
}
# The headers of responses, as components.
HEADERS = {
    POLICY_HEADER: {
        "description": "The limits of this client: `q` requests in `w` seconds. Absent where they are switched off.",
        "schema": {"type": "string", "examples": ['"token";q=1000;w=60, "organization";q=5000;w=60']},
    },
    HEADER: {
        "description": "What is left of each limit: `r` requests until its window ends in `t` seconds.",
        "schema": {"type": "string", "examples": ['"token";r=999;t=42, "organization";r=4990;t=13']},
    },
    "Retry-After": {
        "description": "Seconds to wait before the next request.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Location": {
        "description": "The path of the row.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    PREFERENCE_APPLIED: {
        "description": "The preference that the server followed.",
        "schema": {"type": "string", "examples": ["wait=10"]},
    },
}
# The statuses of refusals with a time to wait.
WAITING = (429, 503)
# A client that has read the path in this document gets no 405.
READING = (400, 401, 403, 404, 413, 429, 503)
WRITING = (*READING, 409, 415, 422)
# If-Match has the version of one row; these take the expected versions in the body.
CONDITIONAL_LISTS = frozenset({"bulk"})
WRITES = ("POST", "PUT", "PATCH", "DELETE")
# The summaries of common actions; other actions have their own.
SUMMARIES = {
    "list": "List {many}",
    "create": "Create {one}",
    "retrieve": "Show {one}",
    "partial_update": "Change {one}",
    "destroy": "Delete {one}",
}
IDEMPOTENCY_KEY = OpenApiParameter(
    idempotency.HEADER,
    {"type": "string", "minLength": 1, "maxLength": idempotency.LENGTH_LIMIT},
    OpenApiParameter.HEADER,
    description="A key that you choose for this write. For 72 hours the same request with the same key gets the same"
    " response, byte for byte, and is not carried out again.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the row as you read it: 412 if the row has changed since.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of your copy: 304 without a body if it is current.",
)
DRY_RUN = OpenApiParameter(
    "dry_run",
    {"type": "boolean", "default": False},
    description="Returns the response of the write without carrying it out.",
)
ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description='A strong tag: `"<version>-<digest>"`. If-Match compares the version, If-None-Match the whole tag.',
)
CUSTOM_FIELDS = OpenApiParameter(
    "custom_fields",
    {
        "type": "object",
        "patternProperties": {
            "^custom_[a-z][a-z0-9]*(_[a-z0-9]+)*$": {"type": "string"},
        },
        "additionalProperties": False,
    },
    style="form",
    explode=True,
    description="One query parameter for each property: `custom_<key>` has the value, or several, of the custom field"
    " `<key>`; `custom_<key>_not` is for the other rows, `custom_<key>_empty` is true or false;"
    " `custom_<key>_min` and `_max` bound a number, `custom_<key>_after` and `_before` a date, both included.",
)
REPLAYED = OpenApiParameter(
    idempotency.REPLAYED,
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    response=[200, 201, 204, 207],
    description="The response is that of an earlier request with the same key.",
)


class Schema(AutoSchema):
    """Lists exactly the parameters that the view accepts; all problems refer to one component."""

    def get_summary(self) -> str | None:
        """The action's own summary, or one made of the name of the resource in the path."""
        many = self.get_tags()[0].replace("-", " ")
        one = f"{'an' if many[0] in 'aeio' else 'a'} {many.removesuffix('s')}"
        known = "" if hasattr(self.view, "system") else SUMMARIES.get(getattr(self.view, "action", ""), "")
        return super().get_summary() or known.format(many=many, one=one) or None

    def get_description(self) -> str:  # type: ignore[override]
        """The view's own, and what the request counts in the rate limits."""
        return "\n\n".join(part for part in (super().get_description(), _cost_text(self.view)) if part)

    def get_override_parameters(self) -> list[Any]:
        declared = getattr(self.view, "action_parameters", {}).get(getattr(self.view, "action", ""), {})
        own = [_parameter(name, **schema) for name, schema in declared.items()]
        if not isinstance(self.view, DispatchView):
            return own
        own += [_parameter(name, **schema) for name, schema in sparse_parameters(self.view).items()]
        filters = (
            getattr(self.view, "filterset_class", None) if getattr(self.view, "filters", False) else None
        )
        own += [CUSTOM_FIELDS] if getattr(filters, "custom_kind", "") else []
        if self.method not in WRITES:
            return [*own, IF_NONE_MATCH, ETAG]
        condition = [IF_MATCH] if self.conditional else []
        return [*own, DRY_RUN, IDEMPOTENCY_KEY, *condition, ETAG, REPLAYED]

    @property
    def conditional(self) -> bool:
        """Whether the operation compares a version."""
        actions = getattr(self.view, "conditional_actions", ())
        return self.method in WRITES and getattr(self.view, "action", "") in actions

    def get_filter_backends(self) -> Any:
        return getattr(self.view, "filter_backends", []) if getattr(self.view, "filters", False) else []

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        bodies = self.success_bodies(direction)
        if self.method == "GET" and isinstance(self.view, DispatchView):
            bodies["304"] = {"description": "The copy with the ETag in If-None-Match is current."}
        for status in self.problem_statuses():
            bodies[str(status)] = {"description": TITLES[status], "content": self.problem_content(status)}
        for status, body in bodies.items():
            if names := _header_names(self.view, int(status)):
                found = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
                body["headers"] = {**body.get("headers", {}), **found}
        return dict(sorted(bodies.items()))

    def success_bodies(self, direction: Literal["request", "response"]) -> Any:
        return super()._get_response_bodies(direction)

    def problem_statuses(self) -> tuple[int, ...]:
        """The statuses of the operation's refusals."""
        action = getattr(self.view, "action", "")
        may_be_stale = self.conditional or action in CONDITIONAL_LISTS
        statuses: tuple[int, ...] = (
            (*WRITING, 412) if may_be_stale else WRITING if self.method in WRITES else READING
        )
        if not self.names_a_row:
            statuses = tuple(status for status in statuses if status != 404)
        return (*statuses, *getattr(self.view, "refused_reads", {}).get(action, ()))

    @property
    def names_a_row(self) -> bool:
        """Whether path or body may name a row that does not exist, which is then a 404."""
        return "{" in self.path or getattr(self.view, "action", "") == "upsert"

    def problem_content(self, status: int) -> dict[str, Any]:
        """The body of a refusal with this status."""
        return {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _header_names(view: Any, status: int) -> list[str]:
    """The headers of an authenticated request, which is counted, the time to wait, and those of the view."""
    if not isinstance(view, DispatchView):
        return []
    is_counted = bool(getattr(view, "authentication_classes", ())) and (status < 400 or status == 429)
    own = view.documented_headers.get(getattr(view, "action", None) or "", {}).get(status, ())
    return [
        *([POLICY_HEADER, HEADER] if is_counted else []),
        *(["Retry-After"] if status in WAITING else []),
        *own,
    ]


def _cost_text(view: Any) -> str:
    """What a request of the view's action counts, if not one."""
    action = getattr(view, "action", None) or ""
    if not isinstance(view, DispatchView):
        return ""
    counts = view.costs.get(action, 1)
    declared = {*getattr(view, "action_parameters", {}).get(action, {}), *(["total"] if view.pages else [])}
    added = {name: units for name, units in view.parameter_costs.items() if name in declared}
    rows = view.rows_per_unit.get(action)
    parts = [f"counts as {counts} requests"] if counts > 1 else []
    parts += [f"`{name}` adds {units}" for name, units in added.items()]
    parts += [f"each {rows} operations add one"] if rows else []
    return f"In the rate limits: {', '.join(parts)}." if parts else ""


def _parameter(name: str, *, description: str = "", **schema: Any) -> OpenApiParameter:
    return OpenApiParameter(name, type=schema, description=description)


def add_problem(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A post-processing hook: the components that every operation's problems and headers refer to."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    used = json.dumps(result["paths"], default=str)
    result["components"]["headers"] = {
        name: header for name, header in HEADERS.items() if f'"#/components/headers/{name}"' in used
    }
    return result


class CanonicalEndpoints(EndpointEnumerator):
    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        """Dialects have documents of their own."""
        is_canonical = not getattr(callback.cls, "system", "") if hasattr(callback, "cls") else True
        return is_canonical and bool(super().should_include_endpoint(path, callback))


class OneAtATime(SchemaGenerator):
    """Builds one document at a time: drf-spectacular loads its extensions with the first, which is not thread-safe."""

    lock = threading.Lock()

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        with self.lock:
            # The library is typed in part; its generator is not.
            return super().get_schema(request=request, public=public)  # type: ignore[no-untyped-call]


class CanonicalGenerator(OneAtATime):
    """Generates the document of the canonical API."""

    endpoint_inspector_cls = CanonicalEndpoints
