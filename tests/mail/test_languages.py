"""Mail in its recipient's language: a member's own, the organization's for somebody it invites."""

from django.core import mail
from django.utils import translation
from django.utils.translation import gettext as _

from crm_project.accounts.invitations import invite_member
from crm_project.accounts.models import Member, Organization
from deals.services import update_deals
from tests.base import BaseTestCase
from tests.tasks import run_tasks

NOTIFIED = {"notify_access_list": True}


class LanguageTests(BaseTestCase):
    def sent(self):
        run_tasks()
        return {message.to[0]: message for message in mail.outbox}

    def test_each_recipient_reads_their_own_language(self):
        Member.objects.filter(pk=self.bob.member.pk).update(language="fr")
        deal = self.deal(self.alice, name="Roof", is_private=True)

        update_deals(
            actor=self.alice,
            changes=[(deal, {"access_list": [self.bob.member.pk, self.manager.member.pk], **NOTIFIED})],
        )

        messages = self.sent()
        assert messages["mary@example.com"].subject == "Alice has shared the deal “Roof” with you"
        with translation.override("fr"):
            subject = _("%(sender)s has shared the deal “%(deal)s” with you")
        assert messages["bob@example.com"].subject == subject % {"sender": "Alice", "deal": "Roof"}
        assert "shared" not in subject

    def test_an_invitation_is_in_the_organizations_language(self):
        Organization.objects.filter(pk=self.organization.pk).update(language="pl")
        self.alice.organization.refresh_from_db()

        invite_member(actor=self.alice, email="new@example.com")

        assert "invites" not in self.sent()["new@example.com"].subject

    def test_the_language_of_one_message_is_not_that_of_the_next(self):
        Member.objects.filter(pk=self.bob.member.pk).update(language="fr")
        deal = self.deal(self.alice, name="Roof", is_private=True)
        update_deals(actor=self.alice, changes=[(deal, {"access_list": [self.bob.member.pk], **NOTIFIED})])
        self.sent()

        assert translation.get_language() == "en"
