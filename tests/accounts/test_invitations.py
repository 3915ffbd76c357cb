"""Invitations: nothing of the login changes or is told until the person accepts."""

import datetime
import re
from unittest import mock
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client, override_settings
from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.invitations import find_invitation, invite_member, withdraw_invitation
from crm_project.accounts.models import Invitation, Member, User
from crm_project.accounts.rules import Role
from crm_project.accounts.services import add_member, find_or_create_user, set_password, update_member
from crm_project.errors import NotFound
from crm_project.mail.models import Message
from tests.base import refused
from tests.staff.base import StaffTestCase, action_url, add_url, errors, list_url
from tests.tasks import run_tasks

pytestmark = pytest.mark.once

OLGA = {"email": "olga@example.com", "password": "a password of her own"}
NEW = "quite an unusual phrase"


class InvitationTests(StaffTestCase):
    def setUp(self):
        self.olga = find_or_create_user(full_name="Olga Herself", **OLGA)
        self.sign_in(self.alice)

    def invited(self, email, **fields):
        """The answer of the admin's page, and the link in it."""
        response = self.client.post(add_url(Invitation), {"email": email, "role": "manager", **fields})
        assert response.status_code == 200, response
        assert "link" in response.context, errors(response)
        link = urlsplit(response.context["link"])
        return response, f"{link.path}?{link.query}"

    def test_a_known_and_an_unknown_address_are_answered_alike(self):
        pages = []
        for email in ("olga@example.com", "nina@example.com"):
            response, link = self.invited(email)
            secret = link.partition("token=")[2]
            texts = [
                response.content.decode(),
                self.page(list_url(Invitation)),
                Client().get(link).content.decode(),
            ]
            pages.append([text.replace(email, "EMAIL").replace(secret, "SECRET") for text in texts])
            withdraw_invitation(actor=self.alice, invitation=Invitation.objects.get())

        for known, unknown in zip(*pages, strict=True):
            assert stable(known) == stable(unknown)
            assert "Olga" not in known

    def test_a_pending_invitation_changes_nothing_for_the_login(self):
        add_member(actor=None, organization=self.charlie.organization, user=self.olga)
        before = User.objects.filter(pk=self.olga.pk).values().get()

        self.invited("olga@example.com", full_name="Somebody")

        assert User.objects.filter(pk=self.olga.pk).values().get() == before
        member = Member.objects.get(user=self.olga)
        # Her own organization's admin still manages her login.
        set_password(actor=self.charlie, member=member, password="set by Charlie")
        assert not Member.objects.filter(user=self.olga, organization=self.organization).exists()

    def test_a_new_person_chooses_a_password(self):
        _, link = self.invited("Nina@Example.com", full_name="Nina")
        nina = Client()

        weak = nina.post(link, {"password": "password1234"})
        response = nina.post(link, {"password": NEW})

        assert weak.status_code == 200
        assert "too common" in weak.content.decode()
        assert response["location"] == "/admin/"
        member = Member.objects.get(user__email="nina@example.com")
        assert (member.organization, member.role, member.full_name) == (self.organization, "manager", "Nina")
        assert nina.get("/admin/").status_code == 200
        assert nina.session.get_expiry_date() - timezone.now() <= datetime.timedelta(hours=12)
        assert Client().login(email="nina@example.com", password=NEW)

    def test_a_login_is_signed_in_to_and_keeps_its_name(self):
        _, link = self.invited("olga@example.com", full_name="Somebody")
        olga = Client()

        wrong = olga.post(link, {"password": NEW})
        response = olga.post(link, {"password": OLGA["password"]})

        assert wrong.status_code == 200
        assert "not the password" in wrong.content.decode()
        assert response["location"] == "/admin/"
        assert Member.objects.get(user=self.olga).full_name == "Olga Herself"
        assert Client().login(**OLGA)

    def test_who_is_signed_in_needs_no_password(self):
        _, link = self.invited("olga@example.com")
        olga = Client()
        olga.force_login(self.olga)

        assert "You are signed in as olga@example.com" in olga.get(link).content.decode()
        olga.post(link)

        assert Member.objects.filter(user=self.olga, organization=self.organization).exists()

    def test_another_persons_session_does_not_accept(self):
        _, link = self.invited("olga@example.com")

        self.client.post(link)
        self.client.post(link, {"password": NEW})

        assert not Member.objects.filter(user=self.olga).exists()

    def test_guessing_the_password_is_throttled(self):
        _, link = self.invited("olga@example.com")
        for _ in range(5):
            assert Client().post(link, {"password": NEW}).status_code == 200

        answer = Client().post(link, {"password": OLGA["password"]})

        assert answer.status_code == 429
        assert "Too many wrong passwords" in answer.content.decode()

    def test_a_link_works_once_and_not_after_seven_days_or_a_newer_one(self):
        _, first = self.invited("nina@example.com")
        _, second = self.invited("nina@example.com")

        assert Client().get(first).status_code == 404
        with mock.patch.object(timezone, "now", return_value=timezone.now() + datetime.timedelta(days=8)):
            assert Client().get(second).status_code == 404
        assert Client().post(second, {"password": NEW}).status_code == 302
        assert Client().get(second).status_code == 404
        assert Client().get("/admin/invitation/").status_code == 404

    def test_the_link_is_mailed_and_the_page_says_where(self):
        response, link = self.invited("nina@example.com", full_name="Nina")
        with override_settings(PUBLIC_URL="https://crm.example.com"):
            run_tasks()

        page = response.content.decode()
        assert "is on its way to" in page
        assert "nina@example.com</strong>" in page
        assert link.partition("token=")[2] not in page
        letter = mail.outbox[0]
        assert (letter.to, letter.subject) == (["nina@example.com"], "Alice invites you to Alice and Co")
        assert f"https://crm.example.com{link}\n" in letter.body
        end = Invitation.objects.get().expires_at
        assert f"until {end.day} {end:%B %Y}" in letter.body

    def test_without_a_mail_server_the_link_is_shown_once(self):
        with override_settings(EMAIL_BACKEND="django.core.mail.backends.console.EmailBackend"):
            response, link = self.invited("nina@example.com")

        assert link.partition("token=")[2] in response.content.decode()
        assert not Message.objects.exists()

    def test_no_mail_is_sent_for_one_that_was_withdrawn_or_replaced(self):
        self.invited("nina@example.com")
        _, newer = self.invited("nina@example.com")
        self.invited("olga@example.com")
        withdraw_invitation(actor=self.alice, invitation=Invitation.objects.get(email="olga@example.com"))
        run_tasks()

        assert [letter.to for letter in mail.outbox] == [["nina@example.com"]]
        assert newer in mail.outbox[0].body

    def test_the_mail_of_an_invitation_survives_another_key(self):
        _, link = self.invited("nina@example.com")
        with override_settings(SECRET_KEY="k" * 50, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            run_tasks()
            assert link in mail.outbox[0].body
        self.invited("olga@example.com")
        with override_settings(SECRET_KEY="k" * 50, SECRET_KEY_FALLBACKS=[]):
            run_tasks()
        assert len(mail.outbox) == 1

    def test_every_invitation_has_a_secret_of_its_own(self):
        found = {invite_member(actor=self.alice, email="nina@example.com")[1] for _ in range(3)}
        found |= {invite_member(actor=self.charlie, email="nina@example.com")[1]}

        assert len(found) == 4
        assert all(len(secret) == 43 for secret in found)

    def test_only_a_hash_of_the_link_is_stored_and_no_list_shows_it(self):
        _, link = self.invited("nina@example.com")
        secret = link.partition("token=")[2]

        assert secret not in str(Invitation.objects.values())
        assert secret not in self.page(list_url(Invitation))

    def test_an_invitation_ends_with_the_rights_of_its_sender(self):
        secret = invite_member(actor=self.alice, email="nina@example.com")[1]
        bob = Actor(update_member(actor=self.alice, member=self.bob.member, role=Role.ADMIN))
        update_member(actor=bob, member=self.alice.member, role=Role.REP)

        with pytest.raises(NotFound):
            find_invitation(secret)

    def test_withdrawn(self):
        _, link = self.invited("nina@example.com")

        self.client.post(action_url("withdraw", Invitation.objects.get()))

        assert not Invitation.objects.exists()
        assert Client().get(link).status_code == 404

    def test_only_an_admin_invites_and_members_are_not_invited(self):
        for actor in (self.manager, self.bob):
            with refused("forbidden"):
                invite_member(actor=actor, email="new@example.com")
            self.sign_in(actor)
            assert self.client.get(add_url(Invitation)).status_code == 403
            assert self.client.get(list_url(Invitation)).status_code == 403
        with refused("member_exists"):
            invite_member(actor=self.alice, email="Bob@example.com")

    def test_the_page_for_new_members_leads_to_invitations(self):
        assert self.client.get(add_url(Member))["location"] == add_url(Invitation)


def stable(page):
    """The page without what differs at each request: tokens, ids, times."""
    lines = re.sub(r"\d+", "N", page).splitlines()
    return [line for line in lines if "csrfmiddlewaretoken" not in line]
