"""The journal is complete: replaying all events over nothing gives exactly the rows that are in the tables."""

import datetime
import random
from collections import Counter
from decimal import Decimal

from contacts.models import Contact, ContactReference
from contacts.services import (
    create_contacts,
    restore_contacts,
    trash_contacts,
    update_contacts,
    upsert_contacts,
)
from crm_project.accounts.models import ApiToken, Member, Organization
from crm_project.accounts.rules import Role
from crm_project.accounts.services import create_token, rename_token, revoke_token, update_member
from crm_project.changes import columns, stored
from crm_project.errors import DomainError
from crm_project.journal.models import Counter as Numbers
from crm_project.journal.models import Event
from crm_project.journal.services import replayed_columns
from crm_project.records.models import CustomField, CustomFieldReference
from crm_project.records.services import change_references, trash_custom_field, update_custom_field
from deals.models import (
    Deal,
    DealAccess,
    DealContact,
    DealFollower,
    DealReference,
    DealState,
    LostReason,
    LostReasonReference,
)
from deals.rules import STATE_FIELDS
from deals.services import (
    create_deals,
    follow_deal,
    move_deals,
    restore_deals,
    trash_deals,
    trash_lost_reason,
    update_deals,
    update_lost_reason,
    upsert_deals,
)
from pipelines.models import Pipeline, PipelineReference, Stage, StageReference
from pipelines.services import create_stage, trash_pipeline, trash_stage, update_pipeline, update_stage
from tests.base import BaseTestCase, stages_of, with_token
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory, PipelineFactory

ROWS = (Organization, Member, ApiToken, Contact, Pipeline, Stage, LostReason, CustomField, Deal)
LISTS = {
    Deal: {
        "members": (DealContact, "contact_id"),
        "followers": (DealFollower, "member_id"),
        "access_list": (DealAccess, "member_id"),
    }
}
REFERENCES = {
    Contact: ContactReference,
    Pipeline: PipelineReference,
    Stage: StageReference,
    LostReason: LostReasonReference,
    CustomField: CustomFieldReference,
    Deal: DealReference,
}
DAY = datetime.date(2030, 1, 31)


