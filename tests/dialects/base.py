"""The contract that every dialect keeps: a vendor's test inherits it and supplies the vendor's words as attributes."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import connection
from django.test import Client, TransactionTestCase
from drf_spectacular.drainage import GENERATOR_STATS

from contacts.models import Contact
from crm_project.accounts.services import create_token, revoke_token
from crm_project.journal.models import Event
from deals.models import Deal
from tests.base import BaseTestCase, World

BROKEN = b'{"name": '


@dataclass(frozen=True)
class Call:
    """One request: `path` below the dialect's base. A body goes as JSON, bytes as they are."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def bearer(call: Call, secret: str) -> Call:
    """The way in which most vendors take a token."""
    return replaced(call, headers={**call.headers, "Authorization": f"Bearer {secret}"})


def replaced(call: Call, **changes: Any) -> Call:
    return Call(**{**vars(call), **changes})


def load(folder: str | Path, name: str) -> Any:
    """A file beside the vendor's test: `load(__file__, "create.request.json")`."""
    return json.loads((Path(folder).parent / name).read_text())


class DialectClient:
    """Sends calls to one dialect; an answer is never a redirect and never a server error."""

    system: str
    headers: Mapping[str, str] = {}

    def send(self, call: Call) -> Any:
        data = call.body if isinstance(call.body, bytes) else json.dumps(call.body).encode()
        given = b"" if call.body is None else data
        answer = Client(raise_request_exception=False).generic(
            call.method,
            f"/dialects/{self.system}{call.path}",
            given,
            content_type=call.content_type if given else "",
            headers={**self.headers, **call.headers},
            query_params=dict(call.query) or None,
        )
        assert answer.status_code < 500, answer.content
        assert not 300 <= answer.status_code < 400, f"redirected to {answer.get('Location')}"
        return answer

    def as_actor(self, actor: Any, call: Call, *scopes: str) -> Any:
        """Send the call with a token of the actor."""
        return self.send(self.with_token(call, secret_of(actor, *scopes)))

    def with_token(self, call: Call, secret: str) -> Call:
        return bearer(call, secret)


def secret_of(actor: Any, *scopes: str) -> str:
    """A token of the actor, of every scope unless some are named."""
    return create_token(actor=actor, name="test", **({"scopes": scopes} if scopes else {}))[1]


