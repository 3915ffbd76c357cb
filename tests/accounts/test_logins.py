"""The brake on guessing: five wrong passwords per account and address in fifteen minutes, whatever the cache does."""

import datetime
from importlib import import_module
from io import StringIO
from unittest import mock

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.test import RequestFactory, TestCase
from django.utils import timezone

from crm_project.accounts.logins import TooManyAttempts, client_address, throttled_login
from crm_project.accounts.models import SignInAttempt, User
from crm_project.accounts.services import create_login, find_or_create_user, invite_member, update_login
from tests.api.client import ApiClient
from tests.base import BaseTestCase, refused
from tests.imports.client import counts, imported

migration = import_module("crm_project.accounts.migrations.0006_fold_login_domains")

ALICE, HERE, THERE = "alice@example.com", "192.0.2.1", "192.0.2.2"


def wrong(email=ALICE, address=HERE):
    assert throttled_login(email, address, lambda: None) is None


def right(email=ALICE, address=HERE):
    return throttled_login(email, address, lambda: "signed in")


class BrakeTests(TestCase):
    def test_the_sixth_attempt_is_refused_with_the_right_password_too(self):
        for _ in range(5):
            wrong()

        with pytest.raises(TooManyAttempts):
            right()

    def test_another_account_and_another_address_are_free(self):
        for _ in range(5):
            wrong()

        assert right("bob@example.com") == "signed in"
        assert right(address=THERE) == "signed in"

    def test_the_spelling_of_the_address_does_not_matter(self):
        for spelling in (ALICE, "Alice@Example.com", " alice@example.com", ALICE, ALICE):
            wrong(spelling)

        with pytest.raises(TooManyAttempts):
            right(ALICE.upper())

    def test_success_forgets_the_failures(self):
        for _ in range(4):
            wrong()
        right()

        wrong()

        assert SignInAttempt.objects.count() == 1

    def test_it_ends_fifteen_minutes_after_the_fifth_failure_however_often_one_tries(self):
        for _ in range(5):
            wrong()
        for _ in range(3):
            with pytest.raises(TooManyAttempts):
                wrong()

        with mock.patch.object(timezone, "now", return_value=timezone.now() + datetime.timedelta(minutes=16)):
            assert right() == "signed in"

    def test_the_attempt_counts_before_the_password_is_looked_at(self):
        seen = []

        throttled_login(ALICE, HERE, lambda: seen.append(SignInAttempt.objects.count()))

        assert seen == [1]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", "10.0.0.1, 198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", None, "127.0.0.1"),
    ],
)
def test_only_a_proxy_on_this_machine_is_believed(peer, forwarded, address):
    headers = {"x-forwarded-for": forwarded} if forwarded else {}

    assert client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)) == address


class DomainTests(BaseTestCase):
    """The domain of a login's address has one form, in Unicode, whatever is typed."""

    ascii = "Eva@XN--BCHER-KVA.example"
    unicode = "eva@bücher.example"

    def test_one_address_is_one_login(self):
        login = create_login(email=self.ascii, password="a long password")

        assert login.email == self.unicode
        for spelling in (self.ascii, self.unicode, " EVA@Bücher.example "):
            assert find_or_create_user(email=spelling) == login
            assert authenticate(None, username=spelling, password="a long password") == login
            with refused("email_taken", "email"):
                create_login(email=spelling)
            with refused("email_taken", "email"):
                update_login(user=self.bob.member.user, email=spelling)
        assert (
            update_login(user=self.bob.member.user, email="bob@xn--bcher-kva.example").email
            == "bob@bücher.example"
        )

    def test_an_invitation_and_the_look_ups_by_address(self):
        member = invite_member(actor=self.alice, email=self.ascii)

        with refused("member_exists"):
            invite_member(actor=self.alice, email=self.unicode)
        client = ApiClient(self.bob)
        for spelling in (self.ascii, self.unicode):
            assert [row["uuid"] for row in client.rows("/api/users", email=spelling)] == [str(member.uuid)]
        content = f"name,owner_email\nA,{self.ascii}\n".encode()
        assert counts(imported(client, "deals", content)) == (1, 0, 0, 0)
        call_command("create_token", "--organization=alice", f"--user={self.ascii}", stdout=StringIO())

    def test_what_is_no_domain_and_what_cannot_be_seen_is_refused(self):
        for email in ("a@ex\u202campl.com", "a@exam\u200bple.com", "a@xn--a.example", "\u200ba@example.com"):
            for write in (create_login, find_or_create_user):
                with refused("invalid", "email"):
                    write(email=email)
            with refused("invalid", "email"):
                update_login(user=self.bob.member.user, email=email)

    def test_the_brake_counts_every_spelling(self):
        for spelling in (self.ascii, self.unicode, self.ascii.lower(), self.unicode.upper(), self.ascii):
            wrong(spelling)

        with pytest.raises(TooManyAttempts):
            right(self.unicode)

    def test_logins_from_before_are_folded(self):
        User.objects.bulk_create(
            [User(email="old@xn--bcher-kva.example"), User(email="eva@xn--bcher-kva.example")]
        )
        create_login(email=self.unicode)

        migration.fold(User.objects.filter(email__contains="xn--"))

        # One that another login has stays, for people to decide.
        emails = set(User.objects.filter(email__contains="cher").values_list("email", flat=True))
        assert emails == {"old@bücher.example", self.unicode, "eva@xn--bcher-kva.example"}
