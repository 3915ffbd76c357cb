"""What all dialects share: hosts of their own, ids that mean one row, exact numbers."""

import os
import subprocess
import sys
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import Client, override_settings
from rest_framework.request import Request

from crm_project.accounts.models import Member
from crm_project.accounts.services import add_member, create_login
from crm_project.api.errors import problem_of
from crm_project.api.idempotency import KeyInUse
from crm_project.dialects.kit.ids import Ids
from crm_project.dialects.kit.renderers import ExactJSONRenderer
from crm_project.dialects.registry import DIALECTS
from crm_project.environment import dialect_hosts
from crm_project.records import references
from crm_project.records.services import change_references
from deals.models import DealReference
from deals.services import restore_deals, trash_deals, update_deals
from tests.base import BaseTestCase
from tests.dialects.base import secret_of

HOST = "xalantis.localhost"
# The first documents that a process makes, asked for at the same moment.
FIRST_DOCUMENTS = """
import threading, django
django.setup()
from django.test import Client
at_once, codes = threading.Barrier(4), []
def ask():
    at_once.wait()
    answer = Client(raise_request_exception=False).get("/dialects/gauzy/schema", headers={"Host": "localhost"})
    codes.append(answer.status_code)
threads = [threading.Thread(target=ask) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(codes)
"""


@override_settings(DIALECT_HOSTS={HOST: "xalantis"}, ALLOWED_HOSTS=[HOST, "testserver"])
class TestHosts(BaseTestCase):
    def ask(self, path: str, host: str = HOST, method: str = "POST") -> Any:
        headers = {"Authorization": f"Bearer {secret_of(self.bob)}", "Host": host}
        return Client().generic(method, path, b"{}", content_type="application/json", headers=headers)

    def test_the_literal_paths_are_at_the_root(self) -> None:
        for host in (HOST, HOST.upper(), f"{HOST}:8000"):
            for path in ("/api/deals", "/api/deals/"):
                answer = self.ask(path, host)

                assert answer.status_code == 422
                assert answer["Cache-Control"] == "no-store"

    def test_nothing_else_is_there(self) -> None:
        for path in ("/", "/admin/", "/healthz", "/api/me", "/dialects/xalantis/api/deals", "/api/schema"):
            answer = self.ask(path, method="GET")

            assert answer.status_code == 404
            assert answer.json() == {"message": "Not found."}

    def test_other_hosts_are_as_they_were(self) -> None:
        assert self.ask("/api/deals", "testserver").status_code == 400
        assert self.ask("/dialects/xalantis/api/deals", "testserver").status_code == 422


class Environment:
    """As much of django-environ as the hosts need."""

    def __init__(self, *pairs: str) -> None:
        self.pairs = list(pairs)

    def list(self, name: str, default: Any) -> list[str]:
        return self.pairs or default


def test_the_environment_names_hosts() -> None:
    assert dialect_hosts(Environment("CRM.example.com = xalantis", "")) == {"crm.example.com": "xalantis"}
    assert dialect_hosts(Environment()) == {}


@pytest.mark.parametrize("pair", ["crm.example.com", "=xalantis", "crm.example.com="])
def test_a_half_pair_is_refused(pair: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        dialect_hosts(Environment(pair))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("999999999999.99", b"999999999999.99"),
        ("15000.0000", b"15000"),
        ("0.0001", b"0.0001"),
        ("0.0000", b"0"),
        ("1E+3", b"1000"),
    ],
)
def test_decimals_are_numbers_digit_by_digit(number: str, text: bytes) -> None:
    assert ExactJSONRenderer().render({"amount": Decimal(number)}) == b'{"amount":' + text + b"}"


