"""A bound of an amount may be any number: through every door it finds what is on its side, and breaks nothing."""

from deals.models import Deal
from tests.api.client import ApiTestCase
from tests.staff.base import StaffTestCase, list_url

HUGE = ("1e71", "-3.9461426749994e+71", "9223372036854775807", "-9223372036854775809")


class ApiTests(ApiTestCase):
    def test_rows_are_compared_with_any_number(self):
        deal = self.deal(name="Roof", amount="12")
        for text in HUGE:
            answer = self.as_bob.get("/api/deals", amount_max=text)
            assert answer.status_code in (200, 400), text
            if answer.status_code == 200:
                expected = [] if text.startswith("-") else ["Roof"]
                assert [row["name"] for row in answer.json()["results"]] == expected, text
        assert list(Deal.objects.filter(amount__lt=10**30)) == [deal]
        assert not Deal.objects.filter(amount__gt=10**30).exists()
        assert not Deal.objects.filter(amount=10**30).exists()


class PageTests(StaffTestCase):
    def test_the_list_of_deals(self):
        self.deal(name="Roof", amount="12")
        for text in HUGE:
            assert self.client.get(list_url(Deal), {"amount_to": text}).status_code in (200, 400), text
