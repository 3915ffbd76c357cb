"""A page far behind costs what the first one costs: no dialect reads the rows before it."""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_project.dialects.kit.offset_pages import rows_between
from deals.models import Deal
from tests.base import BaseTestCase
from tests.dialects.base import Call, DialectClient

PAGES = {
    "xalantis": ("/api/v1/deals", {"page": "2", "per_page": "2"}),
    "onlyoffice": ("/api/2.0/crm/opportunity/filter", {"startIndex": "2", "count": "2"}),
    "intum": ("/crm/deals.json", {"page": "2", "per_page": "2"}),
    "leadconnector": ("/opportunities/search", {"page": "2", "limit": "2"}),
    "gauzy": ("/api/deals/pagination", {"skip": "2", "take": "2"}),
}
KEYS_ALONE = re.compile(r'SELECT "deals_deal"\."id" AS "pk" FROM ')


class TestPlaces(BaseTestCase):
    def test_the_rows_of_some_places_are_in_order(self) -> None:
        for number in range(5):
            self.deal(name=f"Deal {number}")
        rows = Deal.objects.visible_to(self.bob.member).order_by("-name")

        for start, stop in ((0, 2), (1, 4), (3, 9), (5, 7), (0, 0)):
            assert rows_between(rows, start, stop) == list(rows[start:stop])

    def test_no_page_by_number_reads_the_rows_before_it(self) -> None:
        for number in range(5):
            self.deal(name=f"Deal {number}")
        for system, (path, query) in PAGES.items():
            with CaptureQueriesContext(connection) as captured:
                answer = self.ask(system, path, query)

            skipping = [one["sql"] for one in captured if " OFFSET 2" in one["sql"]]
            assert answer.status_code == 200, answer.content
            assert b"Deal 1" in answer.content or b"Deal 2" in answer.content, system
            assert [bool(KEYS_ALONE.match(sql)) for sql in skipping] == [True], (system, skipping)

    def ask(self, system: str, path: str, query: dict[str, str]) -> object:
        client = DialectClient()
        client.system, client.headers = system, {"Version": "2021-07-28"}
        location = {"location_id": str(self.organization.uuid)} if system == "leadconnector" else {}
        return client.as_actor(self.bob, Call("GET", path, query={**query, **location}))
