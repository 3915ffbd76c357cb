"""Whoever answers for a webhook gets a mail when the server pauses it."""

import datetime

from django.core import mail
from django.test import override_settings
from django.utils import timezone

from crm_project.accounts.services import update_member
from crm_project.mail.models import Message
from crm_project.webhooks import services
from crm_project.webhooks.models import WebhookState
from tests.staff.base import change_url
from tests.tasks import run_tasks
from tests.webhooks.base import WebhookTestCase
from tests.webhooks.receiver import answering


@override_settings(PUBLIC_URL="https://crm.example.com")
class MailTests(WebhookTestCase):
    def paused(self, **change):
        """A webhook that has answered 410."""
        webhook = self.webhook(events=["deal.created"], **change)
        self.receiver.answer = answering(410)
        self.deal()
        self.dispatch()
        return webhook

    def sent(self):
        run_tasks()
        return mail.outbox

    def test_an_endpoint_that_is_gone(self):
        webhook = self.paused(description="Billing")

        [letter] = self.sent()

        assert letter.to == [self.alice.member.email]
        assert letter.subject == "The webhook Billing is paused"
        assert f"https://crm.example.com{change_url(webhook)}" in letter.body
        assert webhook.url in letter.body
        assert "410 Gone" in letter.body
        assert "Last success: none" in letter.body
        assert webhook.plain_secret not in letter.body

    def test_five_days_without_a_success(self):
        webhook = self.webhook(events=["deal.created"])
        self.receiver.answer = answering(500)
        self.deal()
        self.dispatch()
        assert self.sent() == []
        before = timezone.now() - datetime.timedelta(days=5)
        WebhookState.objects.filter(webhook=webhook).update(failing_since=before)
        self.let_pass(webhook)
        self.dispatch()
        self.dispatch()

        [letter] = self.sent()

        assert "No delivery succeeded for days" in letter.body

    def test_a_manager_who_is_no_admin_any_more_is_replaced_by_the_admins(self):
        update_member(actor=self.alice, member=self.manager.member, role="admin")
        self.manager.member.refresh_from_db()
        self.webhook(type(self.manager)(self.manager.member))
        update_member(actor=self.alice, member=self.manager.member, role="manager")
        self.deal()
        self.dispatch()

        assert [letter.to for letter in self.sent()] == [[self.alice.member.email]]

    def test_nobody_is_told_of_a_webhook_that_is_active_again(self):
        webhook = self.paused()
        services.update_webhook(actor=self.alice, webhook=webhook, change={"is_active": True})

        assert self.sent() == []
        assert not Message.objects.exists()

    def test_nobody_who_lost_the_role_is_told(self):
        update_member(actor=self.alice, member=self.bob.member, role="admin")
        self.bob.member.refresh_from_db()
        webhook = self.webhook(type(self.alice)(self.bob.member), events=["deal.created"])
        services.pause(webhook, "gone")
        update_member(actor=self.alice, member=self.bob.member, role="rep")

        assert self.sent() == []

    def test_a_webhook_that_its_admin_turns_off_sends_no_mail(self):
        services.update_webhook(actor=self.alice, webhook=self.webhook(), change={"is_active": False})

        assert self.sent() == []
