"""Strict input: wrong bodies, parameters, paths and methods are refused with the name of the field; never a 500."""

import gzip
import json
import uuid

import pytest
from django.db import transaction

from contacts.models import Contact
from crm_project.journal.models import Event
from deals.models import Deal
from tests.api.client import ApiTestCase, problem
from tests.api.routes import PUBLIC, ROUTES, make_rows, pattern_of, served, served_methods

VERBS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
MIB = 1024 * 1024


def nested(depth):
    return b'{"name": ' + b"[" * depth + b"]" * depth + b"}"


class BodyTests(ApiTestCase):
    def refused(self, body, status, code, *pointers, **more):
        answer = self.as_bob.send("POST", "/api/deals", body, **more)
        found = problem(answer, status, code, *pointers)
        assert not Deal.objects.exists()
        return found

    def test_only_utf_8_is_text(self):
        text = json.dumps({"name": "é"}, ensure_ascii=False)
        for encoding in ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig"):
            self.refused(text.encode(encoding), 400, "parse_error")

    def test_only_json_is_parsed(self):
        for content_type in (
            "application/x-www-form-urlencoded",
            "text/plain",
            "application/xml",
            "json",
            "*/*",
        ):
            self.refused(b"name=x", 415, "unsupported_media_type", content_type=content_type)
        self.refused(b"{}", 415, "unsupported_media_type", content_type="multipart/form-data; boundary=x")
        body = json.dumps({"name": "x"}).encode()
        for content_type in ("application/json; charset=utf-8", "Application/JSON"):
            answer = self.as_bob.send("POST", "/api/deals", body, content_type=content_type)
            assert answer.status_code == 201

    def test_a_body_is_not_encoded(self):
        body = gzip.compress(b'{"name": "x"}')
        for encoding in ("gzip", "br", "GZIP, identity"):
            answer = self.as_bob.send("POST", "/api/deals", body, headers={"Content-Encoding": encoding})
            problem(answer, 415, "unsupported_media_type")
        answer = self.as_bob.send(
            "POST", "/api/deals", b'{"name": "x"}', headers={"Content-Encoding": "identity"}
        )
        assert answer.status_code == 201

    def test_a_deletion_has_no_body(self):
        made = self.as_bob.post("/api/deals", {"name": "x"}).json()

        refused = self.as_bob.send("DELETE", f"/api/deals/{made['uuid']}", {"move_deals_to": 1})

        problem(refused, 400, "unknown_field", "/move_deals_to")
        assert self.as_bob.delete(f"/api/deals/{made['uuid']}").status_code == 204

    def test_what_is_no_json_is_refused(self):
        for body in (
            b"{",
            b"name",
            b"{'name': 'x'}",
            b'{"name": "x",}',
            b'{"name": "x"} {}',
            b'{"name": "x", "amount": NaN}',
            b'{"name": "x", "amount": Infinity}',
            b'{"name": "x", "amount": -Infinity}',
            b'{"name": "x", "amount": 01}',
            b'{"name": "x", "amount": .5}',
            b'{"name": "x", "amount": 1_000}',
            b'{"name": "x\n"}',
            b'{"name": "x", "name": "y"}',
            b'{"name": "x", "custom_fields": {"a": 1, "a": 2}}',
            b"\xff",
            b"\x00",
        ):
            self.refused(body, 400, "parse_error")

    def test_depth_and_length_have_a_limit(self):
        for depth in (33, 1_000, 100_000):
            self.refused(nested(depth), 400, "parse_error")
        for number in (
            b"9" * 41,
            b"1e61",
            b"1e-61",
            b"1e99999999999999999999",
            b"-" + b"9" * 5000,
            b"0." + b"1" * 50,
        ):
            self.refused(b'{"name": "x", "amount": ' + number + b"}", 400, "parse_error")

    def test_a_body_above_one_mebibyte_is_413(self):
        def sized(size):
            return json.dumps({"name": "x", "description": "", "url": ""}).encode().ljust(size)

        self.refused(sized(MIB + 1), 413, "too_large")
        self.refused(sized(3 * MIB), 413, "too_large")
        assert self.as_bob.send("POST", "/api/deals", sized(MIB)).status_code == 201

    def test_a_body_is_an_object(self):
        for body in (b"[]", b'"x"', b"1", b"null", b"true", b'[{"name": "x"}]'):
            answer = self.as_bob.send("POST", "/api/deals", body)
            assert answer.status_code == 400, body
        problem(self.as_bob.post("/api/deals"), 400, "required", "/name")

    def test_unknown_fields_are_named_with_those_known(self):
        found = self.refused({"name": "x", "Name": "y", "nmae": "z"}, 400, "unknown_field", "/Name", "/nmae")

        assert ["amount" in error["detail"] for error in found["errors"]] == [True, False]

    def test_all_that_is_wrong_is_named_at_once(self):
        """What the body gets wrong by itself, and what only the core knows."""
        before = Event.objects.count()
        body = {"name": "", "nonsense": 1, "amount": "1.005", "stage_id": 999_999, "participant_uuids": "x"}
        wrong = ("/name", "/nonsense", "/amount", "/stage_id", "/participant_uuids")
        self.refused(body, 400, "invalid", *wrong)
        self.refused(
            {"currency": "XXX", "stage_id": 999_999}, 400, "invalid", "/name", "/currency", "/stage_id"
        )
        self.refused({"contact_email": "new@example.com"}, 400, "required", "/name", "/contact_first_name")
        person = {"contact_email": "new@example.com", "contact_first_name": "New"}
        self.refused({"name": "", **person}, 400, "blank", "/name")
        assert not Contact.objects.exists()
        assert Event.objects.count() == before

        deal = self.as_bob.post("/api/deals", {"name": "x"}).json()
        answer = self.as_bob.patch(f"/api/deals/{deal['uuid']}", body)
        problem(answer, 400, "invalid", *wrong)
        assert self.as_bob.get(f"/api/deals/{deal['uuid']}").json() == deal
        answer = self.as_bob.post("/api/contacts", {"first_name": 1, "email": "nobody"})
        problem(answer, 400, "invalid", "/first_name", "/email")

    def test_odd_names_of_fields_are_quoted_safely(self):
        for name in ("\ud800", "\x00", "", "a.b", "a/b", "~", "<script>", "x" * 10_000, "__proto__"):
            self.refused({"name": "x", name: 1}, 400, "unknown_field")

    def test_texts_hold_no_nul_and_no_lone_surrogate(self):
        for text in ("\x00", "a\x00b", "\ud800", "\udfff x"):
            for field in ("name", "description", "currency", "number", "origin", "external_id", "tax_rate"):
                self.refused({"name": "x", field: text}, 400, "invalid", f"/{field}")
            for field in ("status", "bid_type"):
                self.refused({"name": "x", field: text}, 400, "invalid_choice", f"/{field}")
            for field in (
                "stage_id",
                "contact_uuid",
                "expected_close_date",
                "closed_at",
                "is_private",
                "amount",
            ):
                self.refused({"name": "x", field: text}, 400, "invalid", f"/{field}")

    def test_texts_are_kept_as_sent(self):
        name = "  👩‍🚀 Ünïcode \u202e \t\r\n e\u0301 "

        made = self.as_bob.post("/api/deals", {"name": name}).json()

        assert made["name"] == name
        assert self.as_bob.get(f"/api/deals/{made['uuid']}").json()["name"] == name

    def test_texts_have_a_length(self):
        for field, limit in (("name", 255), ("url", 2000), ("description", 65_535), ("contact_email", 254)):
            self.refused({"name": "x", field: "x" * (limit + 1)}, 400, "max_length", f"/{field}")
        for field, limit in (("name", 255), ("url", 2000), ("description", 65_535)):
            body = {"name": "x", field: "😀" * limit}
            assert self.as_bob.post("/api/deals", body).json()[field] == "😀" * limit

    def test_nothing_is_guessed(self):
        wrong = {
            "name": [1, 1.5, True, [], {}],
            "amount": [
                "1_000",
                "١٢٣",
                "１２",
                "",
                " 1",
                "1 ",
                "+1",
                "1,5",
                "1e3",
                "0x1",
                "NaN",
                True,
                [],
                {},
            ],
            "bid_periods": ["1", 1.5, True, []],
            "currency": ["€", "ıdr", "ßP", "EURO", "", 1],
            "probability": ["10", 10.5, True],
            "forecast_category": ["Commit", "best case", "", 1, []],
            "is_private": ["true", 1, 0, "", []],
            "status": ["Open", 1, True, [], {}],
            "expected_close_date": [
                "٢٠٢٤-٠١-٠١",
                "2024-1-1",
                "2024-02-30",
                "20240101",
                "2024-01-01T00:00:00Z",
                1,
            ],
            "paused_until": ["2999-1-1", "29990101", "2999-01-01T00:00:00Z", 1],
            "pause_reason": [1, True, [], "x" * 256],
            "closed_at": [
                "2024-01-01",
                "2024-01-01T00:00:00",
                "2024-13-01T00:00:00Z",
                "0001-01-01T00:00:00+14:00",
            ],
            "contact_uuid": [1, "x", "0" * 32, "{" + str(uuid.uuid4()) + "}", f"urn:uuid:{uuid.uuid4()}"],
            "stage_id": ["1", 1.5, True, [], None],
            "department_id": [2**63, -(2**63) - 1, "1", 1.5],
            "participant_uuids": ["x", {}, [1], [None], ["x"]],
            "external_references": ["x", {}, [1], [{}], [{"system": "s"}], [["s", "1"]]],
            "custom_fields": ["x", 1, []],
        }
        for field, values in wrong.items():
            for value in values:
                answer = self.as_bob.post("/api/deals", {"name": "x", field: value})
                assert answer.status_code == 400, (field, value)
                for error in answer.json()["errors"]:
                    assert error["pointer"].startswith(f"/{field}"), (field, value, error)
        assert not Deal.objects.exists()

    def test_whole_numbers_may_be_written_with_a_point(self):
        answer = self.as_bob.send("POST", "/api/deals", b'{"name": "x", "probability": 5e1, "task_id": 7.0}')

        assert (answer.json()["probability"], answer.json()["task_id"]) == (50, 7)

    def test_amounts_are_refused_rather_than_rounded(self):
        for body, code in (
            ({"amount": "1.005"}, "decimals"),
            ({"amount": "1.5", "currency": "JPY"}, "decimals"),
            ({"amount": "-1"}, "out_of_range"),
            ({"amount": "1000000000000"}, "out_of_range"),
        ):
            answer = self.as_bob.post("/api/deals", {"name": "x"} | body)
            assert answer.status_code == 400, (body, code)
            assert [error["pointer"] for error in answer.json()["errors"]] == ["/amount"]
        answer = self.as_bob.send("POST", "/api/deals", b'{"name": "x", "amount": 999999999999.99}')
        assert answer.json()["amount"] == "999999999999.99"


