"""Reference rows come back from the trash, unless a live one has their name, their key or their references."""

from crm_project.records.models import CustomField
from crm_project.records.services import restore_custom_field, trash_custom_field, update_custom_field
from deals.models import LostReason
from deals.services import restore_lost_reason, trash_lost_reason
from tests.base import BaseTestCase, refused
from tests.factories import CustomFieldFactory, LostReasonFactory


class LostReasonTests(BaseTestCase):
    def trashed(self, **change):
        reason = LostReasonFactory(actor=self.alice, **change)
        trash_lost_reason(actor=self.alice, lost_reason=reason)
        return reason

    def test_it_works(self):
        reason = self.trashed(name="Price", external_references=[("erp", "1")])

        restored = restore_lost_reason(actor=self.manager, lost_reason=reason)

        assert restored.version == reason.version + 2
        assert LostReason.objects.live().holding_reference(system="erp", external_id="1").get() == reason

    def test_a_name_that_is_taken_meanwhile_is_refused(self):
        reason = self.trashed(name="Price")
        LostReasonFactory(actor=self.alice, name="Price")

        with refused("restore_conflict"):
            restore_lost_reason(actor=self.manager, lost_reason=reason)

    def test_it_is_for_those_who_edit_the_list(self):
        reason = self.trashed()

        with refused("forbidden"):
            restore_lost_reason(actor=self.bob, lost_reason=reason)
        with refused("not_found"):
            restore_lost_reason(actor=self.charlie, lost_reason=reason)

    def test_a_live_one_is_not_restored(self):
        with refused("not_found"):
            restore_lost_reason(actor=self.alice, lost_reason=LostReasonFactory(actor=self.alice))


class CustomFieldTests(BaseTestCase):
    def setUp(self):
        self.field = CustomFieldFactory(actor=self.alice, key="region")
        trash_custom_field(actor=self.alice, custom_field=self.field)

    def test_it_works(self):
        restore_custom_field(actor=self.manager, custom_field=self.field)

        assert CustomField.objects.live().get(key="region") == self.field

    def test_a_key_that_is_declared_anew_is_refused(self):
        CustomFieldFactory(actor=self.alice, key="region")

        with refused("restore_conflict"):
            restore_custom_field(actor=self.manager, custom_field=self.field)

    def test_one_in_the_trash_cannot_be_changed(self):
        with refused("not_found"):
            update_custom_field(actor=self.alice, custom_field=self.field, change={"label": "X"})
