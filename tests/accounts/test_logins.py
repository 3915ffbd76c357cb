"""The throttle of wrong passwords: for each account, each address and over all, whatever the cache does."""

import datetime
import threading
from unittest import mock

import pytest
from django.test import RequestFactory, TestCase
from django.utils import timezone

from crm_project.accounts.logins import TooManyAttempts, _Slots, client_address, throttled_login
from crm_project.accounts.models import SignInAttempt

ALICE, HERE, THERE = "alice@example.com", "192.0.2.1", "192.0.2.2"


def wrong(email=ALICE, address=HERE):
    assert throttled_login(email, address, lambda: None) is None


def right(email=ALICE, address=HERE):
    return throttled_login(email, address, lambda: "signed in")


def is_refused(email=ALICE, address=HERE):
    try:
        wrong(email, address)
    except TooManyAttempts:
        return True
    return False


def later(seconds):
    now = timezone.now() + datetime.timedelta(seconds=seconds)
    return mock.patch.object(timezone, "now", return_value=now)


class ThrottleTests(TestCase):
    def test_the_sixth_attempt_is_refused_with_the_right_password_too(self):
        for _ in range(5):
            wrong()

        with pytest.raises(TooManyAttempts):
            right()

    def test_the_spelling_of_the_account_does_not_matter(self):
        for spelling in (ALICE, "Alice@Example.com", " alice@example.com", ALICE, ALICE):
            wrong(spelling)

        with pytest.raises(TooManyAttempts):
            right(ALICE.upper())

    def test_many_addresses_at_one_account(self):
        outcomes = [is_refused(address=f"192.0.2.{number}") for number in range(12)]

        assert outcomes == [False] * 5 + [True] * 7

    def test_many_accounts_from_one_address(self):
        outcomes = [is_refused(f"{number}@example.com") for number in range(25)]

        assert outcomes == [False] * 10 + [True] * 15

    def test_many_accounts_from_many_addresses(self):
        outcomes = [is_refused(f"{n}@example.com", f"198.51.100.{n}") for n in range(105)]

        assert outcomes == [False] * 100 + [True] * 5

    def test_another_account_from_another_address_is_free(self):
        for _ in range(5):
            wrong()

        assert right("bob@example.com", THERE) == "signed in"

    def test_strangers_cannot_make_the_owner_wait_where_they_have_signed_in_before(self):
        right()
        for number in range(3, 15):
            is_refused(address=f"192.0.2.{number}")
        for number in range(15):
            is_refused(f"{number}@example.com")

        assert right() == "signed in"
        with pytest.raises(TooManyAttempts):
            right(address=THERE)

    def test_a_known_address_has_five_attempts_of_its_own(self):
        right()
        for _ in range(5):
            wrong()

        with pytest.raises(TooManyAttempts):
            right()

    def test_the_delay_grows_with_each_failure_and_is_never_long_for_an_account(self):
        for _ in range(5):
            wrong()
        now = 0
        for delay in (15, 30, 60, 120, 120):
            with later(now + delay - 2):
                assert is_refused()
            now += delay + 1
            with later(now):
                wrong()

        assert now < 360

    def test_a_refused_attempt_prolongs_no_wait(self):
        for _ in range(5):
            wrong()
        for _ in range(30):
            assert is_refused()

        with later(16):
            assert right() == "signed in"

    def test_success_forgets_the_failures(self):
        right()
        for _ in range(4):
            wrong()
        right()

        assert not SignInAttempt.objects.exists()

    def test_another_login_does_not_free_an_address(self):
        for number in range(10):
            is_refused(f"{number}@example.com")
            if number == 5:
                right("mine@example.com")

        assert is_refused("next@example.com")

    def test_the_attempt_counts_before_the_password_is_looked_at(self):
        seen = []

        throttled_login(ALICE, HERE, lambda: seen.append(SignInAttempt.objects.count()))

        assert seen == [3]

    def test_a_refusal_writes_nothing(self):
        for _ in range(5):
            wrong()

        with self.assertNumQueries(2):
            assert is_refused()


class SlotTests(TestCase):
    def test_few_hashes_at_once_few_wait_and_the_others_are_refused(self):
        slots, hold, outcomes = _Slots(at_once=1, queue=2), threading.Event(), []
        most, running = [0], [0]

        def attempt():
            try:
                with slots.slot():
                    running[0] += 1
                    most[0] = max(most[0], running[0])
                    hold.wait(5)
                    running[0] -= 1
                    outcomes.append("hashed")
            except TooManyAttempts:
                outcomes.append("refused")
                if outcomes.count("refused") == 5:
                    hold.set()

        threads = [threading.Thread(target=attempt) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(outcomes) == ["hashed"] * 3 + ["refused"] * 5
        assert most == [1]

    def test_one_at_a_time_of_an_address(self):
        slots = _Slots(at_once=2, queue=2)

        with slots.slot(HERE), slots.slot(THERE), pytest.raises(TooManyAttempts), slots.slot(HERE):
            pass
        with slots.slot(HERE):
            pass


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", "10.0.0.1, 198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", None, "192.0.2.1"),
        ("unix:", None, "unix:"),
        ("127.0.0.1", "198.51.100.9, 127.0.0.1", "198.51.100.9"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_only_a_trusted_proxy_is_believed(peer, forwarded, address):
    headers = {"x-forwarded-for": forwarded} if forwarded else {}

    assert client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)) == address


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        (["10.0.0.0/8"], "10.1.2.3", "198.51.100.9", "198.51.100.9"),
        (["10.0.0.0/8"], "10.1.2.3", "203.0.113.1, 198.51.100.9, 10.9.9.9", "198.51.100.9"),
        (["10.0.0.0/8"], "127.0.0.1", "198.51.100.9", "127.0.0.1"),
        (["*"], "10.1.2.3", "203.0.113.1, 198.51.100.9", "198.51.100.9"),
        (["*"], "10.1.2.3", None, "10.1.2.3"),
    ],
)
def test_proxies_on_other_machines(settings, proxies, peer, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    headers = {"x-forwarded-for": forwarded} if forwarded else {}

    assert client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)) == address