class ParameterTests(ApiTestCase):
    def test_unknown_ones_are_named_with_those_known(self):
        found = problem(self.as_bob.get("/api/deals", sttus="won"), 400, "unknown_parameter", "/sttus")

        error = found["errors"][0]
        assert error["in"] == "query"
        for name in ("status", "amount_min", "ordering", "cursor", "page_size", "total", "format", "deleted"):
            assert name in error["detail"]

    def test_every_route_refuses_them(self):
        rows = make_rows(self)
        for route in ROUTES:
            with transaction.atomic():
                answer = self.as_alice.send(*route.request(rows), nonsense="1")
                transaction.set_rollback(True)
            problem(answer, 400, "unknown_parameter", "/nonsense")

    def test_doubled_ones_are_refused(self):
        for query in ("status=won&status=open", "page_size=1&page_size=2", "cursor=&cursor="):
            answer = self.as_bob.get(f"/api/deals?{query}")
            assert answer.status_code == 400

    def test_values_that_mean_nothing_are_refused(self):
        for name, values in {
            "page_size": ["0", "-1", "201", "1_0", "١", "1.0", "x", "", "9" * 5000],
            "total": ["1", "True", "yes", ""],
            "deleted": ["true", "", "all"],
            "format": ["xml", "", "html"],
            "ordering": ["", "-", "--name", "name,status", "id", "pk", "organization", "stage__name", "Name"],
            "cursor": ["x", "é", "1:2:3", "x" * 5000],
            "status": ["Won", "won,", "won;open", "all"],
            "amount_min": ["x", "1_0", "١", "1e3", "NaN", "1.00001", "9" * 50],
            "stage": ["x", "1.5", "٢", str(2**63), "9" * 5000],
            "owner": ["1", "x", "0" * 32],
            "is_private": ["1", "True", "TRUE"],
            "expected_close_date_after": ["2024-02-30", "2024-1-1", "٢٠٢٤-٠١-٠١", "today", "0000-01-01"],
            "created_at_after": ["2024-02-30", "2024-01-01T00:00:00", "2024-01-01T25:00:00Z", "now"],
            "q": ["\x00", "a\x00b"],
            "external_id": ["\x00"],
        }.items():
            for value in values:
                answer = self.as_bob.get("/api/deals", **{name: value})
                assert answer.status_code == 400, (name, value)
                assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{name}"]

    def test_all_that_are_wrong_are_named_at_once(self):
        query = "sttus=won&status=zz&amount_min=x&stage=x&page_size=0&total=9&ordering=zz&cursor=x&custom_x=1&q=a&q=b"
        wrong = [f"/{pair.partition('=')[0]}" for pair in query.split("&")[:-1]]

        problem(self.as_bob.get(f"/api/deals?{query}"), 400, "invalid", *wrong)

        problem(self.as_bob.get("/api/deals?status=zz&total=9"), 400, "invalid", "/status", "/total")
        problem(self.as_bob.get("/api/pipelines/0/deals?total=9&x=1"), 400, "invalid", "/total", "/x")
        problem(self.as_bob.get("/api/events?after=x&limit=0&y=1"), 400, "invalid", "/after", "/limit", "/y")
        refusal = self.as_bob.get("/api/deals/changes?since=x&until=x&y=1")
        problem(refusal, 400, "invalid", "/since", "/until", "/y")
        problem(self.as_bob.get("/api/deals?as_of=x&total=9"), 400, "invalid", "/as_of", "/total")
        problem(self.as_bob.get("/api/deals?page_size=0&cursor=x"), 400, "invalid", "/page_size", "/cursor")

    def test_odd_bytes_are_no_error_of_ours(self):
        for query in ("%00=1", "q=%ff", "%ff=1", "q=%ED%A0%80", "q=" + "x" * 60_000, "&&&", "=", "a" * 5000):
            assert self.as_bob.get(f"/api/deals?{query}").status_code in (200, 400), query[:20]

    def test_the_bounds_of_time_are_no_error_of_ours(self):
        bounds = [
            ("", name) for name in ("created_at_after", "created_at_before", "closed_at_before", "as_of")
        ]
        bounds += [("/summary", "as_of"), ("/changes", "since"), ("/changes?since=2024-01-01", "until")]
        for path, bound in bounds:
            for value in (
                "0001-01-01",
                "9999-12-31",
                "0001-01-01T00:00:00+14:00",
                "9999-12-31T23:59:59-12:00",
                "2024-01-01T00:00:00.123456789Z",
                "2024-01-01T00:00:00+99:99",
            ):
                for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"):
                    type(self.organization).objects.filter(pk=self.organization.pk).update(time_zone=zone)
                    answer = self.as_bob.get(f"/api/deals{path}", **{bound: value})
                    assert answer.status_code in (200, 400), (path, bound, value)


class PathTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.rows = make_rows(cls)

    def test_a_final_slash_is_no_redirect(self):
        for route in ROUTES:
            method, path, *body = route.request(self.rows)
            with transaction.atomic():
                path, mark, query = path.partition("?")
                answer = self.as_alice.send(method, f"{path}/{mark}{query}", *body)
                transaction.set_rollback(True)
            assert answer.status_code == route.expected[3], route

    def test_a_uuid_may_be_in_capitals(self):
        for route in ROUTES:
            if not any(
                isinstance(key, uuid.UUID) and f"{{{name}}}" in route.path for name, key in self.rows.items()
            ):
                continue
            capitals = {
                name: str(key).upper() if isinstance(key, uuid.UUID) else key
                for name, key in self.rows.items()
            }
            method, path, *_ = route.request(capitals)
            with transaction.atomic():
                answer = self.as_alice.send(method, path, *route.request(self.rows)[2:])
                transaction.set_rollback(True)
            assert answer.status_code == route.expected[3], route

    def test_a_host_that_is_not_ours_is_a_problem(self):
        for host in ("evil.example.com", "a b", "127.0.0.1:x"):
            answer = self.as_alice.client.get("/api/me", headers={"Host": host})
            problem(answer, 400, "invalid")

    def test_malformed_names_are_404(self):
        odd = (
            "x",
            "0",
            "-1",
            "1.5",
            "%00",
            "%ff",
            "..",
            "a" * 5000,
            "9" * 400,
            f"{2**63}",
            f"{2**64}",
            "%2e%2e%2f",
        )
        for route in ROUTES:
            if not route.names_a_row or "{key}" in route.path:
                continue
            for name in odd:
                method, _, *body = route.request(self.rows)
                path = route.path.format(**dict.fromkeys(self.rows, name))
                answer = self.as_alice.send(method, path, *body)
                assert answer.status_code in (404, 405), (method, path)

    def test_unknown_paths_are_404_whatever_the_method(self):
        for path in (
            "/api/nothing",
            "/api/deals/x/y/z",
            "/api//deals",
            "/api/deals.json",
            "/api/a%0Ab",
        ):
            for method in ("GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS"):
                for client in (self.as_alice, self.as_nobody):
                    problem(client.send(method, path), 404, "not_found")

    def test_every_verb_on_every_route(self):
        for place, view in served().items():
            if place in PUBLIC:
                continue
            path = next(r.path for r in ROUTES if pattern_of(r.path.format(**self.rows)) == place)
            path = path.format(**self.rows).partition("?")[0]
            for verb in VERBS:
                if verb in served_methods(view):
                    continue
                with transaction.atomic():
                    answer = self.as_alice.send(verb, path)
                    transaction.set_rollback(True)
                if verb in ("OPTIONS", "HEAD") and answer.status_code in (200, 400):
                    continue
                assert answer.status_code == 405, (verb, path)
                allowed = set(answer["Allow"].split(", "))
                assert allowed - {"HEAD", "OPTIONS"} == served_methods(view), (verb, path)

    def test_what_is_public_refuses_other_verbs_too(self):
        for path in ("/api/schema", "/api/docs"):
            for verb in ("POST", "PUT", "PATCH", "DELETE"):
                for accept in ("*/*", "text/html", "application/json"):
                    answer = self.as_nobody.send(verb, path, {}, headers={"Accept": accept})
                    assert answer.status_code in (405, 406)

    def test_any_accept_header_gets_json(self):
        for accept in ("text/html", "application/xml", "*/*", "", "nonsense", "application/json;q=0"):
            for path in ("/api/deals", "/api/deals/x", "/api/nothing"):
                answer = self.as_alice.send("GET", path, headers={"Accept": accept})
                assert "json" in answer["Content-Type"], (accept, path)