class DialectContract(DialectClient):
    """Mix into a BaseTestCase. Calls may use what `setUp` of the vendor's test has made, hence they are methods."""

    token_ways: Mapping[str, Callable[[Call, str], Call]] = {"bearer": bearer}
    unknown_paths: tuple[str, ...] = ("/nothing/here", "/api/nothing", "/line%0Afeed")
    malformed_ids: tuple[str, ...] = ("not-an-id", "%00", "0", "99999999999999999999999", "..%2F")
    wrong_verb = "PUT"
    invalid_status = 422
    broken_status = 400
    malformed_status = 404
    reused_key_status: int | None = None
    scope_status = 403
    create_status = 201
    # The kind of row that the calls create and name.
    model: Any = Deal

    # What the vendor's test supplies.

    def create_call(self) -> Call:
        """A complete, valid creation of a row."""
        raise NotImplementedError

    def created(self, body: Any) -> Deal:
        """The deal in the answer to `create_call`."""
        return Deal.objects.latest("id")

    def invalid_calls(self) -> Mapping[str, Call]:
        """A word that the answer must mention → a call that the vendor refuses as invalid."""
        raise NotImplementedError

    def foreign_calls(self) -> list[Call]:
        """Calls whose body names rows of Charlie's organization (`self.theirs`, …): refused like unknown ids."""
        return []

    def row_calls(self, row_id: str) -> list[Call]:
        """Every call that names a deal in its path; none for a vendor without such paths."""
        return []

    def row_id(self, row: Any) -> str:
        return str(row.uuid)

    def foreign_row(self) -> Any:
        """A row of Charlie's, with `secret` in its text."""
        return self.deal(self.charlie, name="Charlie's secret")

    def hidden_row(self) -> Any:
        """A row that Bob may not see."""
        return self.deal(self.alice, name="Private secret", is_private=True)

    def unknown_id(self) -> str:
        return str(uuid4())

    def check_refusal(self, answer: Any, status: int) -> None:
        """Whether a refusal has the vendor's shape."""
        raise NotImplementedError

    # The contract.

    def test_a_retry_with_a_key_does_nothing_twice(self) -> None:
        """Whichever way its token comes, and in the same shape as everything that the vendor's clients know."""
        call = replaced(self.create_call(), headers={"Idempotency-Key": "k"})
        first = self.as_actor(self.bob, call)
        rows = self.model.objects.count()

        for way in self.token_ways.values():
            again = self.send(way(call, secret_of(self.bob)))
            assert again["Idempotency-Replayed"] == "true"
            assert (again.status_code, again.content) == (first.status_code, first.content)
        other = self.as_actor(self.bob, replaced(call, body={**call.body, "another": 1}))

        self.refused(other, self.reused_key_status or self.invalid_status)
        assert self.model.objects.count() == rows

    def test_a_dry_run_answers_and_leaves_nothing(self) -> None:
        call = replaced(self.create_call(), query={**self.create_call().query, "dry_run": "true"})
        before = (self.model.objects.count(), Contact.objects.count(), Event.objects.count())

        answer = self.as_actor(self.bob, call)

        assert answer.status_code == self.create_status, answer.content
        assert answer["Dry-Run"] == "true"
        assert "dry_run" not in answer.get("X-Ignored-Fields", "")
        assert (self.model.objects.count(), Contact.objects.count(), Event.objects.count() - 1) == before

    def refused(self, answer: Any, status: int) -> Any:
        assert answer.status_code == status, (answer.status_code, answer.content)
        self.check_refusal(answer, status)
        return answer

    def test_it_takes_a_token_in_every_way_of_the_vendor(self) -> None:
        for way in self.token_ways.values():
            answer = self.send(way(self.create_call(), secret_of(self.bob)))

            assert answer.status_code == self.create_status, answer.content

    def test_it_refuses_an_unknown_token(self) -> None:
        for way in self.token_ways.values():
            self.refused(self.send(way(self.create_call(), "crm_nobody")), 401)

    def test_it_refuses_a_revoked_token(self) -> None:
        token, secret = create_token(actor=self.bob, name="test")
        revoke_token(actor=self.bob, token=token)

        for way in self.token_ways.values():
            self.refused(self.send(way(self.create_call(), secret)), 401)

    def test_it_refuses_strangers(self) -> None:
        before = self.model.objects.count()

        self.refused(self.send(self.create_call()), 401)

        assert self.model.objects.count() == before

    def test_a_viewer_may_not_write(self) -> None:
        self.refused(self.as_actor(self.viewer, self.create_call()), 403)

    def test_a_token_to_read_may_not_write(self) -> None:
        self.refused(self.as_actor(self.bob, self.create_call(), "read"), self.scope_status)

    def test_it_accepts_a_final_slash(self) -> None:
        call = self.create_call()

        answer = self.as_actor(self.bob, replaced(call, path=f"{call.path.rstrip('/')}/"))

        assert answer.status_code == self.create_status, answer.content

    def test_it_answers_any_accept_header(self) -> None:
        for accept in ("*/*", "text/html", "application/xml", "application/json, text/plain, */*"):
            call = self.create_call()

            answer = self.as_actor(self.bob, replaced(call, headers={**call.headers, "Accept": accept}))

            assert answer.status_code == self.create_status, answer.content
            assert answer["Content-Type"].startswith("application/json")

    def test_it_names_what_it_ignores(self) -> None:
        call = self.create_call()

        answer = self.as_actor(self.bob, replaced(call, query={**call.query, "nonsense": "1"}))

        assert answer.status_code == self.create_status, answer.content
        assert "nonsense" in answer["X-Ignored-Fields"]

    def test_it_ignores_a_name_that_is_no_text(self) -> None:
        call = self.create_call()

        answer = self.as_actor(self.bob, replaced(call, body={**call.body, "\ud800": "\ud800"}))

        assert answer.status_code == self.create_status, answer.content

    def test_it_rejects_what_is_not_valid(self) -> None:
        for word, call in self.invalid_calls().items():
            before = self.model.objects.count(), Contact.objects.count()

            answer = self.refused(self.as_actor(self.bob, call), self.invalid_status)

            assert word in answer.content.decode(), answer.content
            assert (self.model.objects.count(), Contact.objects.count()) == before

    def test_it_rejects_rows_of_other_organizations_like_unknown_ones(self) -> None:
        for call in self.foreign_calls():
            self.refused(self.as_actor(self.bob, call), self.invalid_status)

    def test_it_rejects_broken_json(self) -> None:
        for body in (BROKEN, b"\xff\xfe{}", b"NaN", b"[" * 100_000):
            call = replaced(self.create_call(), body=body)

            self.refused(self.as_actor(self.bob, call), self.broken_status)

    def test_it_rejects_a_body_that_is_no_object(self) -> None:
        for body in (b"[]", b"1", b"null", b'"text"', b"[[]]"):
            answer = self.as_actor(self.bob, replaced(self.create_call(), body=body))

            assert answer.status_code in (self.broken_status, self.invalid_status), answer.content
            self.check_refusal(answer, answer.status_code)

    def test_it_rejects_other_media_types(self) -> None:
        call = replaced(self.create_call(), body=b"<deal/>", content_type="application/xml")

        self.refused(self.as_actor(self.bob, call), 415)

    def test_it_rejects_a_body_that_is_too_large(self) -> None:
        call = replaced(self.create_call(), body=b'"' + b"x" * 1024 * 1024 + b'"')

        self.refused(self.as_actor(self.bob, call), 413)

    def test_it_has_no_other_paths(self) -> None:
        for path in self.unknown_paths:
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                self.refused(self.as_actor(self.bob, Call(method, path)), 404)

    def test_it_refuses_other_verbs(self) -> None:
        for verb in (self.wrong_verb, "OPTIONS", "TRACE", "PROPFIND"):
            call = replaced(self.create_call(), method=verb)

            answer = self.refused(self.as_actor(self.bob, call), 405)

            assert verb not in answer["Allow"].split(", ")

    def test_it_finds_no_unknown_row(self) -> None:
        for call in self.row_calls(self.unknown_id()):
            self.refused(self.as_actor(self.bob, call), 404)

    def test_it_finds_no_row_under_a_malformed_id(self) -> None:
        for malformed in self.malformed_ids:
            for call in self.row_calls(malformed):
                answer = self.as_actor(self.bob, call)

                assert answer.status_code in (404, self.malformed_status), answer.content
                self.check_refusal(answer, answer.status_code)

    def test_it_hides_other_organizations(self) -> None:
        for call in self.row_calls(self.row_id(self.foreign_row())):
            answer = self.refused(self.as_actor(self.bob, call), 404)

            assert "secret" not in answer.content.decode()

    def test_it_hides_a_private_deal(self) -> None:
        for call in self.row_calls(self.row_id(self.hidden_row())):
            self.refused(self.as_actor(self.bob, call), 404)

    def test_its_openapi_document_lists_its_paths_alone(self) -> None:
        GENERATOR_STATS.reset()
        schema = Client().get(f"/dialects/{self.system}/schema").json()

        assert not GENERATOR_STATS, GENERATOR_STATS._error_cache | GENERATOR_STATS._warn_cache
        assert schema["paths"]
        assert all(path.startswith(f"/dialects/{self.system}/") for path in schema["paths"])
        named = {ref.rpartition("/")[2] for ref in re.findall(r'"\$ref": "([^"]+)"', json.dumps(schema))}
        dangling = named - {name for part in schema["components"].values() for name in part}
        assert not dangling, dangling
        for operation in (one for path in schema["paths"].values() for one in path.values()):
            answers = operation["responses"]
            refusals = [answers[status]["content"] for status in ("401", "404") if status in answers]
            assert refusals, operation["operationId"]
            assert all("application/json" in content for content in refusals), operation["operationId"]


class Racing(DialectClient):
    """Mix into `RaceTestCase`: identical calls at once have one outcome."""

    callers = 6

    def race(self, call: Call, actor: Any) -> list[Any]:
        """Send the call from several connections at the same moment."""
        return self.race_each([call] * self.callers, actor)

    def race_each(self, calls: list[Call], actor: Any) -> list[Any]:
        """Send each call from a connection of its own at the same moment."""
        secret = secret_of(actor)
        answers: list[Any] = []
        barrier = threading.Barrier(len(calls))

        def run(call: Call) -> None:
            try:
                barrier.wait()
                answers.append(self.send(self.with_token(call, secret)))
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=[call]) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == len(calls)
        return answers


class RaceTestCase(TransactionTestCase):
    """A world whose writes are really committed."""

    def setUp(self) -> None:
        vars(self).update(vars(World()))


__all__ = ["BaseTestCase", "Call", "DialectContract", "RaceTestCase", "Racing", "bearer", "load", "replaced"]
