"""The throttle of wrong passwords: for each account, each address and over all, whatever the cache does."""

import base64
import datetime
import re
import threading
from importlib import import_module
from io import StringIO
from unittest import mock

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.management import call_command
from django.test import Client, RequestFactory, TestCase
from django.utils import timezone

from crm_project.accounts.invitations import accept_invitation, invite_member
from crm_project.accounts.logins import (
    TooManyAttempts,
    _Refusals,
    _Slots,
    client_address,
    refusals,
    throttled_login,
)
from crm_project.accounts.models import SignInAttempt, User
from crm_project.accounts.services import create_login, find_or_create_user, update_login
from tests.api.client import ApiClient
from tests.base import BaseTestCase, refused
from tests.imports.client import counts, imported

migration = import_module("crm_project.accounts.migrations.0006_fold_login_domains")

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

    def test_a_refused_address_costs_no_query(self):
        for number in range(10):
            wrong(f"{number}@example.com")
        assert is_refused("11@example.com")

        with self.assertNumQueries(0):
            assert is_refused("11@example.com")
        # Whether this account has signed in from here.
        with self.assertNumQueries(1):
            assert is_refused("12@example.com")

    def test_the_attempts_decide_again_after_a_short_while(self):
        for number in range(10):
            wrong(f"{number}@example.com")
        assert is_refused("11@example.com")
        SignInAttempt.objects.all().delete()

        assert is_refused("11@example.com")
        with later(31):
            assert right("11@example.com") == "signed in"

    def test_many_refused_addresses_take_little_memory(self):
        refusals, now = _Refusals(size=3), timezone.now()
        for number in range(10):
            refusals.add(str(number), now, 30)

        assert len(refusals._until) <= 3
        with pytest.raises(TooManyAttempts):
            refusals.check("9", now)

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


class SameAnswerTests(BaseTestCase):
    """A login that does not exist is answered like a wrong password, after as much work."""

    def setUp(self):
        self.bob.member.user.set_password("correct horse battery")
        self.bob.member.user.save()

    def tried(self, door, email):
        """Status and text of the answer, and how many passwords were hashed for it."""
        SignInAttempt.objects.all().delete()
        refusals.clear()
        client = Client()
        with mock.patch.object(MD5PasswordHasher, "encode", autospec=True, side_effect=hashed) as encode:
            answer = door(client, email)
        text = re.sub(r'value="\w{64}"|"request_id":"[^"]*"', "", answer.content.decode())
        return answer.status_code, text.replace(email, "EMAIL"), encode.call_count

    def test_at_every_door(self):
        for door in (to_the_admin, to_gauzy, to_onlyoffice, with_every_request):
            with self.subTest(door=door.__name__):
                known, unknown = (self.tried(door, email) for email in ("bob@example.com", "who@example.com"))

                assert known == unknown
                assert known[2] == 1


hashed = MD5PasswordHasher.encode


def to_the_admin(client, email):
    return client.post("/admin/login/", {"username": email, "password": "wrong"})


def to_gauzy(client, email):
    body = {"email": email, "password": "wrong"}
    return client.post("/dialects/gauzy/api/auth/login", body, "application/json")


def to_onlyoffice(client, email):
    body = {"userName": email, "password": "wrong"}
    return client.post("/dialects/onlyoffice/api/2.0/authentication", body, "application/json")


def with_every_request(client, email):
    secret = base64.b64encode(f"{email}:wrong".encode()).decode()
    path = "/dialects/onlyoffice/api/2.0/crm/opportunity/filter"
    return client.get(path, headers={"Authorization": f"Basic {secret}"})


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
        _, secret = invite_member(actor=self.alice, email=self.ascii)
        member = accept_invitation(secret=secret, user=None, password="quite an unusual phrase")

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
