"""Gunicorn's threaded worker, whose own refusals are problems (RFC 9457) like those of the API."""

import json
import logging
import uuid
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

log = logging.getLogger("crm.request")

# Of requests that cannot be read no path is known, so every one of them is answered like one of the API.
STATUSES = {
    errors.LimitRequestLine: (414, "uri_too_long", "The request line is longer than 8190 bytes."),
    errors.LimitRequestHeaders: (431, "headers_too_large", "The headers are too many or too long."),
    errors.ExpectationFailed: (417, "invalid", "The Expect header names something other than 100-continue."),
    errors.UnsupportedTransferCoding: (501, "invalid", "The transfer coding is not supported."),
    errors.ConfigurationProblem: (500, "internal_error", "The server made a mistake; it has been noted."),
    errors.ParseException: (400, "invalid", "The request is not valid HTTP."),
}
FAULT = (500, "internal_error", "The server made a mistake; it has been noted.")


class Worker(ThreadWorker):  # type: ignore[misc]
    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        kinds = (entry for kind, entry in STATUSES.items() if isinstance(exc, kind))
        status, code, detail = next(kinds, FAULT)
        request_id = str(uuid.uuid4())
        fields = {"request_id": request_id, "status": status, "refused": type(exc).__name__}
        if status == 500:
            log.error("request", extra={"fields": fields}, exc_info=exc)
        else:
            log.warning("request", extra={"fields": fields})
        try:
            util.write_nonblock(client, response(status, code, detail, request_id))
        except Exception:
            log.debug("the client is gone")


def response(status: int, code: str, detail: str, request_id: str) -> bytes:
    # Not before the application is loaded.
    from crm_project.api.errors import MEDIA_TYPE, Problem

    problem = Problem(status, code, detail).body(SimpleNamespace(request_id=request_id))
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Request-ID: {request_id}\r\n\r\n"
    )
    return head.encode() + body
