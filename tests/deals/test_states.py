"""What a deal was worth is kept, also when it changes because its stage does."""

from deals.models import DealState
from pipelines.services import update_stage
from tests.base import BaseTestCase


class StageProbabilityTests(BaseTestCase):
    def test_a_stage_s_new_probability_begins_a_new_state(self):
        deal = self.deal()
        update_stage(actor=self.alice, stage=deal.stage, change={"probability": 35})

        former, current = DealState.objects.filter(deal=deal).order_by("valid_from")
        assert (former.probability, current.probability) == (10, 35)
        assert former.valid_to == current.valid_from

    def test_a_probability_of_its_own_stays(self):
        deal = self.deal(probability=80)

        update_stage(actor=self.alice, stage=deal.stage, change={"probability": 35})

        assert DealState.objects.get(deal=deal).probability == 80
