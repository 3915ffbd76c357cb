"""The webhooks of the OpenAPI document: each type of message with the schema of its body."""

from typing import Any

from crm_project.api.schema import CanonicalGenerator
from crm_project.journal.event_types import known_types
from crm_project.webhooks.formats import TEST_TYPE

COMPONENT = "WebhookMessage"
MESSAGE = {
    "type": "object",
    "description": "The body of a message in the format `crm`.",
    "required": ["type", "timestamp", "data"],
    "properties": {
        "type": {"type": "string", "description": "The most specific type of the event."},
        "timestamp": {"type": "string", "format": "date-time", "description": "The time of the event."},
        "data": {"$ref": "#/components/schemas/Event"},
    },
}
TEST = {
    "type": "object",
    "required": ["type", "timestamp", "data"],
    "properties": {
        "type": {"type": "string", "const": TEST_TYPE},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": {"type": "object", "maxProperties": 0},
    },
}
# The headers of Standard Webhooks.
HEADERS = [
    {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }
    for name, description in (
        ("webhook-id", "The same for every try of the message, for receivers to know it again."),
        ("webhook-timestamp", "The time of this try, in seconds since 1970."),
        (
            "webhook-signature",
            "`v1,` and the signature; two of them, separated by a space, during a rotation.",
        ),
    )
]
RESPONSES = {
    "2XX": {"description": "The message has arrived."},
    "410": {"description": "The endpoint is gone: it is paused, and nothing more is sent."},
    "default": {"description": "Not delivered: it is tried again. Redirects are not followed."},
}


def add_webhooks(result: dict[str, Any], generator: Any, **_: Any) -> dict[str, Any]:
    """A post-processing hook of the canonical document."""
    if not isinstance(generator, CanonicalGenerator):
        return result
    result["components"]["schemas"][COMPONENT] = MESSAGE
    bodies = {name: _body(name) for name in known_types()}
    result["webhooks"] = {
        name: {"post": _operation(name, body)} for name, body in {**bodies, TEST_TYPE: TEST}.items()
    }
    return result


def _body(name: str) -> dict[str, Any]:
    kind, _, _ = name.partition(".")
    event = {"properties": {"kind": {"const": kind}, "type": {"const": name}}}
    own = {"type": "object", "properties": {"type": {"const": name}, "data": event}}
    return {"allOf": [{"$ref": f"#/components/schemas/{COMPONENT}"}, own]}


def _operation(name: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": f"webhook_{name.replace('.', '_')}",
        "summary": "A test message" if name == TEST_TYPE else f"An event whose most specific type is {name}",
        "tags": ["webhooks"],
        "parameters": HEADERS,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": RESPONSES,
    }
