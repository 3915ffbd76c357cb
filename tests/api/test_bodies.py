"""Bodies as they come over the wire: in chunks, or broken off by a client that is gone."""

import io
import json
from unittest.mock import Mock

from django.core.signals import request_started
from django.db import close_old_connections

from crm_project.imports.models import Import
from crm_project.wsgi import application
from deals.models import Deal
from tests.api.client import ApiTestCase


class BodyTests(ApiTestCase):
    def setUp(self):
        # A server's request begins with a connection of its own; this one goes on with the test's.
        request_started.disconnect(close_old_connections)
        self.addCleanup(request_started.connect, close_old_connections)

    def sent(self, method, path, body, content_type="application/json", **environ):
        """The answer's status and JSON, as a WSGI server would get them."""
        found = {}
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "HTTP_HOST": "testserver",
            "HTTP_AUTHORIZATION": self.as_bob.headers["Authorization"],
            "CONTENT_TYPE": content_type,
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
            **environ,
        }
        answer = application(environ, lambda status, headers: found.update(status=int(status[:3])))
        text = b"".join(answer)
        return found["status"], json.loads(text) if text else None

    def test_a_body_may_come_in_chunks(self):
        chunked = {"HTTP_TRANSFER_ENCODING": "chunked"}
        status, deal = self.sent("POST", "/api/deals", b'{"name": "Chunked"}', **chunked)
        assert (status, deal["name"]) == (201, "Chunked")

        status, deal = self.sent("PATCH", f"/api/deals/{deal['uuid']}", b'{"amount": 5}', **chunked)
        assert (status, deal["amount"]) == (200, "5.00")

        status, problem = self.sent("POST", "/api/deals", b'"' + b"x" * 1024 * 1024 + b'"', **chunked)
        assert (status, problem["code"]) == (413, "too_large")

        upload = "/api/imports?kind=deals&file_name=deals.csv"
        status, made = self.sent(
            "POST", upload, b"name\n" + (b"x" * 199 + b"\n") * 10_000, "text/csv", **chunked
        )
        assert (status, made["size"]) == (201, 2_000_005)

    def test_a_chunk_that_is_none_is_a_problem(self):
        wrong = {
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input": Mock(read=Mock(side_effect=ValueError("zz"))),
        }

        status, problem = self.sent("POST", "/api/deals", b"", **wrong)

        assert (status, problem["detail"]) == (400, "The body is incomplete.")

    def test_no_body_is_no_body(self):
        deal = self.deal()
        for length in ({}, {"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "0"}):
            assert self.sent("PATCH", f"/api/deals/{deal.uuid}", b"", **length)[0] == 200

    def test_what_broke_off_is_not_taken_for_whole(self):
        upload = "/api/imports?kind=deals&file_name=deals.csv"
        whole, key = b"name\nA\nB\n", {"HTTP_IDEMPOTENCY_KEY": "upload"}
        length = {"CONTENT_LENGTH": str(len(whole))}

        status, problem = self.sent("POST", upload, whole[:-2], "text/csv", **length, **key)

        assert (status, problem["detail"]) == (400, "The body is incomplete.")
        assert not Import.objects.exists()
        assert self.sent("POST", upload, whole, "text/csv", **length, **key)[0] == 201
        status, _ = self.sent("POST", "/api/deals", b'{"name": "x"}', CONTENT_LENGTH="14")
        assert status == 400
        assert not Deal.objects.exists()