class HeaderTests(ApiTestCase):
    def test_a_request_id_is_echoed_where_it_is_one(self):
        for given in ("abc-1.2_3", "A" * 128):
            for path in ("/api/deals", "/api/nothing"):
                answer = self.as_bob.send("GET", path, headers={"X-Request-ID": given})
                assert answer["X-Request-ID"] == given
        for given in ("", "a b", "é", "A" * 129, "<script>", "a\tb"):
            answer = self.as_bob.send("GET", "/api/deals", headers={"X-Request-ID": given})
            uuid.UUID(answer["X-Request-ID"])

    def test_odd_credentials_are_401(self):
        for header in (
            "Bearer",
            "Bearer ",
            "Bearer \x00",
            "Bearer é",
            "Basic eDp5",
            "bearer x y",
            "x" * 5000,
            "Token x",
        ):
            answer = self.as_nobody.send("GET", "/api/deals", headers={"Authorization": header})
            assert answer.status_code == 401, header
            assert answer["WWW-Authenticate"] == "Bearer"

    def test_the_scheme_s_case_is_no_matter(self):
        header = self.as_bob.headers["Authorization"].replace("Bearer", "bEARER")

        assert self.as_nobody.send("GET", "/api/me", headers={"Authorization": header}).status_code == 200


@pytest.mark.django_db
def test_the_documents_are_served_without_a_token(client):
    assert client.get("/api/docs").status_code == 200
    assert client.get("/api/schema").json()["openapi"].startswith("3.1")
    assert client.get("/healthz").json() == {"status": "ok"}
