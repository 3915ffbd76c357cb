"""The filters of the admin: each returns what its title says, and the rows of the API's filter of the same meaning."""

import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.test import RequestFactory
from django.urls import resolve
from django.utils import timezone

from contacts.models import Contact
from contacts.services import trash_contacts
from crm_project.accounts.models import Member, Organization, User
from crm_project.accounts.rules import Role
from crm_project.accounts.services import update_member
from crm_project.activities.models import Activity
from crm_project.background.models import StoredTask
from crm_project.goals.models import Goal
from crm_project.goals.services import create_goal
from crm_project.journal.models import Event
from crm_project.mail.models import Message
from crm_project.rates.models import ExchangeRate
from crm_project.rates.services import create_exchange_rate
from crm_project.records.models import CustomField
from crm_project.saved_views.models import SavedView
from crm_project.saved_views.parameters import api_parameters
from crm_project.saved_views.services import create_saved_view
from crm_project.staff import filters
from crm_project.webhooks.models import WebhookDelivery
from deals.models import Deal, LostReason
from deals.rules import NEXT_STEPS
from deals.services import create_deals, trash_deals, update_deals
from pipelines.models import ForecastCategories, Pipeline
from pipelines.services import update_stage
from tests.api.client import ApiClient
from tests.factories import ActivityFactory, CompanyFactory, CustomFieldFactory, LostReasonFactory
from tests.staff.base import StaffTestCase, list_url

DAYS = ("2026-03-01", "2026-03-02")
# In Tokyo, the zone of the organization, the second is the second of March.
INSTANTS = ("2026-03-01T10:00:00+00:00", "2026-03-01T15:30:00+00:00", "2026-04-01T00:00:00+00:00")
TYPES = {
    "word": ("text", []),
    "figure": ("number", []),
    "flag": ("checkbox", []),
    "day": ("date", []),
    "size": ("select", ["S", "M"]),
    "colors": ("multiselect", ["red", "blue"]),
}
PATHS = {
    Deal: "/api/deals",
    Contact: "/api/contacts",
    Member: "/api/users",
    CustomField: "/api/custom-fields",
    Activity: "/api/activities",
    ExchangeRate: "/api/exchange-rates",
    Goal: "/api/goals",
    SavedView: "/api/saved-views",
}
# Filters that the API does not have, each with a test below.
ADMIN_ONLY = {(Member, "role"), (CustomField, "type"), (User, "is_active"), (User, "is_superuser")}
ADMIN_ONLY |= {(Message, "given_up"), (StoredTask, "state"), (WebhookDelivery, "state")}
# In the API the deliveries are those of one webhook.
ADMIN_ONLY |= {(WebhookDelivery, "webhook")}

# The trash and the chosen rows: tested for every list in `TitleTests`.
ON_EVERY_LIST = (filters.TrashFilter, filters.ChosenFilter)