class TestIds(BaseTestCase):
    """One system identifies deals by our ids, the other one by uuid."""

    def setUp(self) -> None:
        numbered = {"numbers": frozenset({"deal"}), "words": frozenset[str]()}
        self.enterContext(_numbered_kinds(numbered))

    def ids(self, system: str = "numbers", actor: Any = None) -> Ids:
        ids = Ids.__new__(Ids)
        ids.actor, ids.system, ids._known = actor or self.bob, system, {}
        ids.numbered = references.numbered_kinds[system]
        return ids

    def name(self, deal: Any, external_id: Any, system: str = "numbers") -> None:
        change_references(actor=self.bob, row=deal, add=[(system, str(external_id))])

    def test_a_reference_comes_before_our_own_id(self) -> None:
        deal, other = self.deal(), self.deal()

        self.name(deal, other.pk)

        assert self.ids().resolve("deal", other.pk) == deal
        assert self.ids().resolve("deal", str(other.pk)) == deal
        assert self.ids().resolve("deal", deal.pk) == deal
        assert self.ids().resolve("deal", str(other.uuid)) == other

    def test_whose_number_names_another_row_gets_a_key_of_its_own(self) -> None:
        deal, other = self.deal(), self.deal()

        self.name(deal, other.pk)

        shown = self.ids().id_of(other)
        assert shown == 2**31 - 1 - other.pk
        assert self.ids().resolve("deal", shown) == other
        assert self.ids().id_of(deal) == other.pk
        other.refresh_from_db()
        assert other.version == 2

    def test_a_new_row_whose_number_is_taken_gets_one_too(self) -> None:
        deal = self.deal()
        self.name(deal, deal.pk + 1)

        new = self.deal()

        assert new.pk == deal.pk + 1
        assert self.ids().resolve("deal", self.ids().id_of(new)) == new
        assert self.ids().resolve("deal", new.pk) == deal

    def test_a_key_that_comes_back_from_the_trash_is_no_number_of_anothers(self) -> None:
        deal = self.deal()
        self.name(deal, deal.pk + 1)
        trash_deals(actor=self.bob, rows=[deal])
        new = self.deal()
        assert self.ids().id_of(new) == new.pk == deal.pk + 1

        restore_deals(actor=self.bob, rows=[deal])

        assert self.ids().resolve("deal", new.pk) == deal
        assert self.ids().resolve("deal", self.ids().id_of(new)) == new

    def test_a_new_member_gets_a_replacement_id_too(self) -> None:
        self.enterContext(_numbered_kinds({"numbers": frozenset({"user"})}))
        taken = Member.objects.latest("pk").pk + 1
        change_references(actor=self.alice, row=self.bob.member, add=[("numbers", str(taken))])

        new = add_member(
            actor=self.alice,
            organization=self.organization,
            user=create_login(email="dora@example.com"),
        )

        assert new.pk == taken
        assert self.ids().resolve("user", taken) == self.bob.member
        assert self.ids().resolve("user", self.ids().id_of(new)) == new

    def test_one_that_has_a_key_already_needs_no_other(self) -> None:
        deal, other = self.deal(), self.deal()
        self.name(other, "their-17")

        self.name(deal, other.pk)

        assert [row.external_id for row in DealReference.objects.filter(row=other)] == ["their-17"]

    def test_a_system_with_uuids_needs_no_replacement_ids(self) -> None:
        deal, other = self.deal(), self.deal()

        self.name(deal, other.pk, "words")

        assert not DealReference.objects.filter(row=other).exists()
        assert self.ids("words").id_of(other) == str(other.uuid)
        assert self.ids("words").resolve("deal", deal.pk) is None

    def test_the_oldest_reference_is_the_id(self) -> None:
        deal = self.deal()
        self.name(deal, "first")
        self.name(deal, "second")

        assert self.ids().id_of(deal) == "first"
        assert self.ids().resolve("deal", "second") == deal

    def test_many_rows_are_looked_up_at_once(self) -> None:
        deals, ids = [self.deal(), self.deal(), self.deal()], self.ids()

        with self.assertNumQueries(1):
            ids.prefetch(deals)
            shown = [ids.id_of(deal) for deal in deals]

        with self.assertNumQueries(2):
            assert self.ids().resolve_all("deal", shown).keys() == {str(deal.pk) for deal in deals}

    def test_what_names_nothing(self) -> None:
        for value in (
            None,
            True,
            1.5,
            [],
            {},
            "",
            "0",
            "-1",
            "9" * 30,
            "٣",
            "a\x00b",
            "\ud800",
            "x" * 5000,
            self.charlie.member.uuid,
        ):
            assert self.ids().resolve("deal", value) is None

    def test_a_key_of_an_invisible_row_names_nothing_else(self) -> None:
        other = self.deal()
        private = self.deal(self.alice, is_private=True)
        change_references(actor=self.alice, row=private, add=[("numbers", str(other.pk))])

        assert self.ids().resolve("deal", other.pk) is None
        assert self.ids(actor=self.alice).resolve("deal", other.pk) == private

    def test_a_trashed_row_gives_its_key_back(self) -> None:
        deal, other = self.deal(), self.deal()
        self.name(deal, "their-1")
        trash_deals(actor=self.bob, rows=[deal])

        update_deals(actor=self.bob, changes=[(other, {"external_references": [("numbers", "their-1")]})])

        assert self.ids().resolve("deal", "their-1") == other


class TestKeys(BaseTestCase):
    def test_every_dialect_answers_409_with_retry_after_while_a_key_is_in_use(self) -> None:
        problem = problem_of(KeyInUse(), wire_names={})

        for system in DIALECTS:
            errors = import_module(f"crm_project.dialects.{system}.errors")
            answer = errors.answer(problem, Request(HttpRequest()))

            assert answer.status_code == 409, system
        assert problem.headers == {"Retry-After": "1"}


def _numbered_kinds(systems: dict[str, frozenset[str]]) -> Any:
    patch = pytest.MonkeyPatch.context()
    patched = patch.__enter__()
    patched.setattr(references, "numbered_kinds", systems)
    return _Closing(patch)


class _Closing:
    def __init__(self, patch: Any) -> None:
        self.patch = patch

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: Any) -> None:
        self.patch.__exit__(*error)


def test_the_first_documents_of_a_process_may_be_asked_for_at_once() -> None:
    variables = {**os.environ, "DJANGO_SETTINGS_MODULE": "crm_project.settings", "DEBUG": "1"}

    said = subprocess.run(
        [sys.executable, "-c", FIRST_DOCUMENTS], env=variables, capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == "[200, 200, 200, 200]", said.stderr
