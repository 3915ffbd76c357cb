"""Activities of the demo: whatever has become of its deals on the day on which it is made."""

from types import SimpleNamespace

from django.utils import timezone

from crm_project.activities.models import Activity
from crm_project.setup.demo.activities import create_demo_activities
from deals.models import Deal
from deals.services import trash_deals
from tests.base import BaseTestCase


class ActivityTests(BaseTestCase):
    def test_a_deal_that_waits_in_the_trash_for_its_restoration_gets_none(self):
        kept, trashed = self.deal(name="Kept"), self.deal(name="Trashed")
        [trashed] = trash_deals(actor=self.bob, rows=[trashed])
        courses = [SimpleNamespace(deal=deal, owner=self.bob) for deal in (kept, trashed)]

        create_demo_activities(courses, "seed", timezone.now())

        assert set(Activity.objects.values_list("deal", flat=True)) == {kept.pk}
        assert Deal.objects.get(pk=trashed.pk).deleted_at
