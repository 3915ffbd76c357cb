"""Gunicorn's threaded worker, whose own refusals are problems (RFC 9457) like those of the API.

Of a request that cannot be read no path is known, so every one of them is answered like one of the API.
"""

import json
import logging
import uuid
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from crm_project.background import server as background
from crm_project.deadlines import HEAD_SECONDS, deadlines

log = logging.getLogger("crm.request")


class Worker(ThreadWorker):  # type: ignore[misc]
    def handle(self, conn: Any) -> Any:
        """The deadline of the head ends where the application begins; the body has one for each read."""
        with deadlines.within(conn.sock, HEAD_SECONDS):
            return super().handle(conn)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Claim no further task while the requests are ended."""
        background.begin_to_stop()
        super().handle_exit(sig, frame)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        problem, request_id = problem_of(exc), str(uuid.uuid4())
        fields = {"request_id": request_id, "status": problem.status, "refused": type(exc).__name__}
        if problem.status == 500:
            log.error("request", extra={"fields": fields}, exc_info=exc)
        else:
            log.warning("request", extra={"fields": fields})
        try:
            util.write_nonblock(client, response(problem, request_id))
        except Exception:
            log.debug("the client is gone")


def problem_of(error: Exception) -> Any:
    # Not before the application is loaded.
    from crm_project.api.errors import Problem

    match error:
        case errors.LimitRequestLine():
            return Problem(414, "uri_too_long", "The request line is longer than 8190 bytes.")
        case errors.LimitRequestHeaders():
            return Problem(431, "headers_too_large", "The headers are too many or too long.")
        case errors.ExpectationFailed():
            return Problem(417, "invalid_header", "Expect names something other than 100-continue.")
        case errors.UnsupportedTransferCoding():
            return Problem(501, "invalid_header", "The transfer coding is not supported.")
        case errors.ConfigurationProblem():
            return Problem(500, "internal_error", "The server made a mistake; it has been noted.")
        case errors.ParseException():
            return Problem(400, "invalid", "The request is not valid HTTP.")
    return Problem(500, "internal_error", "The server made a mistake; it has been noted.")


def response(problem: Any, request_id: str) -> bytes:
    from crm_project.api.errors import MEDIA_TYPE

    body = json.dumps(problem.body(SimpleNamespace(request_id=request_id))).encode()
    head = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\nConnection: close\r\n"
        f"Content-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\nCache-Control: no-store\r\n"
        f"X-Request-ID: {request_id}\r\n\r\n"
    )
    return head.encode() + body
