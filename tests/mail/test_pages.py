"""The list of mail: an admin sees what the organization has sent, an operator all of it, and nobody else any."""

import pytest
from django.core import mail

from crm_project.accounts.invitations import invite_member
from crm_project.accounts.models import User
from crm_project.accounts.password_reset import request_password_reset
from crm_project.mail.models import Message
from tests.mail.server import mail_server
from tests.staff.base import StaffTestCase, action_url, change_url, list_url
from tests.tasks import run_tasks

pytestmark = pytest.mark.once

LIST = list_url(Message)


class PageTests(StaffTestCase):
    def setUp(self):
        invite_member(actor=self.alice, email="nina@example.com")
        invite_member(actor=self.charlie, email="olga@example.com")

    def refused_by_the_server(self):
        with mail_server() as server:
            server.answers = {"nina@example.com": "550 <b>no such user</b>"}
            run_tasks(failing=True)
        return Message.objects.get(recipient="nina@example.com")

    def test_an_admin_sees_those_of_the_organization(self):
        self.sign_in(self.alice)
        page = self.page(LIST)

        assert "nina@example.com" in page
        assert "olga@example.com" not in page
        assert "waiting" in page

    def test_an_operator_sees_those_of_no_organization(self):
        request_password_reset(email="bob@example.com")
        row = Message.objects.get(organization=None)
        self.sign_in(self.operator)
        page = self.page(LIST)

        assert "bob@example.com" in page
        assert "nina@example.com" not in page
        assert "New password" in self.page(change_url(row))
        assert "queued" in self.client.post(action_url("send-again", row), follow=True).content.decode()

    def test_an_operator_who_is_an_admin_sees_both(self):
        request_password_reset(email="bob@example.com")
        User.objects.filter(pk=self.alice.member.user_id).update(is_superuser=True)
        self.sign_in(self.alice)
        page = self.page(LIST)

        assert "bob@example.com" in page
        assert "nina@example.com" in page
        assert "olga@example.com" not in page

    def test_nobody_else_sees_any(self):
        row = Message.objects.get(recipient="nina@example.com")
        for actor in (self.bob, self.manager, self.viewer):
            self.sign_in(actor)
            assert self.client.get(LIST).status_code == 403
            assert self.client.get(change_url(row)).status_code == 403
            assert self.client.post(action_url("send-again", row)).status_code == 403
        self.sign_in(self.charlie)
        assert self.client.get(change_url(row)).status_code == 302
        self.client.post(action_url("send-again", row))
        assert "nina@example.com" not in self.page(LIST)

    def test_one_that_was_given_up_shows_why_and_is_sent_again(self):
        row = self.refused_by_the_server()
        self.sign_in(self.alice)
        page = self.page(f"{LIST}?given_up=yes")
        assert "550 &lt;b&gt;no such user&lt;/b&gt;" in page
        assert "nina@example.com" not in self.page(f"{LIST}?given_up=no")

        response = self.client.post(action_url("send-again", row), follow=True)
        assert "queued" in response.content.decode()
        run_tasks()

        assert [letter.to for letter in mail.outbox] == [["nina@example.com"]]
        row.refresh_from_db()
        assert row.state == "sent"

    def test_one_that_was_sent_is_not_sent_again(self):
        run_tasks()
        row = Message.objects.get(recipient="nina@example.com")
        self.sign_in(self.alice)

        assert action_url("send-again", row).partition("?")[0] not in self.page(change_url(row))
        response = self.client.post(action_url("send-again", row))

        assert "has been sent" in response.content.decode()
        run_tasks()
        assert len(mail.outbox) == 2

    def test_no_page_shows_the_secret_of_a_link(self):
        run_tasks()
        letter = next(letter for letter in mail.outbox if letter.to == ["nina@example.com"])
        secret = letter.body.partition("token=")[2].split()[0]
        row = Message.objects.get(recipient="nina@example.com")
        self.sign_in(self.alice)

        assert secret not in self.page(LIST) + self.page(change_url(row)) + str(Message.objects.values())
