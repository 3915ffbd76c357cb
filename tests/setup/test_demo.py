"""`manage.py demo`: its output, that it is deterministic, and that it touches no other organization."""

import datetime
from io import StringIO
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.test import TestCase

from crm_project.accounts.models import ApiToken, Organization, User
from crm_project.accounts.services import authenticate_token
from crm_project.setup.demo.clock import frozen_time
from crm_project.setup.demo.removal import tenant_models
from deals.models import Deal
from tests.setup.written import Written, without_catalogue

DEALS = 12
NOON = datetime.datetime(2026, 5, 20, 12, tzinfo=datetime.UTC)
PASSWORD = "as the environment says"
TOKEN = "a-token-that-the-environment-brought-along"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("DEMO_PASSWORD", PASSWORD)
    monkeypatch.setenv("DEMO_TOKEN", TOKEN)
    monkeypatch.delenv("PORT", raising=False)


def demo(*options, deals=DEALS):
    """The lines on standard output."""
    out = StringIO()
    call_command("demo", f"--deals={deals}", *options, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def organization(slug="demo"):
    return Organization.objects.get(slug=slug)


def counts():
    return {model: model._base_manager.count() for model in tenant_models()}


class TestPeople:
    def test_without_an_environment_the_secrets_are_made_up(self, monkeypatch):
        monkeypatch.delenv("DEMO_PASSWORD")
        monkeypatch.delenv("DEMO_TOKEN")

        _, login, token = demo()

        password = login.partition(" / ")[2]
        assert len(password) >= 16
        assert User.objects.get(email="admin@example.com").check_password(password)
        assert authenticate_token(token.partition(": ")[2])

    def test_a_login_that_somebody_had_before_is_left_alone(self):
        User.objects.create_user("admin@example.com", "their own secret")

        _, login, _ = demo()

        user = User.objects.get(email="admin@example.com")
        assert user.check_password("their own secret")
        assert not user.is_superuser
        assert PASSWORD not in login


class AgainTests(TestCase):
    """The demo is there already: one for all tests."""

    @classmethod
    def setUpTestData(cls):
        with cls.environment(PORT="9123"), frozen_time(NOON):
            cls.lines = demo()

    def setUp(self):
        self.enterContext(self.environment())

    @staticmethod
    def environment(**values):
        return mock.patch.dict("os.environ", {"DEMO_PASSWORD": PASSWORD, "DEMO_TOKEN": TOKEN} | values)

    def test_it_printed_where_and_how_to_sign_in(self):
        assert self.lines == [
            "URL: http://127.0.0.1:9123",
            f"Staff login: admin@example.com / {PASSWORD}",
            f"API token: {TOKEN}",
        ]

    def test_the_same_day_and_seed_make_the_same_demo(self):
        first = [Written(organization(slug)).dump() for slug in ("demo", "other")]
        with frozen_time(NOON):
            demo("--replace")
        second = [Written(organization(slug)).dump() for slug in ("demo", "other")]

        assert [without_catalogue(dump) for dump in first] == [without_catalogue(dump) for dump in second]

    def test_another_seed_makes_another_with_the_new_password(self):
        first = names()
        with self.environment(DEMO_PASSWORD="another password"), frozen_time(NOON):
            demo("--replace", "--seed=2")

        assert names() != first
        users = [user for user in User.objects.all() if user.has_usable_password()]
        assert len(users) == 5
        assert all(user.check_password("another password") for user in users)

    def test_it_refuses_to_touch_a_demo_that_is_there(self):
        before = counts()

        with pytest.raises(CommandError, match="--replace"):
            demo()

        assert counts() == before

    def test_if_empty_prints_the_same_without_the_password(self):
        before = counts()

        assert demo("--if-empty") == [
            "URL: http://127.0.0.1:8000",
            "Staff login: admin@example.com, with DEMO_PASSWORD of .env",
            f"API token: {TOKEN}",
        ]
        assert counts() == before

    def test_if_empty_prints_no_secret_that_is_no_longer_valid(self):
        user = User.objects.get(email="admin@example.com")
        user.set_password("changed since")
        user.save()
        ApiToken.objects.update(revoked_at=NOON)

        text = "\n".join(demo("--if-empty"))

        assert PASSWORD not in text
        assert TOKEN not in text
        assert "admin@example.com" in text


class TestReplaced:
    def test_replacing_leaves_nothing_of_the_old_one_and_everything_else(self):
        call_command("create_organization", "Somebody else", "--owner", "rep@example.com", stdout=StringIO())
        call_command(
            "create_token", "--organization=somebody-else", "--user=rep@example.com", stdout=StringIO()
        )
        other = organization("somebody-else")
        present = counts()
        demo()
        before = counts()
        old = organization().pk

        demo("--replace")

        assert counts() == before
        for model in tenant_models():
            assert not model._base_manager.filter(organization=old).exists()
        for model, count in present.items():
            assert model._base_manager.filter(organization=other).count() == count


class TestIfEmpty:
    def test_an_empty_database_is_filled(self):
        assert demo("--if-empty") == [
            "URL: http://127.0.0.1:8000",
            f"Staff login: admin@example.com / {PASSWORD}",
            f"API token: {TOKEN}",
        ]
        assert organization()

    def test_somebody_elses_database_is_left_alone(self):
        call_command("create_organization", "House", "--owner", "owner@example.com", stdout=StringIO())
        before = counts()

        lines = demo("--if-empty")

        assert lines[0] == "URL: http://127.0.0.1:8000"
        assert counts() == before
        assert Organization.objects.count() == 1


@pytest.mark.parametrize("deals", ["-1", "many", "1.5"])
def test_it_rejects_an_invalid_number_of_deals(deals):
    with pytest.raises(CommandError, match="is not a number of deals"):
        demo(deals=deals)


def test_it_refers_to_the_load_tool_for_more_deals_than_it_creates():
    with pytest.raises(CommandError, match=r"at most 20,000 deals.*python -m tests\.load"):
        demo(deals=20_001)


def test_it_can_be_without_deals():
    demo(deals=0)

    assert Deal.objects.filter(organization=organization()).exists()


def names():
    return list(
        Deal.objects.filter(organization=organization()).order_by("id").values_list("name", flat=True)
    )
