"""Real requests at the same moment over a live server: nothing is doubled, lost or brought back, and no 5xx."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Barrier
from typing import Any

import pytest

from contacts.models import Contact
from crm_project.accounts.services import create_token
from crm_project.journal.models import Event
from deals.models import Deal, DealState
from tests.base import World
from tests.factories import DealFactory, PersonFactory, StageFactory

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CLIENTS = 16
ROUNDS = 3
SPELLINGS = (
    "sophie{}@example.com",
    "SOPHIE{}@example.com",
    " Sophie{}@Example.com ",
    "sophie{}@EXAMPLE.COM\t",
    "sOpHiE{}@example.com",
)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


class Crowd:
    """Clients that wait for each other and then all send at once."""

    def __init__(self, server: Any, actor: Any) -> None:
        self.address = (server.thread.host, server.thread.port)
        _, self.secret = create_token(actor=actor, name="crowd")

    def send(self, method: str, path: str, body: Any = None, start: Barrier | None = None) -> Answer:
        connection = HTTPConnection(*self.address, timeout=60)
        connection.connect()
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
        if start:
            start.wait()
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        assert response.status < 500, content
        return Answer(response.status, json.loads(content) if content else None)

    def together(self, *requests: tuple[Any, ...]) -> list[Answer]:
        """The answers, in the order of the requests."""
        start = Barrier(len(requests))
        with ThreadPoolExecutor(len(requests)) as pool:
            return [
                job.result()
                for job in [pool.submit(self.send, *request, start=start) for request in requests]
            ]


@pytest.fixture
def world():
    return World()


@pytest.fixture
def crowd(live_server, world):
    crowd = Crowd(live_server, world.alice)
    crowd.send("GET", "/api/me")
    return crowd


def statuses(answers):
    return sorted(answer.status for answer in answers)


def test_creates_with_one_new_address_make_one_contact(crowd):
    for number in range(ROUNDS):
        bodies = [
            {
                "name": f"Deal {client}",
                "contact_email": SPELLINGS[client % len(SPELLINGS)].format(number),
                "contact_first_name": f"Sophie {client}",
            }
            for client in range(CLIENTS)
        ]

        answers = crowd.together(*(("POST", "/api/deals", body) for body in bodies))

        assert statuses(answers) == [201] * CLIENTS
        contact = Contact.objects.get(email=f"sophie{number}@example.com")
        assert {answer.body["contact"]["uuid"] for answer in answers} == {str(contact.uuid)}
        assert Deal.objects.filter(contact=contact).count() == CLIENTS
        assert contact.version == 1


def test_creates_with_one_name_and_phone_number_make_one_contact(crowd):
    phones = ("+47 22 33 44 55", "0047 22334455")
    bodies = [
        {
            "name": "Call",
            "contact_first_name": "Nora" if client % 2 else " NORA",
            "contact_phone": phones[client % 2],
        }
        for client in range(8)
    ]

    answers = crowd.together(*(("POST", "/api/deals", body) for body in bodies))

    assert statuses(answers) == [201] * 8
    assert len({answer.body["contact"]["uuid"] for answer in answers}) == 1
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("key", ["reference", "contact"])
def test_upserts_of_one_key_make_one_deal(crowd, key):
    for number in range(ROUNDS):
        address = SPELLINGS[number].format(number)
        named = {"contact_email": address, "contact_first_name": "Sophie"}
        body = {"external_system": "erp", "external_id": f"{number}"} if key == "reference" else named

        answers = crowd.together(*[("POST", "/api/deals/upsert", {"name": "Deal", **body})] * CLIENTS)

        assert statuses(answers) == [200] * (CLIENTS - 1) + [201]
        assert len({answer.body["uuid"] for answer in answers}) == 1
        assert sorted(answer.body["outcome"] for answer in answers)[:2] == ["created", "unchanged"]
        assert Deal.objects.count() == number + 1
        assert Deal.objects.latest("id").version == 1
    assert Contact.objects.count() == (0 if key == "reference" else ROUNDS)


def test_upserts_of_one_contact_make_one_contact(crowd):
    for number in range(ROUNDS):
        bodies = [{"email": SPELLINGS[n % len(SPELLINGS)].format(number)} for n in range(CLIENTS)]

        answers = crowd.together(*(("POST", "/api/contacts/upsert", body) for body in bodies))

        assert statuses(answers) == [200] * (CLIENTS - 1) + [201]
        assert Contact.objects.count() == number + 1


def test_patches_of_different_fields_are_all_kept(crowd, world):
    change = {
        "name": "New",
        "amount": "12.50",
        "origin": "fair",
        "expected_close_date": "2024-05-01",
        "description": "text",
    }
    for _ in range(3 * ROUNDS):
        deal = DealFactory(actor=world.bob)
        path = f"/api/deals/{deal.uuid}"

        answers = crowd.together(*(("PATCH", path, {name: value}) for name, value in change.items()))

        assert statuses(answers) == [200] * len(change)
        shown = crowd.send("GET", path).body
        assert {name: shown[name] for name in change} == change
        deal.refresh_from_db()
        assert deal.version == 1 + len(change)
        versions = Event.objects.filter(kind="deal", row_id=deal.pk).values_list("row_version", flat=True)
        assert sorted(versions) == list(range(1, deal.version + 1))


def test_a_deleted_deal_stays_deleted(crowd, world):
    for _ in range(3 * ROUNDS):
        deal = DealFactory(actor=world.bob)
        path = f"/api/deals/{deal.uuid}"

        deleted, *patched = crowd.together(
            ("DELETE", path), *(("PATCH", path, {"name": f"{n}"}) for n in range(CLIENTS // 2))
        )

        assert deleted.status == 204
        assert {answer.status for answer in patched} <= {200, 404}
        assert crowd.send("GET", path).status == 404
        assert Event.objects.filter(kind="deal", row_id=deal.pk).latest("sequence").action == "trashed"
        assert DealState.objects.filter(deal=deal, valid_to=None, deleted_at=None).count() == 0


def test_no_live_deal_stands_in_a_deleted_stage(crowd, world):
    for _ in range(2 * ROUNDS):
        stage = StageFactory(actor=world.alice, pipeline=world.pipeline.pk)
        deals = [DealFactory(actor=world.bob) for _ in range(CLIENTS // 2)]
        moves = [("PATCH", f"/api/deals/{deal.uuid}", {"stage_id": stage.pk}) for deal in deals]
        new = ("POST", "/api/deals", {"name": "New", "stage_id": stage.pk})

        *moved, made, deleted = crowd.together(*moves, new, ("DELETE", f"/api/stages/{stage.pk}"))

        assert deleted.status in (204, 409)
        assert {answer.status for answer in moved} <= {200, 400}
        assert made.status in (201, 400)
        assert not Deal.objects.live().filter(stage__deleted_at__isnull=False).exists()
        if deleted.status == 204:
            assert {answer.status for answer in [*moved, made]} == {400}


def test_no_live_deal_has_a_deleted_contact(crowd, world):
    for _ in range(2 * ROUNDS):
        person = PersonFactory(actor=world.bob)
        named = ("POST", "/api/deals", {"name": "New", "contact_uuid": str(person.uuid)})
        addressed = ("POST", "/api/deals", {"name": "New", "contact_email": person.email})

        *made, deleted = crowd.together(
            *[named, addressed] * (CLIENTS // 4), ("DELETE", f"/api/contacts/{person.uuid}")
        )

        assert deleted.status in (204, 409)
        assert {answer.status for answer in made} <= {201, 400}
        assert not Deal.objects.live().filter(contact__deleted_at__isnull=False).exists()


def test_there_is_one_default_pipeline(crowd, world):
    pipelines = [world.pipeline.pk, world.renewals.pk]
    for _ in range(ROUNDS):
        requests = [("PATCH", f"/api/pipelines/{pk}", {"is_default": True}) for pk in pipelines] * 4

        answers = crowd.together(*requests, *[("POST", "/api/deals", {"name": "Deal"})] * 4)

        assert statuses(answers) == [200] * 8 + [201] * 4
        shown = crowd.send("GET", "/api/pipelines").body["results"]
        assert [row["is_default"] for row in shown].count(True) == 1


def test_the_journal_numbers_every_write_once(crowd, world):
    crowd.together(*[("POST", "/api/deals", {"name": "Deal"})] * CLIENTS)

    events = Event.objects.filter(organization=world.organization)
    sequences = list(events.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
