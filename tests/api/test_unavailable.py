"""A database that is down or busy: 503 with Retry-After, as a problem or as a page; never a 500."""

from contextlib import contextmanager

from django.db import OperationalError, connection
from django.test import Client

from tests.api.client import PROBLEM, ApiTestCase

DIALECTS = (
    "xalantis/api/v1/deals",
    "onlyoffice/api/2.0/crm/opportunity/filter",
    "intum/crm/deals.json",
    "leadconnector/users?locationId=x",
    "gauzy/api/deals/pagination",
)


@contextmanager
def away(*, after=0):
    """The database answers `after` statements, and then none."""
    left = iter(range(after))

    def refuse(execute, sql, params, many, context):
        if next(left, None) is None:
            raise OperationalError("the connection is lost")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


class UnavailableTests(ApiTestCase):
    def asked_to_come_again(self, answer):
        assert answer.status_code == 503, answer.content
        assert answer["Retry-After"] == "1"
        return answer

    def check(self, answer):
        assert self.asked_to_come_again(answer)["Content-Type"] == PROBLEM
        assert answer.json()["code"] == "unavailable"

    def test_the_api_answers_with_a_problem(self):
        anybody, bob = Client(raise_request_exception=False), self.as_bob.headers
        self.as_bob.get("/api/me")  # notes the use of the token
        for statements in (0, 1):
            with away(after=statements):
                read = anybody.get("/api/deals", headers=bob)
            self.check(read)

        with away(after=8):
            body = {"name": "A"}
            written = anybody.post("/api/deals", body, content_type="application/json", headers=bob)
        self.check(written)

    def test_every_dialect_answers_it_in_its_shape(self):
        headers = {**self.as_bob.headers, "Version": "2021-07-28"}
        for path in DIALECTS:
            with away():
                answer = Client(raise_request_exception=False).get(f"/dialects/{path}", headers=headers)

            assert self.asked_to_come_again(answer)["Content-Type"].startswith("application/json")

    def test_health_names_the_reason(self):
        with away():
            answer = self.asked_to_come_again(Client().get("/healthz"))

        assert answer.json() == {"status": "unavailable", "database": "does not answer"}

    def test_the_admin_shows_a_page(self):
        user = self.alice.member.user
        user.is_staff = True
        user.save(update_fields=["is_staff"])
        browser = Client(raise_request_exception=False)
        browser.force_login(user)

        for path in ("/admin/", "/admin/deals/deal/"):
            with away():
                answer = self.asked_to_come_again(browser.get(path))

            assert "temporarily unavailable" in answer.content.decode()
