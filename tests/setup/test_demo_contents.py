"""The content of the demo: members of each role, the rows of the example requests, a year of sales."""

import datetime
from io import StringIO
from itertools import pairwise
from unittest import mock

import pytest
from django.core.management import call_command
from django.test import TestCase

from contacts.models import Contact
from crm_project.accounts.models import Member, Organization
from crm_project.accounts.services import authenticate_token
from crm_project.journal.models import Counter, Event
from crm_project.journal.services import replayed_columns
from crm_project.journal.undo import undo
from crm_project.records.models import CustomField, MemberReference, OrganizationReference
from crm_project.setup.demo.build import OTHER_DEALS
from crm_project.setup.demo.clock import frozen_time
from deals.models import Deal, LostReason
from pipelines.models import Pipeline, Stage

pytestmark = pytest.mark.once

NOON = datetime.datetime(2026, 5, 20, 12, tzinfo=datetime.UTC)
PASSWORD = "as the environment says"
TOKEN = "a-token-that-the-environment-brought-along"


class DemoTestCase(TestCase):
    deals = 0

    @classmethod
    def setUpTestData(cls):
        with mock.patch.dict("os.environ", DEMO_PASSWORD=PASSWORD, DEMO_TOKEN=TOKEN), frozen_time(NOON):
            call_command("demo", f"--deals={cls.deals}", stdout=StringIO(), stderr=StringIO())
        cls.organization = Organization.objects.get(slug="demo")

    def rows(self, model):
        return model.objects.filter(organization=self.organization)

    def referenced(self, model, system, external_id):
        return self.rows(model).holding_reference(system=system, external_id=external_id).get()


class PeopleTests(DemoTestCase):
    def test_there_is_a_login_of_each_role(self):
        logins = {
            member.email: (
                member.organization.slug,
                member.role,
                member.user.is_staff,
                member.user.is_superuser,
            )
            for member in Member.objects.select_related("user", "organization")
            if member.user.has_usable_password()
        }

        assert logins == {
            "admin@example.com": ("demo", "admin", True, True),
            "manager@example.com": ("demo", "manager", True, False),
            "rep@example.com": ("demo", "rep", True, False),
            "viewer@example.com": ("demo", "viewer", True, False),
            "outsider@example.com": ("other", "admin", True, False),
        }
        assert self.rows(Member).count() == 8

    def test_the_token_is_the_admins_and_of_every_scope(self):
        actor = authenticate_token(TOKEN)

        assert actor.member.email == "admin@example.com"
        assert len(actor.token.scopes) == 3


class ExampleTests(DemoTestCase):
    """Each of the documents' requests finds the rows that it names."""

    def test_the_default_pipeline(self):
        pipeline = self.rows(Pipeline).get(is_default=True)
        first, *_ = stages = list(pipeline.stages.in_order())
        kinds = [stage.kind for stage in stages]

        assert pipeline.name == "Vente Standard"
        assert (first.name, first.color, first.probability, first.kind) == (
            "Nouveau lead",
            "#3b82f6",
            10,
            "open",
        )
        assert kinds.count("open") >= 3
        assert (kinds.count("won"), kinds.count("lost")) == (1, 1)

    def test_the_ids_of_leadconnector(self):
        pipeline = self.referenced(Pipeline, "leadconnector", "bCkKGpDsyPP4peuKowkG")
        stage = self.referenced(Stage, "leadconnector", "7915dedc-8f18-44d5-8bc3-77c04e994a10")
        location = OrganizationReference.objects.get(
            system="leadconnector", external_id="CLu7BaljjqrEjBGKTNNe"
        )
        users = MemberReference.objects.filter(
            system="leadconnector", external_id__in=["082goXVW3lIExEQPOnd3", "LiKJ2vnRg5ETM8Z19K7"]
        )

        assert pipeline.is_default
        assert (stage.pipeline_id, stage.position) == (pipeline.pk, 0)
        assert len({reference.row_id for reference in users}) == 2
        assert location.row == self.organization
        assert self.referenced(LostReason, "leadconnector", "CLu7BaljjqrEjBGKTNNe")

    def test_the_first_call_of_leadconnector_finds_no_deal(self):
        assert not self.rows(Deal).filter(references__external_id="yWQobCRIhRguQtD2llvk").exists()

    def test_the_ids_of_intum(self):
        stage = self.referenced(Stage, "intum", "1")

        assert (stage.name, stage.position) == ("Nouveau lead", 0)
        assert self.referenced(Contact, "intum", "123").kind == "company"

    def test_no_required_custom_field_refuses_a_document_that_does_not_know_it(self):
        assert self.rows(CustomField).exists()
        assert not self.rows(CustomField).filter(required=True).exists()


