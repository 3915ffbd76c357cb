"""The receipts of kinds that are written one row at a time."""

from crm_project.records.kinds import kinds
from pipelines.models import Pipeline, Stage
from tests.base import BaseTestCase


class ReceiptTests(BaseTestCase):
    def update(self, kind, row, **change):
        (receipt,) = kinds[kind].services.update(actor=self.alice, changes=[(row, change)])
        return receipt

    def test_it_has_the_names_of_what_changed(self):
        receipt = self.update("stage", self.new, name="Fresh", probability=15)

        assert (receipt.outcome, receipt.changed) == ("updated", ["name", "probability"])
        assert receipt.row.name == "Fresh"

    def test_external_references_are_among_them(self):
        receipt = self.update("pipeline", self.pipeline, external_references=[("erp", "1")])

        assert receipt.changed == ["external_references"]

    def test_an_equal_value_changes_nothing(self):
        receipt = self.update("stage", self.new, name=self.new.name)

        assert (receipt.outcome, receipt.changed) == ("unchanged", [])

    def test_an_instance_that_is_out_of_date_is_not_compared(self):
        stale = Stage.objects.get(pk=self.new.pk)
        self.update("stage", self.new, name="Fresh")

        assert self.update("stage", stale, name="Fresh").outcome == "unchanged"

    def test_the_changes_of_other_rows_are_not_included(self):
        other = Pipeline.objects.exclude(pk=self.pipeline.pk).filter(organization=self.organization).first()
        assert not other.is_default

        receipt = self.update("pipeline", other, is_default=True)

        assert receipt.changed == ["is_default"]
        assert self.update("pipeline", self.pipeline, name="Sales").row.is_default is False