class Replay(BaseTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.scenario()
        cls.random_walk(steps=150)

    @classmethod
    def scenario(cls):
        """Every kind of write, and refused ones between them."""
        for actor in (cls.alice, cls.charlie):
            cls.reference_data(actor)
            cls.contacts(actor)
            cls.deals(actor)
            cls.ends(actor)

    @classmethod
    def reference_data(cls, actor):
        refs = {"external_references": [("erp", "1"), ("shop", "2")]}
        cls.extra = PipelineFactory(actor=actor, name="Extra", description="x", **refs)
        one, two, won, lost = stages_of(cls.extra)
        update_pipeline(actor=actor, pipeline=cls.extra, change={"is_default": True, "is_active": True})
        create_stage(actor=actor, change={"pipeline": cls.extra.pk, "name": "First", "position": 0, **refs})
        update_stage(actor=actor, stage=lost, change={"position": 1, "color": "#00ff00", "kind": "lost"})
        nested = [
            {"id": lost.pk, "name": "Gone"},
            {"id": won.pk},
            {"name": "Fresh"},
            {"id": one.pk},
            {"id": two.pk},
        ]
        update_pipeline(actor=actor, pipeline=cls.extra, change={"name": "Extra 2", "stages": nested})
        cls.reason = LostReasonFactory(actor=actor, **refs)
        cls.other_reason = LostReasonFactory(actor=actor)
        update_lost_reason(actor=actor, lost_reason=cls.reason, change={"name": "Too dear"})
        for key, type in (("budget", "number"), ("size", "text"), ("born", "date")):
            CustomFieldFactory(actor=actor, key=key, type=type)
        cls.tags = CustomFieldFactory(actor=actor, key="tags", type="multiselect", options=["a", "b"], **refs)
        update_custom_field(
            actor=actor, custom_field=cls.tags, change={"options": ["a", "b", "c"], "label": "T"}
        )
        CustomFieldFactory(actor=actor, kind="contact", key="size")

    @classmethod
    def contacts(cls, actor):
        me = actor.member.pk
        cls.company = CompanyFactory(actor=actor, website="https://example.com")
        changes = [
            {"first_name": "Eva", "email": "eva@example.com", "company": cls.company.pk, "owner": me},
            {"last_name": "Kiss", "custom_fields": {"size": "L"}, "external_references": [("erp", "1")]},
            {"email": "zoe@example.com", "phone": "1"},
        ]
        cls.eva, cls.kiss, cls.zoe = create_contacts(actor=actor, changes=changes)
        update_contacts(
            actor=actor,
            changes=[
                (cls.zoe, {"first_name": "Zoë", "description": "\U0001f680\n"}),
                (cls.eva, {"company": None}),
                (cls.kiss, {}),
            ],
        )
        for change in ({"phone": "1"}, {"phone": "2"}, {"phone": "2"}):
            upsert_contacts(actor=actor, changes=[{"email": "upsert@example.com", **change}])
        change_references(actor=actor, row=cls.zoe, add=[("erp", "z"), ("shop", "z")])
        change_references(actor=actor, row=cls.zoe, remove=[("erp", "z")])
        trash_contacts(actor=actor, rows=[cls.kiss, cls.zoe])
        restore_contacts(actor=actor, rows=[cls.kiss])
        refuse(create_contacts, actor=actor, changes=[{"email": "eva@example.com"}])

    @classmethod
    def deals(cls, actor):
        me, pipeline = actor.member.pk, Pipeline.objects.of(actor.organization_id).get(name="Sales")
        new, offer, won, lost = stages_of(pipeline)
        full = {
            "name": "Full",
            "description": "x",
            "amount": Decimal("0.1"),
            "tax_rate": "23",
            "stage": offer.pk,
            "contact": cls.eva.pk,
            "client": cls.company.pk,
            "owner": me,
            "members": [cls.eva.pk, cls.kiss.pk],
            "followers": [me],
            "is_private": True,
            "access_list": [me],
            "expected_close_date": DAY,
            "date": DAY,
            "date_from": DAY,
            "date_to": DAY,
            "number": "7",
            "url": "https://example.com",
            "department_id": -5,
            "task_id": 2**62,
            "custom_fields": {"budget": Decimal("1.5"), "tags": ["a"], "born": "2000-02-29"},
            "external_references": [("erp", "1"), ("shop", "2")],
        }
        hourly = {"bid_type": "hour", "bid_value": Decimal("80.50"), "bid_periods": 3, "currency": "kwd"}
        hourly["stage"] = new.pk
        by_email = {"contact_email": "New@example.com", "contact_first_name": "New", "pipeline": pipeline.pk}
        full, hourly, by_email, empty = create_deals(actor=actor, changes=[full, hourly, by_email, {}])

        def update(deal, **change):
            update_deals(actor=actor, changes=[(deal, change)])

        update(full, amount=Decimal(12345678901), next_deal=hourly.pk, members=[cls.kiss.pk], followers=None)
        update(
            full,
            custom_fields={"budget": 2, "tags": None},
            external_references=[("shop", "2"), ("shop", "3")],
        )
        update(full, name="Full again", is_private=False, access_list=[])
        update(full, name="Full again")
        update(hourly, bid_periods=5, probability=35)
        update(hourly, amount=Decimal("1.125"), probability=None)
        update(hourly, currency="EUR", amount=None, stage=offer.pk)
        update(by_email, stage=won.pk)
        update(by_email, stage=lost.pk, lost_reason=cls.reason.pk)
        update(by_email, status="abandoned", lost_reason=cls.other_reason.pk)
        update(by_email, stage=new.pk, owner=me)
        update(
            by_email,
            status="won",
            closed_at=datetime.datetime(2020, 1, 1, 12, 30, 0, 123456, tzinfo=datetime.UTC),
        )
        update(by_email, pipeline=cls.extra.pk)
        update_deals(actor=actor, changes=[(empty, {"name": "a"}), (full, {"name": "b"}), (hourly, {})])
        follow_deal(actor=actor, deal=full, member=actor.member.uuid, follows=True)
        follow_deal(actor=actor, deal=full, member=actor.member.uuid, follows=True)
        follow_deal(actor=actor, deal=full, member=actor.member.uuid, follows=False)
        move_deals(actor=actor, deals=[full, empty], stage=new)
        for change in (
            {"uuid": full.uuid, "name": "c"},
            {"external_references": [("shop", "3"), ("shop", "4")], "expected_close_date": None},
            {"external_references": [("shop", "5")], "name": "made"},
            {"contact": cls.kiss.pk, "stage": offer.pk},
            {"contact": cls.kiss.pk, "stage": won.pk},
            {"contact": cls.kiss.pk, "stage": won.pk},
        ):
            upsert_deals(actor=actor, changes=[change])
        change_references(actor=actor, row=full, add=[("crm", "1")], remove=[("shop", "2")])
        trash_deals(actor=actor, rows=[full, hourly])
        restore_deals(actor=actor, rows=[full])
        restore_deals(actor=actor, rows=[hourly], stage=lost.pk)
        trash_deals(actor=actor, rows=[empty])
        update_contacts(actor=actor, changes=[(cls.eva, {"last_name": "Renamed"})])
        refuse(update_deals, actor=actor, changes=[(full, {"name": "ok"}), (hourly, {"currency": "nope"})])
        refuse(create_deals, actor=actor, changes=[{**by_email_refused(), "stage": 2**62}])

    @classmethod
    def ends(cls, actor):
        sales = Pipeline.objects.of(actor.organization_id).get(name="Sales")
        new, offer, won, _ = stages_of(sales)
        trash_lost_reason(actor=actor, lost_reason=cls.other_reason)
        trash_custom_field(actor=actor, custom_field=cls.tags)
        refuse(trash_stage, actor=actor, stage=new)
        trash_stage(actor=actor, stage=new, move_deals_to=won.pk)
        update_pipeline(actor=actor, pipeline=sales, change={"is_default": True})
        trash_pipeline(actor=actor, pipeline=cls.extra, move_deals_to=offer.pk)
        change_references(actor=actor, row=actor.member, add=[("erp", "me")])
        change_references(actor=actor, row=sales, add=[("erp", "s")])
        token, _ = create_token(actor=actor, name="ERP", scopes=["read", "write"])
        rename_token(actor=actor, token=token, name="Shop")
        revoke_token(actor=actor, token=token)

    @classmethod
    def random_walk(cls, *, steps):
        """The same few deals again and again, in whatever order chance brings; refusals are part of it."""
        chance = random.Random(4711)
        actors = [cls.alice, cls.manager, cls.bob, with_token(cls.bob, "read", "write")]
        update_member(actor=cls.alice, member=cls.manager.member, job_title="Boss", role=Role.MANAGER)
        people = [cls.person(cls).pk for _ in range(3)]
        members = [actor.member.pk for actor in actors[:3]]
        stages = list(Stage.objects.of(cls.organization.pk).live())
        deals = [cls.deal(cls) for _ in range(6)]

        def some(rows):
            return chance.sample(rows, chance.randint(0, len(rows)))

        changes = (
            lambda: {"stage": chance.choice(stages).pk},
            lambda: {"status": chance.choice(Deal.Statuses.values)},
            lambda: {"amount": chance.choice([None, Decimal(chance.randint(0, 10**6)) / 100])},
            lambda: {"bid_type": "hour", "bid_value": Decimal(chance.randint(0, 99)), "bid_periods": 2},
            lambda: {"probability": chance.choice([None, 0, 35, 100])},
            lambda: {
                "owner": chance.choice([None, *members]),
                "expected_close_date": chance.choice([None, DAY]),
            },
            lambda: {"members": some(people), "followers": some(members)},
            lambda: {"is_private": chance.random() < 0.2, "access_list": some(members)},
            lambda: {"external_references": [("walk", str(chance.randint(0, 9)))]},
            lambda: {"custom_fields": {"budget": chance.choice([None, 1, Decimal("0.1")])}},
            lambda: {"name": chance.choice(["", "same", "other"]), "contact": chance.choice([None, *people])},
        )
        for _ in range(steps):
            actor, deal = chance.choice(actors), chance.choice(deals)
            act = chance.choices(("update", "trash", "restore", "reorder"), (8, 1, 2, 1))[0]
            try:
                if act == "update":
                    rows = {deal.pk: deal, **{other.pk: other for other in some(deals)[:2]}}
                    update_deals(
                        actor=actor, changes=[(row, chance.choice(changes)()) for row in rows.values()]
                    )
                elif act == "trash":
                    trash_deals(actor=actor, rows=[deal])
                elif act == "restore":
                    restore_deals(
                        actor=actor, rows=[deal], stage=chance.choice([None, chance.choice(stages).pk])
                    )
                else:
                    position = chance.randint(0, 3)
                    update_stage(actor=actor, stage=chance.choice(stages), change={"position": position})
            except DomainError:
                continue

    def events(self, **of):
        return Event.objects.filter(**of).order_by("organization", "sequence")

    def test_every_kind_of_row_has_been_through_every_action(self):
        done = set(self.events().values_list("kind", "action"))

        trashable = {"contact", "deal"}
        for kind in ("contact", "deal", "pipeline", "stage", "lost_reason", "custom_field"):
            assert {(kind, "created"), (kind, "updated"), (kind, "trashed")} <= done
            assert ((kind, "restored") in done) == (kind in trashable)
        assert {("user", "created"), ("user", "updated"), ("token", "created"), ("token", "updated")} <= done
        assert ("organization", "created") in done

    def test_the_columns_of_every_row_are_in_its_events(self):
        for model in ROWS:
            replayed = replayed_columns(model, self.events(kind=model.row_kind))
            rows = {row.pk: row for row in model.objects.all()}

            assert replayed.keys() == rows.keys()
            for pk, row in rows.items():
                with self.subTest(row=row):
                    expected = {**columns(row), "version": row.version}
                    assert {name: replayed[pk].get(name) for name in expected} == expected

    def test_the_lists_of_every_row_are_in_its_events(self):
        for model, lists in LISTS.items():
            replayed = replayed_columns(model, self.events(kind=model.row_kind))
            for name, (table, column) in lists.items():
                rows = table.objects.values_list(f"{model.row_kind}_id", column)

                assert pairs(replayed, name) == sorted(rows), name
                assert rows.exists()

    def test_the_references_of_every_row_are_in_its_events(self):
        for model, table in REFERENCES.items():
            replayed = replayed_columns(model, self.events(kind=model.row_kind))
            rows = table.objects.values_list("row_id", "system", "external_id")

            told = [(pk, tuple(key)) for pk, key in pairs(replayed, "external_references")]
            assert told == sorted((pk, (system, external_id)) for pk, system, external_id in rows)
            assert rows.exists()

    def test_a_reference_is_live_as_long_as_its_row(self):
        for model, table in REFERENCES.items():
            for reference in table.objects.select_related("row"):
                assert reference.is_live == (reference.row.deleted_at is None), (model, reference)

    def test_what_was_old_was_new_before(self):
        last = {}
        for event in self.events():
            for name, (old, new) in stored(event.changes).items():
                key = (event.kind, event.row_id, name)
                assert in_any_order(old) == last.get(key), (event, name)
                last[key] = in_any_order(new)

    def test_sequences_have_no_gap(self):
        for organization in Organization.objects.all():
            sequences = list(self.events(organization=organization).values_list("sequence", flat=True))

            assert sequences == list(range(1, len(sequences) + 1))
            assert Numbers.objects.get(organization=organization).last == len(sequences)

    def test_every_write_raises_the_version_and_records_one_event(self):
        versions = {}
        for event in self.events():
            key = (event.kind, event.row_id)
            assert event.row_version == versions.get(key, 0) + 1, event
            versions[key] = event.row_version
        for model in ROWS:
            for row in model.objects.all():
                assert versions[model.row_kind, row.pk] == row.version

        times = Counter(self.events().values_list("change_set", "kind", "row_id"))
        assert max(times.values()) == 1

    def test_an_event_has_the_changes_and_the_actor(self):
        for event in self.events():
            assert event.changes
            assert all(old != new for old, new in event.changes.values()) or event.action == "created"
            # Only the opening of an organization has no actor.
            opening = event.kind in ("organization", "user") and event.action == "created"
            assert (event.actor is None) == opening

        assert self.events(token_uuid__isnull=False).exists()

    def test_no_event_holds_a_row_of_another_organization(self):
        for model in ROWS[1:]:
            owners = dict(model.objects.values_list("pk", "organization_id"))
            for event in self.events(kind=model.row_kind):
                assert owners[event.row_id] == event.organization_id

    def test_the_states_of_every_deal_are_those_its_events_went_through(self):
        expected = brute_force_states(self.events())
        for deal in Deal.objects.all():
            with self.subTest(deal=deal):
                states = list(DealState.objects.filter(deal=deal).order_by("valid_from"))

                told = [
                    {name: getattr(state, name) for name in (*STATE_FIELDS, "probability")}
                    for state in states
                ]
                assert told == expected[deal.pk]

    def test_states_are_contiguous(self):
        assert DealState.objects.count() > 100
        for deal in Deal.objects.all():
            states = list(DealState.objects.filter(deal=deal).order_by("valid_from"))

            assert states[0].valid_from == deal.created_at
            assert [state.valid_to for state in states] == [*(s.valid_from for s in states[1:]), None]
            assert all(state.valid_from < state.valid_to for state in states[:-1])


def refuse(write, **arguments):
    """A refused write leaves nothing behind, least of all an event."""
    before = Event.objects.count()
    try:
        write(**arguments)
    except DomainError:
        assert Event.objects.count() == before
    else:
        raise AssertionError(f"{write} was expected to refuse")


def by_email_refused():
    return {"contact_email": "never@example.com", "contact_first_name": "Never"}


def in_any_order(value):
    """Lists are sets of rows; an empty one is like none."""
    return sorted(value) or None if isinstance(value, list) else value


def pairs(replayed, name):
    return sorted((pk, key) for pk, row in replayed.items() for key in row.get(name, []))


def brute_force_states(events):
    """Each deal's states, told by the events alone: what it was after each of them, as far as that differs."""
    deal_fields = {field.attname: field for field in Deal._meta.concrete_fields}
    deals, stages, states = {}, {}, {}
    for event in events:
        if event.kind == "stage":
            stages.setdefault(event.row_id, {}).update(
                {name: new for name, (_, new) in stored(event.changes).items()}
            )
        if event.kind != "deal":
            continue
        deal = deals.setdefault(event.row_id, {})
        for name, (_, new) in stored(event.changes).items():
            deal[name] = deal_fields[name].to_python(new) if name in deal_fields else new
        state = {name: deal.get(name) for name in STATE_FIELDS}
        in_force = {"won": 100, "lost": 0, "abandoned": 0}
        own = (
            stages[deal["stage_id"]]["probability"]
            if deal.get("probability") is None
            else deal["probability"]
        )
        state["probability"] = in_force.get(deal["status"], own)
        if states.setdefault(event.row_id, [None])[-1] != state:
            states[event.row_id].append(state)
    return {pk: told[1:] for pk, told in states.items()}