class HistoryTests(DemoTestCase):
    deals = 400

    def test_a_year_of_sales(self):
        deals = self.rows(Deal)
        still_open = deals.live().open()
        months = {(at.year, at.month) for at in deals.values_list("created_at", flat=True)}

        assert set(deals.values_list("status", flat=True)) == {"open", "won", "lost", "abandoned"}
        assert len(months) >= 12
        assert len(set(deals.values_list("currency", flat=True))) >= 5
        assert len(set(deals.values_list("stage__pipeline", flat=True))) == 3
        assert still_open.closing_before(NOON.date()).exists()
        assert still_open.filter(updated_at__lt=NOON - datetime.timedelta(days=60)).exists()

    def test_every_attribute_of_a_deal_occurs(self):
        deals = self.rows(Deal)

        for part in ("members", "followers", "access_list", "lost_reason", "deleted_at", "probability"):
            assert deals.filter(**{f"{part}__isnull": False}).exists(), part
        assert deals.filter(amount=None).exists()
        assert deals.filter(is_private=True).exists()
        assert deals.exclude(bid_type="fixed").exists()
        assert deals.exclude(custom_fields={}).exists()
        assert self.rows(Contact).filter(kind="company").exists()
        assert self.rows(Contact).filter(company__isnull=False).exists()

    def test_every_kind_of_change_occurs(self):
        events = self.rows(Event).filter(kind="deal")
        actions = set(events.values_list("action", flat=True))
        changed = {name for event in events.filter(action="updated") for name in event.changes}
        statuses = {tuple(event.changes["status"]) for event in events.filter(changes__has_key="status")}

        assert actions == {"created", "updated", "trashed", "restored"}
        assert {
            "stage_id",
            "status",
            "amount",
            "owner_id",
            "probability",
            "followers",
            "closed_at",
        } <= changed
        assert {"expected_close_date", "lost_reason_id", "custom_fields"} <= changed
        assert {("open", "won"), ("open", "lost"), ("open", "abandoned"), ("lost", "open")} <= statuses

    def test_the_deals_change_on_many_days_by_many_members(self):
        events = self.rows(Event).filter(kind="deal")

        assert len({at.date() for at in events.values_list("at", flat=True)}) > 100
        assert len(set(events.values_list("actor", flat=True))) >= 6

    def test_the_past_is_over_before_today(self):
        midnight = NOON.replace(hour=0)
        events = self.rows(Event).exclude(kind="token")

        assert all(at < midnight for at in events.values_list("at", flat=True))
        assert all(at < midnight for at in self.rows(Deal).values_list("updated_at", flat=True))

    def test_another_organization_has_deals_too(self):
        assert Deal.objects.filter(organization__slug="other").count() == OTHER_DEALS

    def test_the_events_replay_to_the_rows(self):
        for model in (Contact, Deal):
            events = self.rows(Event).filter(kind=model.row_kind).order_by("sequence")
            replayed = replayed_columns(model, events)
            rows = self.rows(model).values()
            assert len(replayed) == len(rows) > 0
            for row in rows:
                names = row.keys() - model.derived | {"version"}
                assert {name: replayed[row["id"]].get(name) for name in names} == {
                    name: row[name] for name in names
                }

    def test_the_states_of_a_deal_follow_each_other_without_a_gap(self):
        for deal in self.rows(Deal).prefetch_related("states"):
            states = sorted(deal.states.all(), key=lambda state: state.valid_from)
            assert states[0].valid_from == deal.created_at
            assert all(one.valid_to == other.valid_from for one, other in pairwise(states))
            assert states[-1].valid_to is None
            assert (states[-1].stage_id, states[-1].status) == (deal.stage_id, deal.status)

    def test_the_events_are_numbered_in_the_order_of_time(self):
        events = self.rows(Event).exclude(kind="token").order_by("sequence")
        numbers, instants = zip(*events.values_list("sequence", "at"), strict=True)

        assert numbers == tuple(range(1, len(numbers) + 1))
        assert list(instants) == sorted(instants)
        assert Counter.objects.get(organization=self.organization).last == len(numbers) + 1

    def test_the_undo_of_one_change_leaves_the_day_s_other_changes_alone(self):
        events = self.rows(Event).filter(kind="deal", action="updated").order_by("-sequence")
        latest = events.first()
        assert events.filter(at=latest.at, actor=latest.actor).count() > 1

        undone = undo(actor=authenticate_token(TOKEN), sequence=latest.sequence)

        assert undone.count == 1