class FilterTestCase(StaffTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        Organization.objects.filter(pk=cls.organization.pk).update(time_zone="Asia/Tokyo")
        for actor in (cls.alice, cls.bob):
            actor.organization.refresh_from_db()
        for kind in ("deal", "contact"):
            for key, (type_, options) in TYPES.items():
                CustomFieldFactory(actor=cls.alice, kind=kind, key=key, type=type_, options=options)
        custom = [
            {"word": "a", "figure": -1.5, "flag": True, "day": DAYS[0], "size": "S", "colors": ["red"]},
            {"word": "A", "figure": 2, "flag": False, "day": DAYS[1], "size": "M", "colors": ["red", "blue"]},
            {},
        ]
        cls.company = CompanyFactory(actor=cls.bob, name="Acme", phone="+33 1 55 96 02 43")
        cls.people = [
            cls.person(cls, company=cls.company.pk, owner=cls.bob.member.pk, custom_fields=custom[0]),
            cls.person(cls, first_name="Łukasz", custom_fields=custom[1]),
        ]
        trash_contacts(actor=cls.bob, rows=[cls.person(cls)])
        cls.reason = LostReasonFactory(actor=cls.alice)
        stages = [cls.new, cls.offer, cls.won, cls.lost, *cls.renewals.stages.in_order()]
        parts = [
            {"client": cls.company.pk},
            {"contact": cls.people[0].pk},
            {"members": [cls.people[1].pk]},
            {},
        ]
        changes = [
            {
                "name": f"Deal {number}",
                "amount": [None, Decimal(10), Decimal("10.50"), Decimal(900)][number % 4],
                "currency": ["EUR", "EUR", "USD"][number % 3],
                "stage": stages[number % len(stages)].pk,
                "owner": [None, cls.bob.member.pk, cls.alice.member.pk][number % 3],
                "is_private": number % 5 == 0,
                "expected_close_date": [None, *map(datetime.date.fromisoformat, DAYS)][number % 3],
                "custom_fields": custom[number % 3],
                **parts[number % 4],
            }
            for number in range(24)
        ]
        deals = create_deals(actor=cls.bob, changes=changes)
        closed = [deal for deal in deals if deal.status == "lost"]
        update_deals(actor=cls.bob, changes=[(closed[0], {"lost_reason": cls.reason.pk})])
        update_stage(actor=cls.alice, stage=cls.new, change={"stale_after_days": 60})
        pause = {"paused_until": timezone.now().date() + datetime.timedelta(days=9), "pause_reason": "Budget"}
        update_deals(actor=cls.bob, changes=[(deal, pause) for deal in deals[5::4] if deal.status == "open"])
        trash_deals(actor=cls.bob, rows=deals[:3])
        cls.deals = [deal for deal in deals[3:] if deal.status == "open" and not deal.is_private]
        cls._add_activities()
        cls._add_views_and_rates()
        now = timezone.now()
        for number, deal in enumerate(deals):
            stamps = {"created_at": INSTANTS[number % 3]}
            stamps |= {"closed_at": INSTANTS[number % 3]} if deal.closed_at else {}
            stamps["stage_entered_at"] = now - datetime.timedelta(days=(29, 31, 90)[number // 8])
            Deal.objects.filter(pk=deal.pk).update(**stamps)
        Contact.objects.filter(pk=cls.company.pk).update(created_at=INSTANTS[1])
        update_member(actor=cls.alice, member=cls.viewer.member, is_active=False)
        User.objects.filter(pk=cls.manager.member.user_id).update(is_active=False)

    @classmethod
    def _add_activities(cls):
        today = timezone.now().astimezone(ZoneInfo("Asia/Tokyo")).date()
        for deal, days in zip(cls.deals, (-3, 0, 3), strict=False):
            due_on = today + datetime.timedelta(days=days)
            ActivityFactory(actor=cls.bob, deal=deal.pk, due_on=due_on, owner=cls.bob.member.pk)
        ActivityFactory(actor=cls.bob, contact=cls.people[0].pk, owner=cls.alice.member.pk)
        ActivityFactory(actor=cls.bob, contact=cls.company.pk, type="note")
        for instant in map(datetime.datetime.fromisoformat, INSTANTS):
            ActivityFactory(actor=cls.bob, contact=cls.people[1].pk, type="call", due_at=instant)
            done = ActivityFactory(actor=cls.bob, deal=cls.deals[0].pk, type="meeting", done=True)
            Activity.objects.filter(pk=done.pk).update(done_at=instant)

    @classmethod
    def _add_views_and_rates(cls):
        cls.views = {
            model: create_saved_view(
                actor=cls.bob, change={"name": name, "list": name, "filters": given, "is_shared": shared}
            )
            for model, name, given, shared in (
                (Deal, "deals", {"status": "open"}, True),
                (Contact, "contacts", {"kind": "company"}, False),
            )
        }
        for member in (None, cls.bob.member.pk):
            for month in (1, 2):
                month = datetime.date(2026, month, 1)
                create_goal(actor=cls.alice, change={"month": month, "amount": Decimal(9), "member": member})
        for day in map(datetime.date.fromisoformat, DAYS):
            create_exchange_rate(actor=cls.alice, change={"currency": "USD", "date": day, "rate": Decimal(2)})

    def listed(self, model, actor=None, **parameters):
        """The rows of a change list, in its order."""
        actor = actor or self.alice
        request = RequestFactory().get(list_url(model), parameters)
        request.user, request.resolver_match = actor.member.user, resolve(list_url(model))
        request.staff_actor = actor
        # A reader's own zone moves no day of a filter.
        with timezone.override("America/Los_Angeles"):
            changelist = admin.site._registry[model].get_changelist_instance(request)
        assert not changelist.filter_errors, (parameters, changelist.filter_errors)
        return [*changelist.result_list]


class SameRowsTests(FilterTestCase):
    def pairs(self):
        """Filters of the admin, each with the parameters of the API for the same rows."""
        yield from self.deal_pairs()
        contact = self.contact_pairs()
        yield from contact
        for value, same in (("yes", "true"), ("no", "false")):
            yield Member, {"is_active": value}, {"is_active": same}
        for kind in ("deal", "contact"):
            yield CustomField, {"kind": kind}, {"kind": kind}
        yield from self.activity_pairs()
        for day in DAYS:
            yield ExchangeRate, {"date_from": day}, {"date_after": day}
            yield ExchangeRate, {"date_to": day}, {"date_before": day}
        for bound in ("month_from", "month_to"):
            yield Goal, {bound: "2026-01-15"}, {bound: "2026-01-15"}
        yield Goal, {"member": "none"}, {"member": "none"}
        yield Goal, {"member": self.bob.member.pk}, {"member": self.bob.member.uuid}
        for name in SavedView.Lists.values:
            yield SavedView, {"list": name}, {"list": name}
        for value, same in (("yes", "true"), ("no", "false")):
            yield SavedView, {"is_shared": value}, {"is_shared": same}

    def shared_pairs(self, model):
        for key, values in {
            "word": ("a", "A"),
            "figure": ("-1.5",),
            "day": DAYS[:1],
            "size": ("M",),
            "colors": ("red",),
        }.items():
            yield from ((model, {f"custom_{key}": value}, {f"custom_{key}": value}) for value in values)
        yield model, {"custom_flag": "yes"}, {"custom_flag": "true"}
        yield model, {"custom_flag": "no"}, {"custom_flag": "false"}
        for actor in (self.alice, self.bob):
            yield model, {"owner": actor.member.pk}, {"owner": str(actor.member.uuid)}
        for day in DAYS:
            yield model, {"created_at_from": day}, {"created_at_after": day}
            yield model, {"created_at_to": day}, {"created_at_before": day}
        for needle in ("acme", "deal 1", "lukasz", "0155960243"):
            yield model, {"q": needle}, {"q": needle}
        yield self.change_set_pair(model)
        view = str(self.views[model].uuid)
        yield model, {"view": view}, {"view": view}
        yield model, {"trash": "only"}, {"deleted": "only"}
        yield model, {"trash": "only", "q": "deal 1"}, {"deleted": "only", "q": "deal 1"}

    def change_set_pair(self, model):
        first = Event.objects.filter(kind=model.row_kind, action="created").earliest("sequence")
        change_set = str(first.change_set)
        return model, {"change_set": change_set}, {"change_set": change_set}

    def deal_pairs(self):
        yield from self.shared_pairs(Deal)
        for status in ("open", "won", "lost"):
            yield Deal, {"status": status}, {"status": status}
        for pipeline in (self.pipeline, self.renewals):
            yield Deal, {"pipeline": pipeline.pk}, {"pipeline": pipeline.pk}
        for stage in (self.new, self.won):
            yield Deal, {"stage": stage.pk}, {"stage": stage.pk}
        for currency in ("EUR", "USD"):
            yield Deal, {"currency": currency}, {"currency": currency}
        for amount in ("10", "10.5"):
            yield Deal, {"amount_from": amount}, {"amount_min": amount}
            yield Deal, {"amount_to": amount}, {"amount_max": amount}
        for day in DAYS:
            for name in ("expected_close_date", "closed_at"):
                yield Deal, {f"{name}_from": day}, {f"{name}_after": day}
                yield Deal, {f"{name}_to": day}, {f"{name}_before": day}
        yield Deal, {"stale": "yes"}, {"stale": "true"}
        for paused, value in (("yes", "true"), ("no", "false")):
            yield Deal, {"paused": paused}, {"paused": value}
        for state in ("none", *NEXT_STEPS):
            yield Deal, {"next_step": state}, {"next_step": state}
        for category in ForecastCategories.values:
            yield Deal, {"forecast": category}, {"forecast_category": category}
        yield Deal, {"lost_reason": self.reason.pk}, {"lost_reason": self.reason.pk}
        yield Deal, {"is_private": "yes"}, {"is_private": "true"}
        yield Deal, {"is_private": "no"}, {"is_private": "false"}
        for contact in (self.company, *self.people):
            yield Deal, {"with": contact.pk}, {"company": str(contact.uuid)}
        for column, ordering in (("2", "amount"), ("7", "expected_close_date")):
            for sign in ("", "-"):
                yield Deal, {"o": f"{sign}{column}"}, {"ordering": f"{sign}{ordering}"}

    def contact_pairs(self):
        yield from self.shared_pairs(Contact)
        for kind in Contact.Kinds.values:
            yield Contact, {"kind": kind}, {"kind": kind}
        for company in (self.company, self.people[0]):
            yield Contact, {"company": company.pk}, {"company": str(company.uuid)}

    def activity_pairs(self):
        yield self.change_set_pair(Activity)
        for state in (*NEXT_STEPS, "undated"):
            yield Activity, {"state": state}, {"due_state": state}
        yield Activity, {"state": "late"}, {"due_state": "overdue,today"}
        yield Activity, {"state": "open"}, {"is_done": "false"}
        yield Activity, {"state": "done"}, {"is_done": "true"}
        for type_ in Activity.Types.values:
            yield Activity, {"type": type_}, {"type": type_}
        for actor in (self.alice, self.bob):
            yield Activity, {"owner": actor.member.pk}, {"owner": str(actor.member.uuid)}
        for day in DAYS:
            for ours, theirs in (("deadline", "due"), ("done_at", "done_at")):
                yield Activity, {f"{ours}_from": day}, {f"{theirs}_after": day}
                yield Activity, {f"{ours}_to": day}, {f"{theirs}_before": day}
        for deal in self.deals[:2]:
            yield Activity, {"deal": deal.pk}, {"deal": str(deal.uuid)}
        for contact in (self.company, *self.people):
            yield Activity, {"with": contact.pk}, {"company": str(contact.uuid)}

    def test_both_doors_return_the_same_rows(self):
        self.deal(self.alice, name="Deal 1", is_private=True, owner=self.alice.member.pk)
        api, found = ApiClient(self.bob), set()
        for model, ours, theirs in self.pairs():
            listed = [str(row.uuid) for row in self.listed(model, self.bob, **ours)]
            answered = [row["uuid"] for row in api.rows(PATHS[model], page_size=200, **theirs)]
            if "o" in ours:
                assert listed == answered, ours
            assert sorted(listed) == sorted(answered), (model, ours)
            found |= {(model, name) for name in ours if listed}
        assert found == {(model, name) for model, ours, _ in self.pairs() for name in ours}, (
            "some find nothing"
        )

    def test_every_filter_of_the_admin_is_walked(self):
        walked = {(model, name) for model, ours, _ in self.pairs() for name in ours}
        offered = set()
        for model, page in admin.site._registry.items():
            request = RequestFactory().get(list_url(model))
            request.user, request.staff_actor = self.alice.member.user, self.alice
            for one in page.get_list_filter(request):
                if one not in ON_EVERY_LIST:
                    offered |= {(model, name) for name in one.names()}
        missing = sorted(f"{model.__name__}.{name}" for model, name in offered - walked - ADMIN_ONLY)
        assert not missing, f"{missing}: add a pair to `pairs`, or the name to ADMIN_ONLY with a test"

    def test_every_filter_can_be_saved_as_a_view(self):
        for model, ours, theirs in self.pairs():
            if model not in (Deal, Contact) or ours.keys() & {"trash", "view", "o"}:
                continue
            request = RequestFactory().get(list_url(model), ours)
            request.user, request.staff_actor = self.alice.member.user, self.alice
            expected = {name: str(value) for name, value in theirs.items()}
            assert api_parameters(request, model.row_kind + "s", request.GET.dict()) == expected, (
                f"{ours}: name it in FROM_ADMIN of saved_views/parameters.py"
            )


class TitleTests(FilterTestCase):
    """Filters without a counterpart in the API, and titles that promise more than a column."""

    def test_members(self):
        for role in Role:
            assert {member.role for member in self.listed(Member, role=role)} <= {role}
        assert {member.full_name for member in self.listed(Member, is_active="yes")} == {"Alice", "Bob"}
        assert {member.full_name for member in self.listed(Member, is_active="no")} == {"Mary", "Victor"}

    def test_custom_fields(self):
        for key, (type_, _) in TYPES.items():
            assert {field.key for field in self.listed(CustomField, type=type_)} == {key}

    def test_logins(self):
        self.sign_in(self.operator)
        for query, expected in (
            ("is_active=no", {"Mary"}),
            ("is_superuser=yes", {"Olivia"}),
            ("is_superuser=yes&is_active=no", set()),
        ):
            rows = self.client.get(f"{list_url(User)}?{query}").context["cl"].result_list
            assert {user.full_name for user in rows} == expected

    def test_too_long_in_one_stage_means_open_deals_beyond_the_limit_of_their_stage(self):
        now = timezone.now()
        today = now.astimezone(ZoneInfo("Asia/Tokyo")).date()

        rows = self.listed(Deal, stale="yes")

        long = [
            deal
            for deal in Deal.objects.visible_to(self.alice.member).select_related("stage")
            if deal.status == "open"
            and deal.stage_entered_at < now - datetime.timedelta(days=deal.stage.stale_after_days or 30)
        ]
        paused = [deal for deal in long if deal.paused_until and deal.paused_until >= today]
        assert paused
        assert {row.pk for row in rows} == {row.pk for row in {*long} - {*paused}}
        assert any(deal.stage_id == self.new.pk for deal in rows)
        assert not self.listed(Deal, stale="yes", status="won")
        self.sign_in(self.alice)
        assert "Too long in one stage" in self.page(list_url(Deal))

    def test_chosen_rows(self):
        for model in (Pipeline, CustomField, Deal, Contact, Member):
            rows = self.listed(model)
            chosen = {row.pk for row in rows[:2]}

            found = self.listed(model, ids=",".join(map(str, chosen)))

            assert {row.pk for row in found} == chosen, model
        private = self.deal(self.alice, is_private=True, owner=self.alice.member.pk)
        assert not self.listed(Deal, self.bob, ids=str(private.pk)), "chosen, and not visible"

    def test_the_trash(self):
        for model in (Pipeline, LostReason, CustomField, Deal, Contact):
            assert all(row.deleted_at for row in self.listed(model, trash="only"))
            assert not any(row.deleted_at for row in self.listed(model))


class CurrencyTests(StaffTestCase):
    def test_amounts_of_several_currencies_are_named_where_they_are_compared(self):
        warning = "Amounts are compared as numbers, whatever their currencies."
        for query, warns in (
            ("", False),
            ("?o=7", False),
            ("?o=2", True),
            ("?o=-2", True),
            ("?amount_from=5", True),
            ("?amount_to=5&status=open", True),
            ("?o=-2&currency=EUR", False),
            ("?amount_from=5&currency=USD", False),
        ):
            assert (warning in self.page(list_url(Deal) + query)) is warns, query

    def test_a_currency_that_does_not_exist_shows_nothing_and_is_named(self):
        self.deal()

        response = self.client.get(f"{list_url(Deal)}?currency=EURO")

        assert response.context["cl"].result_count == 0
        assert "Currency: Select a valid choice." in response.content.decode()
