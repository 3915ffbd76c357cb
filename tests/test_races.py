"""Many at once: what a customer's integrations and colleagues do to the same rows at the same moment, for real."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection

from contacts.models import Contact
from contacts.services import merge_contacts, trash_contacts, update_contacts, upsert_contacts
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member, Organization
from crm_project.accounts.rules import Role
from crm_project.accounts.services import update_member
from crm_project.changes import change_set
from crm_project.errors import DomainError
from crm_project.journal.models import Counter as Numbers
from crm_project.journal.models import Event
from crm_project.journal.undo import undo
from deals.models import Deal, DealReference, DealState
from deals.services import create_deals, follow_deal, restore_deals, trash_deals, update_deals, upsert_deals
from pipelines.models import Pipeline, Stage
from pipelines.services import create_pipeline, create_stage, trash_stage, update_pipeline, update_stage
from tests.base import World, stages_of
from tests.factories import ActorFactory, CompanyFactory, OrganizationFactory

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

SECONDS = 60


@pytest.fixture
def world():
    return World()


def at_once(*works):
    """Run the works in threads of their own, each with its own connection, all released by one barrier.

    Answers what each returned, or the refusal it met; anything else that goes wrong is raised.
    """
    barrier = threading.Barrier(len(works))

    def run(work):
        try:
            connection.ensure_connection()
            barrier.wait(SECONDS)
            return work()
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(run, work) for work in works]
        return [future.result(SECONDS) for future in running]


def codes(results):
    """How many went through, and how many met which refusal."""
    return Counter(code_of(result) if isinstance(result, DomainError) else "done" for result in results)


def code_of(refusal):
    return refusal.fields[0].code if refusal.code == "invalid" else refusal.code


@pytest.fixture(autouse=True)
def _the_journal_has_no_gaps(db, django_db_setup):
    """Whatever has raced: numbers are gapless, each version is told once, each deal has one unbroken line of states."""
    yield
    for organization in Organization.objects.all():
        sequences = list(
            Event.objects.filter(organization=organization)
            .order_by("sequence")
            .values_list("sequence", flat=True)
        )
        assert sequences == list(range(1, len(sequences) + 1))
        assert Numbers.objects.get(organization=organization).last == len(sequences)
    for model in (Deal, Contact, Pipeline, Stage):
        for row in model.objects.all():
            told = Event.objects.filter(kind=model.row_kind, row_id=row.pk).order_by("sequence")
            assert list(told.values_list("row_version", flat=True)) == list(range(1, row.version + 1))
    for deal in Deal.objects.all():
        states = list(DealState.objects.filter(deal=deal).order_by("valid_from"))
        assert [state.valid_to for state in states] == [*(state.valid_from for state in states[1:]), None]
        assert states[-1].deleted_at == deal.deleted_at


def test_one_email_in_five_spellings_makes_one_contact(world):
    spellings = (
        "eva@example.com",
        "Eva@Example.com",
        " eva@example.com",
        "EVA@EXAMPLE.COM ",
        "eVa@eXample.com",
    )

    def create(n):
        change = {"name": str(n), "contact_email": spellings[n % 5], "contact_first_name": f"Eva {n}"}
        return create_deals(actor=world.bob, changes=[change])

    results = at_once(*(lambda n=n: create(n) for n in range(16)))

    assert codes(results) == {"done": 16}
    assert Contact.objects.get().email == "eva@example.com"
    assert Deal.objects.filter(contact=Contact.objects.get()).count() == 16


@pytest.mark.parametrize("key", ["external_reference", "contact_and_pipeline", "a new contact and pipeline"])
def test_identical_upserts_make_one_deal(world, key):
    change = {
        "external_reference": lambda: {"external_references": [("erp", "1")]},
        "contact_and_pipeline": lambda: {"contact": world.person().pk},
        "a new contact and pipeline": lambda: {"contact_email": "e@example.com", "contact_first_name": "Eva"},
    }[key]()
    change |= {"name": "Same", "amount": Decimal(5)}

    results = at_once(*[lambda: upsert_deals(actor=world.bob, changes=[change])[0]] * 16)

    assert codes(results) == {"done": 16}
    assert Counter(receipt.outcome for receipt in results) == {"created": 1, "unchanged": 15}
    assert (Deal.objects.get().version, Contact.objects.count() < 2) == (1, True)


def test_identical_closing_upserts_close_one_deal(world):
    person = world.person()
    world.deal(contact=person.pk)
    change = {"contact": person.pk, "stage": world.won.pk}

    results = at_once(*[lambda: upsert_deals(actor=world.bob, changes=[change])[0]] * 8)

    assert Counter(receipt.outcome for receipt in results) == {"updated": 1, "unchanged": 7}
    assert Deal.objects.get().version == 2


def test_identical_upserts_make_one_contact(world):
    change = {"email": "eva@example.com", "first_name": "Eva", "external_references": [("erp", "1")]}

    results = at_once(*[lambda: upsert_contacts(actor=world.bob, changes=[change])[0]] * 8)

    assert Counter(receipt.outcome for receipt in results) == {"created": 1, "unchanged": 7}
    assert Contact.objects.get().version == 1


def test_one_reference_goes_to_one_deal(world):
    deals = [world.deal() for _ in range(6)]

    def claim(deal):
        return update_deals(actor=world.bob, changes=[(deal, {"external_references": [("erp", "1")]})])

    results = at_once(*(lambda deal=deal: claim(deal) for deal in deals))

    assert codes(results) == {"done": 1, "reference_taken": 5}
    assert DealReference.objects.count() == 1


def test_one_address_goes_to_one_contact(world):
    people = [world.person() for _ in range(6)]

    def claim(person):
        return update_contacts(actor=world.bob, changes=[(person, {"email": "eva@example.com"})])

    results = at_once(*(lambda person=person: claim(person) for person in people))

    assert codes(results) == {"done": 1, "email_taken": 5}


def test_no_update_is_lost(world):
    deal = world.deal()
    changes = (
        {"name": "New"},
        {"amount": Decimal(5)},
        {"description": "x"},
        {"stage": world.offer.pk},
        {"owner": world.bob.member.pk},
    )

    def update(change):
        return update_deals(actor=world.bob, changes=[(deal, change)])

    results = at_once(*(lambda change=change: update(change) for change in changes))

    row = Deal.objects.get()
    assert codes(results) == {"done": 5}
    assert (row.name, row.amount, row.description, row.stage, row.owner) == (
        "New",
        Decimal(5),
        "x",
        world.offer,
        world.bob.member,
    )
    assert row.version == 6


def test_the_search_text_follows_whoever_is_renamed_meanwhile(world):
    people = [world.person(first_name="Old") for _ in range(2)]
    deals = [world.deal(contact=people[0].pk) for _ in range(3)]

    def relink(deal):
        return update_deals(actor=world.bob, changes=[(deal, {"contact": people[1].pk, "name": "x"})])

    def rename(person):
        return update_contacts(actor=world.bob, changes=[(person, {"first_name": "Renamed"})])

    results = at_once(
        *(lambda deal=deal: relink(deal) for deal in deals),
        *(lambda person=person: rename(person) for person in people),
    )

    assert codes(results) == {"done": 5}
    assert Deal.objects.matching("renamed").count() == 3
    assert not Deal.objects.matching("old").exists()


def test_no_follower_is_lost(world):
    deal = world.deal()
    followers = [ActorFactory(organization=world.organization).member for _ in range(6)]

    def follow(member):
        return follow_deal(actor=world.bob, deal=deal, member=member.pk, follows=True)

    results = at_once(*(lambda member=member: follow(member) for member in followers))

    assert codes(results) == {"done": 6}
    assert set(deal.followers.all()) == set(followers)
    assert Deal.objects.get().version == 7


def test_lists_of_the_same_deals_in_other_orders_do_not_block_each_other(world):
    deals = [world.deal() for _ in range(8)]

    def update(n):
        rows = deals if n % 2 else deals[::-1]
        return update_deals(actor=world.bob, changes=[(row, {"name": str(n)}) for row in rows])

    results = at_once(*(lambda n=n: update(n) for n in range(8)))

    assert codes(results) == {"done": 8}
    assert set(Deal.objects.values_list("version", flat=True)) == {9}
    assert len(set(Deal.objects.values_list("name", flat=True))) == 1


def test_what_is_trashed_stays_trashed(world):
    deal = world.deal()

    def update(n):
        return update_deals(actor=world.bob, changes=[(deal, {"name": str(n)})])

    results = at_once(
        *(lambda n=n: update(n) for n in range(6)), lambda: trash_deals(actor=world.alice, rows=[deal])
    )

    counted = codes(results)
    assert counted["done"] + counted["not_found"] == 7
    assert not isinstance(results[-1], DomainError)
    assert Deal.objects.get().deleted_at is not None
    assert Deal.objects.get().version == 1 + counted["done"]


def test_a_deal_is_trashed_and_restored_once(world):
    deal = world.deal(external_references=[("erp", "1")])

    trashed = at_once(*[lambda: trash_deals(actor=world.bob, rows=[deal])] * 4)
    restored = at_once(*[lambda: restore_deals(actor=world.bob, rows=[deal])] * 4)

    assert codes(trashed) == codes(restored) == {"done": 1, "not_found": 3}
    assert Deal.objects.get().version == 3


def test_a_reference_does_not_come_back_while_it_is_given_away(world):
    deal = world.deal(external_references=[("erp", "1")])
    trash_deals(actor=world.bob, rows=[deal])
    change = {"external_references": [("erp", "1")]}

    results = at_once(
        lambda: restore_deals(actor=world.bob, rows=[deal]),
        *[lambda: create_deals(actor=world.bob, changes=[change])] * 4,
    )

    counted = codes(results)
    assert counted.pop("done") == 1
    assert counted.keys() <= {"reference_taken", "restore_conflict"}
    assert DealReference.objects.filter(is_live=True).count() == 1


@pytest.mark.parametrize("move_deals_to", [None, "the last stage"])
def test_no_live_deal_stands_in_a_trashed_stage(world, move_deals_to):
    deals = [world.deal(stage=world.new.pk) for _ in range(6)]
    target = world.lost.pk if move_deals_to else None

    def move(deal):
        return update_deals(actor=world.bob, changes=[(deal, {"stage": world.offer.pk})])

    results = at_once(
        *(lambda deal=deal: move(deal) for deal in deals),
        lambda: create_deals(actor=world.bob, changes=[{"stage": world.offer.pk}]),
        lambda: trash_stage(actor=world.alice, stage=world.offer, move_deals_to=target),
    )

    assert codes(results).keys() <= {"done", "in_use", "does_not_exist"}
    assert not Deal.objects.live().filter(stage__deleted_at__isnull=False).exists()
    if target:
        assert not isinstance(results[-1], DomainError)


def test_no_live_deal_has_a_trashed_contact(world):
    person, deals = world.person(), [world.deal() for _ in range(6)]
    restored = world.deal(members=[person.pk])
    trash_deals(actor=world.bob, rows=[restored])

    def link(deal):
        return update_deals(actor=world.bob, changes=[(deal, {"contact": person.pk})])

    results = at_once(
        *(lambda deal=deal: link(deal) for deal in deals),
        lambda: restore_deals(actor=world.bob, rows=[restored]),
        lambda: trash_contacts(actor=world.bob, rows=[person]),
    )

    assert codes(results).keys() <= {"done", "in_use", "does_not_exist", "restore_conflict"}
    used = Deal.objects.live().filter(contact__isnull=False) | Deal.objects.live().filter(members=person)
    assert used.exists() == (Contact.objects.get().deleted_at is None)


def test_two_contacts_that_are_merged_into_each_other_leave_one(world):
    """Of both directions at once one is carried out, and every deal has the contact that is left."""
    one, two = world.person(email="one@example.com"), world.person(email="two@example.com")
    deals = [world.deal(contact=row.pk) for row in (one, two)]

    results = at_once(
        lambda: merge_contacts(actor=world.bob, sources=[two], target=one),
        lambda: merge_contacts(actor=world.bob, sources=[one], target=two),
        lambda: merge_contacts(actor=world.bob, sources=[two], target=one),
    )

    assert codes(results) == {"done": 1, "not_found": 2}
    left = Contact.objects.live().get()
    assert {Deal.objects.get(pk=deal.pk).contact_id for deal in deals} == {left.pk}
    assert {left.email, *left.further_emails} == {"one@example.com", "two@example.com"}


def test_a_contact_that_is_merged_into_two_goes_to_one(world):
    """Merges that share a source, and a deal that is written with it meanwhile: no deal keeps a trashed contact."""
    source, *targets = [world.person() for _ in range(3)]
    deal = world.deal(contact=source.pk)

    results = at_once(
        *(
            lambda target=target: merge_contacts(actor=world.bob, sources=[source], target=target)
            for target in targets
        ),
        lambda: create_deals(actor=world.bob, changes=[{"name": "New", "contact": source.pk}]),
        lambda: update_contacts(actor=world.bob, changes=[(source, {"phone": "+43 1 5550009"})]),
    )

    merged = [result for result in results[:2] if not isinstance(result, DomainError)]
    assert len(merged) == 1
    assert Deal.objects.get(pk=deal.pk).contact_id == merged[0].row.pk
    assert not Deal.objects.live().filter(contact__deleted_at__isnull=False).exists()


def test_a_kind_does_not_change_under_a_deal(world):
    deals = [world.deal(stage=world.new.pk) for _ in range(4)]

    def move(deal):
        return update_deals(actor=world.bob, changes=[(deal, {"stage": world.offer.pk})])

    at_once(
        *(lambda deal=deal: move(deal) for deal in deals),
        lambda: update_stage(actor=world.alice, stage=world.offer, change={"kind": "won"}),
    )

    offer = Stage.objects.get(pk=world.offer.pk)
    statuses = set(Deal.objects.filter(stage=offer).values_list("status", flat=True))
    assert statuses <= {offer.kind}


def test_reordering_stages_at_once_leaves_an_order(world):
    stages = stages_of(world.pipeline)

    def move(stage, position):
        return update_stage(actor=world.alice, stage=stage, change={"position": position})

    results = at_once(
        lambda: move(stages[0], 3),
        lambda: move(stages[3], 0),
        lambda: move(stages[1], 2),
        lambda: create_stage(
            actor=world.alice, change={"pipeline": world.pipeline.pk, "name": "x", "position": 1}
        ),
        lambda: update_pipeline(
            actor=world.alice,
            pipeline=world.pipeline,
            change={"stages": [{"id": s.pk} for s in stages[::-1]]},
        ),
        lambda: trash_stage(actor=world.alice, stage=stages[2]),
    )

    assert codes(results).keys() <= {"done", "not_found", "does_not_exist"}
    after = stages_of(world.pipeline)
    assert [stage.position for stage in after] == list(range(len(after)))


def test_one_pipeline_is_the_default(world):
    pipelines = [world.pipeline, world.renewals]

    def crown(pipeline):
        return update_pipeline(actor=world.alice, pipeline=pipeline, change={"is_default": True})

    results = at_once(*(lambda pipeline=pipeline: crown(pipeline) for pipeline in pipelines * 4))

    assert codes(results) == {"done": 8}
    assert Pipeline.objects.of(world.organization.pk).default().count() == 1


def test_the_first_pipelines_of_an_organization_agree_on_one_default():
    admin = ActorFactory(organization=OrganizationFactory(), role=Role.ADMIN)

    results = at_once(*(lambda n=n: create_pipeline(actor=admin, change={"name": str(n)}) for n in range(4)))

    assert codes(results) == {"done": 4}
    assert Pipeline.objects.default().count() == 1


def test_whoever_is_written_and_referred_to_at_once_blocks_nobody(world):
    """Foreign keys are checked at the end, by whoever has the journal's counter that the others wait for."""
    deal, member = world.deal(), world.bob.member

    def refer(n):
        return create_deals(
            actor=world.bob, changes=[{"name": str(n), "next_deal": deal.pk, "owner": member.pk}]
        )

    def write(n):
        if n % 2:
            return update_member(actor=world.alice, member=member, job_title=str(n))
        return update_deals(actor=world.bob, changes=[(deal, {"name": str(n)})])

    for _ in range(3):
        results = at_once(*(lambda n=n: (refer if n % 2 else write)(n // 2) for n in range(16)))

        assert codes(results) == {"done": 16}
    assert Deal.objects.filter(next_deal=deal, owner=member).count() == 24


def test_an_undo_takes_the_catalogue_and_keys_in_the_order_of_writes(world):
    """The change set has a stage, for which the undo takes the catalogue alone, and a reference of a deal."""
    deals = [world.deal() for _ in range(8)]
    key = ("erp", "1")

    for number in range(3):
        update_deals(actor=world.alice, changes=[(deals[0], {"external_references": [key]})])
        with change_set(world.alice) as changes:
            update_stage(actor=world.alice, stage=world.new, change={"name": f"New {number}"})
            update_deals(actor=world.alice, changes=[(deals[0], {"external_references": []})])
        event = Event.objects.filter(change_set=changes.uuid).first()

        results = at_once(
            lambda event=event: undo(actor=world.alice, sequence=event.sequence),
            *(lambda deal=deal: claim(world, deal, key) for deal in deals[1:]),
        )

        assert codes(results).keys() <= {"done", "reference_taken"}
        assert DealReference.objects.filter(is_live=True).count() == 1
        holder = DealReference.objects.get(is_live=True).row
        update_deals(actor=world.alice, changes=[(holder, {"external_references": []})])


@pytest.mark.parametrize("undone", ["the rename of the company", "the move of the person"])
def test_an_undo_locks_a_company_and_its_people_in_one_order(world, undone):
    """The person is older than the company, so a write of both locks the person first."""
    person = world.person(first_name="Ann")
    company = CompanyFactory(actor=world.bob, name="Old")
    update_contacts(actor=world.bob, changes=[(person, {"company": company.pk})])

    for number in range(4):
        row, change = (company, {"name": "New"}) if "rename" in undone else (person, {"company": None})
        update_contacts(actor=world.bob, changes=[(row, change)])
        event = Event.objects.filter(kind="contact", row_id=row.pk).latest("sequence")

        def write(n, number=number):
            changes = [
                (person, {"job_title": f"{number} {n}"}),
                (company, {"website": f"https://{n}.example"}),
            ]
            return update_contacts(actor=world.bob, changes=changes)

        results = at_once(
            lambda event=event: undo(actor=world.bob, sequence=event.sequence),
            *(lambda n=n: write(n) for n in range(6)),
        )

        assert codes(results) == {"done": 7}
    person.refresh_from_db()
    assert person.company == company
    assert set(Contact.objects.matching("old")) == {person, company}


def test_a_company_is_renamed_while_older_people_join_and_leave(world):
    """The rename writes the search text of people who were not there when it locked the others."""
    people = [world.person(first_name=f"Ann {n}") for n in range(6)]
    company = CompanyFactory(actor=world.bob, name="Old")

    def join(person):
        update_contacts(actor=world.bob, changes=[(person, {"company": company.pk})])
        return update_contacts(actor=world.bob, changes=[(person, {"job_title": "Seller"}), (company, {})])

    for number in range(6):
        renames = [
            lambda n=n, number=number: update_contacts(
                actor=world.bob, changes=[(company, {"name": f"New{number} {n}"})]
            )
            for n in range(3)
        ]
        results = at_once(*renames, *(lambda person=person: join(person) for person in people))

        assert codes(results) == {"done": 9}
        name = Contact.objects.get(pk=company.pk).name.lower()
        assert set(Contact.objects.matching(f'"{name}"')) | set(Contact.objects.matching(name)) == {
            company,
            *people,
        }
        update_contacts(actor=world.bob, changes=[(person, {"company": None}) for person in people])


def claim(world, deal, key):
    """By each service that holds the keys of deals."""
    change = {"external_references": [key]}
    if deal.pk % 2:
        return update_deals(actor=world.bob, changes=[(deal, change)])
    return upsert_deals(
        actor=world.bob, changes=[{**change, "name": "Found", "match_on": "external_reference"}]
    )


def test_two_admins_who_demote_each_other_leave_one(world):
    update_member(actor=world.alice, member=world.bob.member, role=Role.ADMIN)
    bob = Actor(Member.objects.select_related("user", "organization").get(pk=world.bob.member.pk))

    results = at_once(
        lambda: update_member(actor=world.alice, member=bob.member, role=Role.REP),
        lambda: update_member(actor=bob, member=world.alice.member, role=Role.REP),
    )

    assert codes(results) == {"done": 1, "last_admin": 1}
    assert Member.objects.filter(organization=world.organization, role=Role.ADMIN).count() == 1


def test_organizations_do_not_wait_for_each_other_and_mix_nothing_up(world):
    actors = (world.bob, world.charlie)
    change = {
        "contact_email": "eva@example.com",
        "contact_first_name": "Eva",
        "external_references": [("erp", "1")],
    }

    results = at_once(
        *(lambda actor=actor: upsert_deals(actor=actor, changes=[change])[0] for actor in actors * 6)
    )

    assert Counter((receipt.row.organization_id, receipt.outcome) for receipt in results) == {
        (actor.organization_id, outcome): count
        for actor in actors
        for outcome, count in (("created", 1), ("unchanged", 5))
    }
