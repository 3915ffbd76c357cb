"""The brake on guessing: five wrong passwords per account and address in fifteen minutes, whatever the cache does."""

import datetime
from unittest import mock

import pytest
from django.test import RequestFactory, TestCase
from django.utils import timezone

from crm_project.accounts.logins import TooManyAttempts, client_address, throttled_login
from crm_project.accounts.models import SignInAttempt

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
