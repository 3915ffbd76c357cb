"""A forgotten password: a mailed link that works once and for an hour, and an answer that tells nothing."""

import datetime
import re
from unittest import mock
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_project.accounts.mails import RESETS_PER_HOUR
from crm_project.accounts.models import SignInAttempt, User
from crm_project.accounts.password_reset import request_password_reset, reset_password
from crm_project.accounts.services import find_or_create_user
from crm_project.errors import NotFound
from crm_project.mail.models import Message
from tests.staff.base import StaffTestCase
from tests.tasks import run_tasks

pytestmark = pytest.mark.once

PAGE, SENT, DONE = (f"/admin/password_reset/{end}" for end in ("", "sent/", "done/"))
OLD, NEW = "quite an unusual phrase", "another unheard of phrase"


class ResetTests(StaffTestCase):
    def setUp(self):
        self.user = User.objects.get(pk=self.bob.member.user_id)
        self.user.set_password(OLD)
        self.user.save()

    def ask(self, email="Bob@Example.com", **headers):
        return Client().post(PAGE, {"email": email}, **headers)

    def link(self):
        """The path of the link in the newest message."""
        return urlsplit(re.search(r"http\S+", mail.outbox[-1].body)[0]).path

    def mailed(self):
        assert self.ask()["location"] == SENT
        run_tasks()
        return self.link()

    def choose(self, link, password=NEW, client=None):
        client = client or Client()
        page = client.get(link, follow=True)
        answer = client.post(
            page.request["PATH_INFO"], {"new_password1": password, "new_password2": password}
        )
        return page, answer

    def test_the_sign_in_page_leads_to_it(self):
        assert f'href="{PAGE}"' in Client().get("/admin/login/").content.decode()
        assert "Send the link" in Client().get(PAGE).content.decode()

    def test_a_link_is_mailed_and_sets_a_password(self):
        with override_settings(PUBLIC_URL="https://crm.example.com"):
            link = self.mailed()

        letter = mail.outbox[-1]
        assert letter.to == ["bob@example.com"]
        assert f"https://crm.example.com{link}\n" in letter.body
        _, answer = self.choose(link)
        assert answer["location"] == DONE
        assert Client().login(email="bob@example.com", password=NEW)
        assert not Client().login(email="bob@example.com", password=OLD)

    def test_the_host_of_the_request_is_not_in_the_link(self):
        with override_settings(ALLOWED_HOSTS=["*"], PUBLIC_URL="https://crm.example.com"):
            self.ask(HTTP_HOST="evil.example.org")
            run_tasks()

        assert "evil" not in mail.outbox[-1].body

    def test_the_page_of_the_link_has_no_secret_in_its_address(self):
        link = self.mailed()
        secret = link.split("/")[-2]

        page, _ = self.choose(link)

        assert page.redirect_chain[0][1] == 302
        assert secret not in page.request["PATH_INFO"]
        assert secret not in page.content.decode()
        assert page["Referrer-Policy"] == "same-origin"
        assert "no-store" in page["Cache-Control"]

    def test_the_link_is_in_no_table_and_in_no_log(self):
        with self.assertLogs(level="DEBUG") as logs:
            link = self.mailed()
            self.choose(link)

        secret = link.split("/")[-2]
        assert secret not in str(Message.objects.values()) + "".join(logs.output)
        assert secret not in "".join(str(record.__dict__) for record in logs.records)

    def test_it_works_once(self):
        link, other = self.mailed(), Client()
        page = other.get(link, follow=True)
        self.choose(link)

        assert Client().get(link).status_code == 404
        again = {"new_password1": OLD, "new_password2": OLD}
        late = other.post(page.request["PATH_INFO"], again)
        assert late.status_code == 404
        assert "has been used" in late.content.decode()
        assert Client().login(email="bob@example.com", password=NEW)

    def test_of_two_at_the_same_moment_one_is_refused(self):
        token = default_token_generator.make_token(self.user)
        stale = User.objects.get(pk=self.user.pk)
        reset_password(user=self.user, token=token, password=NEW)

        with pytest.raises(NotFound):
            reset_password(user=stale, token=token, password=OLD)

    def test_it_ends_after_an_hour_and_with_a_sign_in(self):
        link = self.mailed()

        late = datetime.datetime.now() + datetime.timedelta(minutes=61)
        with mock.patch.object(default_token_generator, "_now", return_value=late):
            assert Client().get(link).status_code == 404
        assert Client().get(link).status_code == 302
        Client().post("/admin/login/", {"username": "bob@example.com", "password": OLD})
        assert Client().get(link).status_code == 404

    def test_a_mail_that_was_held_up_for_an_hour_is_not_sent(self):
        self.ask()
        Message.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
        run_tasks()

        assert mail.outbox == []

    def test_links_that_are_none(self):
        for path in (
            "MQ/x",
            "x/y",
            "%C3%BF/y",
            "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw/y",
            "AA/set-password",
        ):
            assert Client().get(f"{PAGE}{path}/").status_code == 404, path

    def test_the_password_must_be_good(self):
        link = self.mailed()

        _, answer = self.choose(link, "password1234")

        assert answer.status_code == 200
        assert "too common" in answer.content.decode()
        assert Client().login(email="bob@example.com", password=OLD)

    def test_all_sessions_and_logins_of_dialects_end(self):
        here, there = Client(), Client()
        for client in (here, there):
            assert client.login(email="bob@example.com", password=OLD)
        body = {"email": "bob@example.com", "password": OLD}
        gauzy = Client().post("/dialects/gauzy/api/auth/login", body, "application/json").json()
        onlyoffice = Client().post(
            "/dialects/onlyoffice/api/2.0/authentication",
            {"userName": "bob@example.com", "password": OLD},
            "application/json",
        )
        secret = onlyoffice.json()["response"]["token"]
        bearers = [
            ("/dialects/gauzy/api/user/me", {"Authorization": f"Bearer {gauzy['token']}"}),
            ("/dialects/onlyoffice/api/2.0/crm/opportunity/filter", {"Authorization": secret}),
        ]
        for path, headers in bearers:
            assert Client().get(path, headers=headers).status_code == 200, path

        self.ask()
        run_tasks()
        # Who has signed in since the link was sent does not need it.
        self.ask()
        run_tasks()
        self.choose(self.link(), client=here)

        for client in (here, there):
            assert client.get("/admin/")["location"].startswith("/admin/login/")
        for path, headers in bearers:
            assert Client().get(path, headers=headers).status_code == 401, path
        refresh = {"refresh_token": gauzy["refresh_token"]}
        refreshed = Client().post("/dialects/gauzy/api/auth/refresh-token", refresh, "application/json")
        assert refreshed.status_code == 401


