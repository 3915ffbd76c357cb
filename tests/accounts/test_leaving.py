"""Members get a password without e-mail, and leave their rows to somebody."""

from crm_project.accounts.models import Organization, User
from crm_project.accounts.services import (
    add_member,
    deactivate_member,
    set_password,
    update_organization,
)
from crm_project.journal.models import Event
from tests.base import BaseTestCase, refused


class PasswordTests(BaseTestCase):
    def test_it_works(self):
        set_password(actor=self.alice, member=self.bob.member, password="a new one")

        assert User.objects.get(pk=self.bob.member.user_id).check_password("a new one")

    def test_it_rejects_a_login_that_another_organization_shares(self):
        add_member(actor=None, organization=self.charlie.organization, user=self.bob.member.user)

        with refused("forbidden"):
            set_password(actor=self.alice, member=self.bob.member, password="a new one")

    def test_it_rejects_an_operators_login(self):
        User.objects.filter(pk=self.bob.member.user_id).update(is_superuser=True)

        with refused("forbidden"):
            set_password(actor=self.alice, member=self.bob.member, password="a new one")

    def test_it_rejects_another_organizations_member(self):
        with refused("invalid"):
            set_password(actor=self.charlie, member=self.bob.member, password="a new one")


class LeavingTests(BaseTestCase):
    def test_deals_and_contacts_change_hands(self):
        deal = self.deal(owner=self.bob.member.pk, is_private=True)
        person = self.person(owner=self.bob.member.pk)

        moved = deactivate_member(actor=self.alice, member=self.bob.member, hand_over_to=self.manager.member)

        deal.refresh_from_db()
        person.refresh_from_db()
        self.bob.member.refresh_from_db()
        assert moved == 2
        assert deal.owner_id == person.owner_id == self.manager.member.pk
        assert not self.bob.member.is_active

    def test_without_an_heir_the_owner_stays(self):
        deal = self.deal(owner=self.bob.member.pk)

        deactivate_member(actor=self.alice, member=self.bob.member)

        deal.refresh_from_db()
        assert deal.owner_id == self.bob.member.pk

    def test_it_rejects_an_heir_of_another_organization(self):
        with refused("invalid", "hand_over_to"):
            deactivate_member(actor=self.alice, member=self.bob.member, hand_over_to=self.charlie.member)

    def test_the_last_admin_stays(self):
        with refused("last_admin"):
            deactivate_member(actor=self.alice, member=self.alice.member, hand_over_to=self.bob.member)


class OrganizationTests(BaseTestCase):
    def test_it_works_and_is_journaled(self):
        update_organization(actor=self.alice, organization=self.organization, currency="USD")

        assert Organization.objects.get(pk=self.organization.pk).currency == "USD"
        event = Event.objects.filter(kind="organization", row_id=self.organization.pk).latest("sequence")
        assert event.changes == {"currency": ["EUR", "USD"]}

    def test_it_rejects_what_is_none(self):
        with refused("invalid", "name", "currency", "time_zone"):
            update_organization(
                actor=self.alice, organization=self.organization, name=" ", currency="eu", time_zone="Mars"
            )

    def test_it_rejects_a_manager_and_another_organization(self):
        with refused("forbidden"):
            update_organization(actor=self.manager, organization=self.organization, name="X")
        with refused("invalid"):
            update_organization(actor=self.charlie, organization=self.organization, name="X")
