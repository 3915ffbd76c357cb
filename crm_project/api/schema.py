"""The OpenAPI document: what every operation has besides its own."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from crm_project.api.errors import MEDIA_TYPE, TITLES

PROBLEM = {
    "type": "object",
    "description": "A refusal, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail", "code", "errors", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable; made for programs."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "pointer", "code", "detail"],
                "properties": {
                    "in": {"type": "string", "enum": ["body", "query"]},
                    "pointer": {"type": "string", "description": "A JSON pointer to the wrong field."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "request_id": {"type": "string"},
        "count": {"type": "integer", "description": "How many rows stand in the way (in_use)."},
        "candidates": {
            "type": "array",
            "description": "What an upsert could have meant (ambiguous_match).",
            "items": {
                "type": "object",
                "required": ["uuid", "name"],
                "properties": {"uuid": {"type": "string", "format": "uuid"}, "name": {"type": "string"}},
            },
        },
    },
}
READING = (400, 401, 403, 404, 405, 429, 503)
WRITING = (*READING, 409, 413, 415)


class Schema(AutoSchema):
    """Lists exactly the parameters that the view accepts, and the problems of each operation as one component."""

    def get_override_parameters(self) -> list[Any]:
        declared = getattr(self.view, "action_parameters", {}).get(getattr(self.view, "action", ""), {})
        return [OpenApiParameter(name, type=schema) for name, schema in declared.items()]

    def get_filter_backends(self) -> Any:
        return getattr(self.view, "filter_backends", []) if getattr(self.view, "filters", False) else []

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status in WRITING if self.method in ("POST", "PUT", "PATCH", "DELETE") else READING:
            bodies[str(status)] = {
                "description": TITLES[status],
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        return dict(sorted(bodies.items()))


def add_problem(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A post-processing hook: the component that every operation's problems refer to."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    return result