class SameAnswerTests(StaffTestCase):
    def setUp(self):
        find_or_create_user(email="nowhere@example.com", password=OLD)
        find_or_create_user(email="inactive@example.com", password=OLD)
        User.objects.filter(email="inactive@example.com").update(is_active=False)

    def test_every_address_is_answered_alike_with_the_same_statements(self):
        answers = []
        for email in ("bob@example.com", "nobody@example.com", "nowhere@example.com", "inactive@example.com"):
            with CaptureQueriesContext(connection) as queries:
                answer = Client().post(PAGE, {"email": email})
            statements = [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries]
            answers.append((answer.status_code, answer["location"], answer.content, statements))
        run_tasks()

        assert all(answer == answers[0] for answer in answers)
        assert sorted(letter.to[0] for letter in mail.outbox) == ["bob@example.com", "nowhere@example.com"]
        assert not Message.objects.filter(
            recipient__in=["nobody@example.com", "inactive@example.com"]
        ).exists()

    def test_requests_are_braked_and_leave_the_sign_in_alone(self):
        for _ in range(5):
            assert Client().post(PAGE, {"email": "bob@example.com"}).status_code == 302

        answer = Client().post(PAGE, {"email": "bob@example.com"})

        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 15
        assert "Too many requests" in answer.content.decode()
        assert Client().post(PAGE, {"email": "other@example.com"}).status_code == 302
        wrong = {"username": "bob@example.com", "password": "wrong"}
        assert Client().post("/admin/login/", wrong).status_code == 200

    def test_an_address_asks_for_few_accounts(self):
        for number in range(10):
            assert Client().post(PAGE, {"email": f"p{number}@example.com"}).status_code == 302

        assert Client().post(PAGE, {"email": "bob@example.com"}).status_code == 429

    def test_a_mailbox_gets_few_links_an_hour(self):
        for _ in range(RESETS_PER_HOUR + 2):
            request_password_reset(email="bob@example.com")
            run_tasks()

        assert len(mail.outbox) == RESETS_PER_HOUR

    def test_what_is_no_address_is_an_error_of_the_form(self):
        for email in ("", "bob", "bob@example.com\nBcc: eve@example.com", f"{'x' * 250}@example.com"):
            assert Client().post(PAGE, {"email": email}).status_code == 200
        assert not Message.objects.exists()
        assert not SignInAttempt.objects.exists()

    def test_without_a_mail_server_it_says_whom_to_ask(self):
        with override_settings(EMAIL_BACKEND="django.core.mail.backends.console.EmailBackend"):
            assert "sends no e-mail" in Client().get(PAGE).content.decode()
            Client().post(PAGE, {"email": "bob@example.com"})

        assert not Message.objects.exists()
