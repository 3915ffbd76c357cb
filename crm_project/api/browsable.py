"""The browsable API: pages for a developer, made of the declarations that the API itself uses.

DRF's own templates have inline styles and links to other hosts, which the Content-Security-Policy forbids.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.urls import Resolver404, get_script_prefix, resolve
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request, override_method

from crm_project.api.errors import field_of
from crm_project.api.sparse import sparse_parameters

# The first one that a row has names it.
NAMES = ("full_name", "name", "label", "external_id", "file_name", "email")
EMPTY_VALUES: Sequence[tuple[Any, Any]] = (
    (serializers.BooleanField, False),
    (serializers.IntegerField, 0),
    (serializers.ListField, []),
    (serializers.ChoiceField, ""),
    (serializers.CharField, ""),
)


class BrowsableRenderer(BrowsableAPIRenderer):
    """A page with the answer, its pager, a filter form, and a form with a JSON body for each write."""

    template = "api/browsable.html"

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Any
    ) -> dict[str, Any]:
        view, request, response = (renderer_context[name] for name in ("view", "request", "response"))
        page = data if isinstance(data, Mapping) else {}
        is_list = isinstance(page.get("results"), list)
        crumbs = breadcrumbs(request, page)
        return {
            "title": crumbs[-1][0] if crumbs else "API",
            "crumbs": crumbs,
            "description": self.get_description(view, response.status_code),
            "request": request,
            "response": response,
            "content": self.get_content(JSONRenderer(), data, accepted_media_type, renderer_context),
            "refusals": page.get("errors", ()) if response.status_code >= 400 else (),
            "next": page.get("next") if is_list else None,
            "previous": page.get("previous") if is_list else None,
            "rows": rows_of(view, page["results"]) if is_list else getattr(view, "index", dict)().items(),
            "fields": filter_fields(view, request, page),
            "links": links_of(view),
            "writes": self.writes(view, request, response, page),
        }

    def writes(
        self, view: Any, request: Request, response: Any, page: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """A form for each write that the member may send to this path, with a body to begin with."""
        # After another refusal than that of the method there is nothing to write to.
        if response.status_code >= 400 and response.status_code != 405:
            return []
        return [
            {
                "method": method,
                "body": ""
                if method == "DELETE"
                else json.dumps(body_for(view, method, page), indent=2, default=str, ensure_ascii=False),
            }
            for method in ("POST", "PUT", "PATCH", "DELETE")
            if method in view.allowed_methods and self.may_write(view, request, method)
        ]

    def may_write(self, view: Any, request: Request, method: str) -> bool:
        with override_method(view, request, method) as overridden:
            try:
                view.check_permissions(overridden)
            except APIException:
                return False
        return True


def body_for(view: Any, method: str, page: Mapping[str, Any]) -> dict[str, Any]:
    """The row's own writable values for a PATCH, an example for the creation of a row, else an empty object."""
    action = getattr(view, "action_map", {}).get(method.lower(), "")
    if action not in ("create", "partial_update"):
        return {}
    serializer = view.get_serializer()
    writable = {name: field for name, field in serializer.fields.items() if not field.read_only}
    if method == "PATCH":
        return values_of(page, writable)
    examples = getattr(type(serializer), "_spectacular_annotation", {}).get("examples", ())
    if examples:
        return dict(examples[0].value)
    return {name: empty_value(field) for name, field in writable.items() if field.required}


def values_of(page: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The values of the row by the names that a write has for them: `stage_id` for the id of `stage`."""
    values = {}
    for name in names:
        relation, _, key = name.rpartition("_")
        related = page.get(relation)
        if name in page:
            values[name] = page[name]
        elif key in ("id", "uuid") and isinstance(related, Mapping):
            values[name] = related[key]
    return values


def empty_value(field: Any) -> Any:
    return next((value for kind, value in EMPTY_VALUES if isinstance(field, kind)), None)


def filter_fields(view: Any, request: Request, page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An input for each query parameter that the operation documents, with its value and its refusal."""
    refused = {field_of(error): error["detail"] for error in page.get("errors", ()) if error["in"] == "query"}
    return [
        {
            "name": one["name"],
            "value": request.query_params.get(one["name"], ""),
            "hint": one.get("description", ""),
            "refusal": refused.get(one["name"], ""),
            **widget_of(one.get("schema", {})),
        }
        for one in documented_parameters(view)
        if one["name"] != "cursor"
    ]


def documented_parameters(view: Any) -> list[dict[str, Any]]:
    """The query parameters in the OpenAPI operation of a read: `{"name", "schema", "description"}` each."""
    sources = [
        *(view.filter_backends if getattr(view, "filters", False) else ()),
        *([view.pagination_class] if getattr(view, "pages", False) else ()),
    ]
    listed = [one for source in sources for one in source().get_schema_operation_parameters(view)]
    own = getattr(view, "action_parameters", {}).get(getattr(view, "action", None) or "", {})
    sparse = sparse_parameters(view) if hasattr(view, "sparse_actions") else {}
    return [
        *(
            {"name": name, "schema": schema, "description": schema.get("description", "")}
            for name, schema in {**own, **sparse}.items()
        ),
        *listed,
    ]


def widget_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The type of an input and its choices, by the schema of the parameter."""
    if schema.get("type") == "boolean":
        return {"type": "choice", "choices": ["true", "false"]}
    if "enum" in schema:
        return {"type": "choice", "choices": schema["enum"]}
    kind = "date" if schema.get("format") == "date" else "text"
    return {"type": kind, "choices": schema.get("examples", ())}


def rows_of(view: Any, results: list[Any]) -> list[tuple[str, str]]:
    """The name and the path of each row of a page that has a path of its own."""
    field = getattr(view, "lookup_field", "")
    if not hasattr(view, "location") or "retrieve" not in actions_beside(view):
        return []
    return [
        (name_of(row), f"{view.request.path.rstrip('/')}/{row[field]}")
        for row in results
        if isinstance(row, Mapping) and field in row
    ]


def actions_beside(view: Any) -> set[str]:
    """The actions of the path below this one, which names a row."""
    try:
        below = resolve(f"{view.request.path_info.rstrip('/')}/{sample_of(view)}")
    except Resolver404:
        return set()
    return set(getattr(below.func, "actions", {}).values())


def sample_of(view: Any) -> str:
    return "1" if view.lookup_field == "id" else "00000000-0000-0000-0000-000000000000"


def links_of(view: Any) -> list[tuple[str, str]]:
    """The name and the path of the other reads of this resource or row."""
    if not hasattr(view, "get_extra_action_url_map") or getattr(view, "action_map", None) is None:
        return []
    reads = [action for action in view.get_extra_actions() if "get" in action.mapping]
    names = {type(view)(**action.kwargs).get_view_name() for action in reads}
    return [(name, url) for name, url in view.get_extra_action_url_map().items() if name in names]


def breadcrumbs(request: Request, page: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parts of the path that have a page; the last one is named by the row that it shows."""
    prefix, crumbs, path = get_script_prefix().rstrip("/"), [], ""
    parts = request.path_info.strip("/").split("/")
    for part in parts:
        path = f"{path}/{part}"
        if getattr(resolve(path), "url_name", None):
            crumbs.append(("API" if path == "/api" else part.replace("-", " "), prefix + path))
    if crumbs and "results" not in page and any(name in page for name in ("uuid", "id")):
        crumbs[-1] = (name_of(page) or crumbs[-1][0], crumbs[-1][1])
    return crumbs


def name_of(row: Mapping[str, Any]) -> str:
    names = (str(row[name]) for name in (*NAMES, "uuid", "id") if row.get(name))
    return next(names, "")
