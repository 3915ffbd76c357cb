"""A walk of every service: each row that one changes gets an event, a higher version, and a deal its state."""

import datetime
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.db import transaction

from contacts import services as contacts_services
from contacts.services import NewPerson
from crm_project.accounts.models import ApiToken
from crm_project.accounts.services import create_token, find_or_create_user
from crm_project.activities.services import trash_activities
from crm_project.changes import columns
from crm_project.goals import services as goals_services
from crm_project.journal.models import Event
from crm_project.journal.undo import undo
from crm_project.rates import services as rates_services
from crm_project.rates.reading import Read
from crm_project.records import services as records_services
from crm_project.records.bulk import Operation
from crm_project.records.kinds import kinds
from crm_project.records.models import reference_models
from crm_project.saved_views import services as saved_views_services
from crm_project.saved_views.models import SavedView
from crm_project.webhooks import services as webhooks_services
from crm_project.webhooks.models import Webhook
from deals import services as deals_services
from deals.links import LISTS
from deals.models import Deal, DealState
from deals.rules import state_of
from pipelines import services as pipelines_services
from tests.base import BaseTestCase
from tests.factories import CustomFieldFactory, LostReasonFactory

GOAL = {"month": datetime.date(2024, 1, 1), "amount": Decimal(2)}
RATE = {"currency": "USD", "date": datetime.date(2024, 1, 1), "rate": Decimal(2)}

# The services of every app that declares a kind of row.
ROOMS = [
    import_module(f"{name}.services")
    for name in {kind.model._meta.app_config.name for kind in kinds.values()}
]
# Name and password are the login's, which is no organization's row; nothing of a password belongs into a journal.
# A test, a resend and a replay change no webhook: the dispatcher's own tables have them.
# The language and the time zone in which members read are their own, and no event.
NO_ROW = {"rename_member", "set_password", "change_preferences", "note_first_step"}
NO_ROW |= {"send_test", "resend", "replay"}
SAVED = {"name": "Open", "list": "deals", "filters": {"status": "open"}}
HOOK = {"url": "https://example.com/hook", "events": ["deal.won"]}
Action = Callable[[Any], Any]


def services() -> dict[str, Callable[..., Any]]:
    """Every public function that takes its actor by name: that is what makes one a service."""
    found = {}
    for room in ROOMS:
        for name, function in inspect.getmembers(room, inspect.isfunction):
            own = function.__module__.startswith(room.__name__) and not name.startswith("_")
            actor = inspect.signature(function).parameters.get("actor")
            if own and actor is not None and actor.kind is inspect.Parameter.KEYWORD_ONLY:
                found[name] = function
    return found


# What each service is asked to do: first what has to be there, then the act itself.
PREPARED: dict[str, tuple[Action, Callable[..., Any]]] = {
    "add_member": (
        lambda w: find_or_create_user(email="new@example.com"),
        lambda run, w, user: run(actor=w.alice, organization=w.organization, user=user),
    ),
    "create_former_member": (lambda w: None, lambda run, w, _: run(actor=w.alice, name="Gone")),
    "create_token": (lambda w: None, lambda run, w, _: run(actor=w.bob, name="Mine")),
    "deactivate_member": (
        lambda w: w.deal(owner=w.bob.member.pk),
        lambda run, w, _: run(actor=w.alice, member=w.bob.member, hand_over_to=w.manager.member),
    ),
    "rename_token": (
        lambda w: create_token(actor=w.bob, name="Old")[0],
        lambda run, w, token: run(actor=w.bob, token=token, name="New"),
    ),
    "renew_token": (
        lambda w: create_token(actor=w.bob, name="Old")[0],
        lambda run, w, token: run(actor=w.bob, token=token),
    ),
    "revoke_token": (
        lambda w: create_token(actor=w.bob, name="Old")[0],
        lambda run, w, token: run(actor=w.bob, token=token),
    ),
    "update_member": (
        lambda w: None,
        lambda run, w, _: run(actor=w.alice, member=w.bob.member, job_title="Boss"),
    ),
    "update_organization": (
        lambda w: None,
        lambda run, w, _: run(actor=w.alice, organization=w.organization, name="Alice Ltd"),
    ),
    "change_references": (
        lambda w: w.deal(),
        lambda run, w, deal: run(actor=w.bob, row=deal, add=[("erp", "1")]),
    ),
    "create_custom_field": (
        lambda w: None,
        lambda run, w, _: run(
            actor=w.manager, change={"kind": "deal", "key": "colour", "label": "Colour", "type": "text"}
        ),
    ),
    "rename_reference": (
        lambda w: w.deal(external_references=[("erp", "1")]),
        lambda run, w, deal: run(actor=w.bob, row=deal, old=("erp", "1"), new=("erp", "2")),
    ),
    "restore_custom_field": (
        lambda w: w.trashed_field(),
        lambda run, w, field: run(actor=w.manager, custom_field=field),
    ),
    "trash_custom_field": (
        lambda w: CustomFieldFactory(actor=w.manager),
        lambda run, w, field: run(actor=w.manager, custom_field=field),
    ),
    "update_custom_field": (
        lambda w: CustomFieldFactory(actor=w.manager),
        lambda run, w, field: run(actor=w.manager, custom_field=field, change={"label": "Other"}),
    ),
    "carry_out_contacts": (
        lambda w: w.person(),
        lambda run, w, row: run(
            actor=w.bob,
            operations=[
                Operation("create", change={"first_name": "New"}),
                Operation("update", row.uuid, change={"phone": "1"}),
            ],
        ),
    ),
    "create_contacts": (lambda w: None, lambda run, w, _: run(actor=w.bob, changes=[{"first_name": "A"}])),
    "find_or_create_people": (
        lambda w: None,
        lambda run, w, _: run(actor=w.bob, people=[NewPerson("a@example.com", "A")]),
    ),
    "find_or_create_company": (
        lambda w: None,
        lambda run, w, _: run(actor=w.bob, name="Acme"),
    ),
    "upsert_person": (
        lambda w: w.person(email="a@example.com"),
        lambda run, w, _: run(actor=w.bob, change={"email": "a@example.com", "phone": "1"}),
    ),
    "restore_contacts": (
        lambda w: w.trashed_person(),
        lambda run, w, row: run(actor=w.bob, rows=[row]),
    ),
    "trash_contacts": (lambda w: w.person(), lambda run, w, row: run(actor=w.bob, rows=[row])),
    "update_contacts": (
        lambda w: w.person(),
        lambda run, w, row: run(actor=w.bob, changes=[(row, {"last_name": "Other"})]),
    ),
    "upsert_contacts": (
        lambda w: w.person(email="a@example.com"),
        lambda run, w, _: run(actor=w.bob, changes=[{"email": "a@example.com", "phone": "1"}]),
    ),
    "create_pipeline": (
        lambda w: None,
        lambda run, w, _: run(
            actor=w.manager, change={"name": "New", "is_default": True, "stages": [{"name": "First"}]}
        ),
    ),
    "create_stage": (
        lambda w: None,
        lambda run, w, _: run(
            actor=w.manager, change={"name": "First", "pipeline": w.pipeline.pk, "position": 0}
        ),
    ),
    "restore_pipeline": (
        lambda w: w.trashed_pipeline(),
        lambda run, w, row: run(actor=w.manager, pipeline=row),
    ),
    "restore_stage": (
        lambda w: w.trashed_stage(),
        lambda run, w, row: run(actor=w.manager, stage=row),
    ),
    "trash_pipeline": (
        lambda w: w.deal(pipeline=w.renewals.pk),
        lambda run, w, _: run(actor=w.manager, pipeline=w.renewals, move_deals_to=w.offer.pk),
    ),
    "trash_stage": (
        lambda w: w.deal(),
        lambda run, w, _: run(actor=w.manager, stage=w.new, move_deals_to=w.offer.pk),
    ),
    "update_pipeline": (
        lambda w: None,
        lambda run, w, _: run(actor=w.manager, pipeline=w.renewals, change={"is_default": True}),
    ),
    "update_stage": (
        lambda w: w.deal(),
        lambda run, w, _: run(actor=w.manager, stage=w.new, change={"probability": 33, "position": 1}),
    ),
    "carry_out_deals": (
        lambda w: w.deal(),
        lambda run, w, row: run(
            actor=w.bob,
            operations=[
                Operation("create", change={"name": "New"}),
                Operation("update", row.uuid, change={"stage": w.won.pk}),
            ],
        ),
    ),
    "create_deals": (
        lambda w: None,
        lambda run, w, _: run(
            actor=w.bob, changes=[{"contact_email": "a@example.com", "contact_first_name": "A"}]
        ),
    ),
    "create_exchange_rate": (lambda w: None, lambda run, w, _: run(actor=w.manager, change=RATE)),
    "update_exchange_rate": (
        lambda w: w.rate(),
        lambda run, w, row: run(actor=w.manager, exchange_rate=row, change={"rate": Decimal(3)}),
    ),
    "trash_exchange_rate": (lambda w: w.rate(), lambda run, w, row: run(actor=w.manager, exchange_rate=row)),
    "restore_exchange_rate": (
        lambda w: w.trashed_rate(),
        lambda run, w, row: run(actor=w.manager, exchange_rate=row),
    ),
    "set_exchange_rates": (
        lambda w: w.rate(),
        lambda run, w, row: run(actor=w.manager, rates=[Read(row.currency, row.date, Decimal(3))]),
    ),
    "create_goal": (lambda w: None, lambda run, w, _: run(actor=w.manager, change=GOAL)),
    "update_goal": (
        lambda w: w.goal(),
        lambda run, w, row: run(actor=w.manager, goal=row, change={"amount": Decimal(3)}),
    ),
    "trash_goal": (lambda w: w.goal(), lambda run, w, row: run(actor=w.manager, goal=row)),
    "restore_goal": (lambda w: w.trashed_goal(), lambda run, w, row: run(actor=w.manager, goal=row)),
    "create_lost_reason": (lambda w: None, lambda run, w, _: run(actor=w.manager, change={"name": "Price"})),
    "follow_deal": (
        lambda w: w.deal(),
        lambda run, w, row: run(actor=w.bob, deal=row, member=w.bob.member.pk, follows=True),
    ),
    "merge_contacts": (
        lambda w: (source := w.person(phone="1"), w.deal(contact=source.pk))[0],
        lambda run, w, source: run(actor=w.bob, sources=[source], target=w.person(last_name="Other")),
    ),
    "move_deals": (lambda w: w.deal(), lambda run, w, row: run(actor=w.bob, deals=[row], stage=w.won)),
    "restore_deals": (lambda w: w.trashed_deal(), lambda run, w, row: run(actor=w.bob, rows=[row])),
    "trash_deals": (lambda w: w.deal(), lambda run, w, row: run(actor=w.bob, rows=[row])),
    "restore_lost_reason": (
        lambda w: w.trashed_reason(),
        lambda run, w, row: run(actor=w.manager, lost_reason=row),
    ),
    "trash_lost_reason": (
        lambda w: LostReasonFactory(actor=w.manager),
        lambda run, w, row: run(actor=w.manager, lost_reason=row),
    ),
    "update_deals": (
        lambda w: w.deal(),
        lambda run, w, row: run(actor=w.bob, changes=[(row, {"amount": Decimal(9)})]),
    ),
    "update_lost_reason": (
        lambda w: LostReasonFactory(actor=w.manager),
        lambda run, w, row: run(actor=w.manager, lost_reason=row, change={"name": "Other"}),
    ),
    "upsert_deal": (
        lambda w: w.deal(external_references=[("erp", "1")]),
        lambda run, w, _: run(
            actor=w.bob,
            change={"external_references": [("erp", "1")], "name": "Other"},
            match_on=("external_reference",),
        ),
    ),
    "upsert_deals": (
        lambda w: w.deal(external_references=[("erp", "1")]),
        lambda run, w, _: run(
            actor=w.bob, changes=[{"external_references": [("erp", "1")], "name": "Other"}]
        ),
    ),
    "create_saved_view": (lambda w: None, lambda run, w, _: run(actor=w.bob, change=SAVED)),
    "restore_saved_view": (lambda w: w.trashed_view(), lambda run, w, row: run(actor=w.bob, saved_view=row)),
    "trash_saved_view": (lambda w: w.view(), lambda run, w, row: run(actor=w.bob, saved_view=row)),
    "update_saved_view": (
        lambda w: w.view(),
        lambda run, w, row: run(actor=w.bob, saved_view=row, change={"name": "Other"}),
    ),
    "create_webhook": (lambda w: None, lambda run, w, _: run(actor=w.alice, change=HOOK)),
    "restore_webhook": (lambda w: w.trashed_webhook(), lambda run, w, row: run(actor=w.alice, webhook=row)),
    "rotate_secret": (lambda w: w.webhook(), lambda run, w, row: run(actor=w.alice, webhook=row)),
    "trash_webhook": (lambda w: w.webhook(), lambda run, w, row: run(actor=w.alice, webhook=row)),
    "update_webhook": (
        lambda w: w.webhook(),
        lambda run, w, row: run(actor=w.alice, webhook=row, change={"description": "Shop"}),
    ),
    "create_activities": (
        lambda w: w.deal(),
        lambda run, w, deal: run(actor=w.bob, changes=[{"type": "call", "deal": deal.pk}]),
    ),
    "update_activities": (
        lambda w: w.activity(deal=w.deal().pk),
        lambda run, w, row: run(actor=w.bob, changes=[(row, {"subject": "Other"})]),
    ),
    "trash_activities": (
        lambda w: w.activity(deal=w.deal().pk),
        lambda run, w, row: run(actor=w.bob, rows=[row]),
    ),
    "restore_activities": (
        lambda w: w.trashed_activity(),
        lambda run, w, row: run(actor=w.bob, rows=[row]),
    ),
    "carry_out_activities": (
        lambda w: w.activity(deal=w.deal().pk),
        lambda run, w, row: run(
            actor=w.bob,
            operations=[
                Operation("create", change={"type": "call", "deal": row.deal_id}),
                Operation("update", row.uuid, change={"result": "reached"}),
            ],
        ),
    ),
    "complete_activities": (
        lambda w: w.activity(deal=w.deal().pk),
        lambda run, w, row: run(actor=w.bob, rows=[row]),
    ),
    "postpone_activities": (
        lambda w: w.activity(deal=w.deal().pk),
        lambda run, w, row: run(actor=w.bob, rows=[row]),
    ),
    "undo": (
        lambda w: w.deal(),
        lambda run, w, row: run(actor=w.bob, sequence=Event.objects.get(row_uuid=row.uuid).sequence),
    ),
}


class WalkTests(BaseTestCase):
    def trashed_person(self) -> Any:
        person = self.person()
        contacts_services.trash_contacts(actor=self.bob, rows=[person])
        return person

    def trashed_deal(self) -> Any:
        deal = self.deal()
        deals_services.trash_deals(actor=self.bob, rows=[deal])
        return deal

    def trashed_stage(self) -> Any:
        pipelines_services.trash_stage(actor=self.manager, stage=self.offer)
        return self.offer

    def goal(self) -> Any:
        return goals_services.create_goal(actor=self.manager, change=GOAL)

    def trashed_goal(self) -> Any:
        goal = self.goal()
        goals_services.trash_goal(actor=self.manager, goal=goal)
        return goal

    def rate(self) -> Any:
        return rates_services.create_exchange_rate(actor=self.manager, change=RATE)

    def trashed_rate(self) -> Any:
        rate = self.rate()
        rates_services.trash_exchange_rate(actor=self.manager, exchange_rate=rate)
        return rate

    def trashed_reason(self) -> Any:
        reason = LostReasonFactory(actor=self.manager)
        deals_services.trash_lost_reason(actor=self.manager, lost_reason=reason)
        return reason

    def trashed_activity(self) -> Any:
        row = self.activity(deal=self.deal().pk)
        trash_activities(actor=self.bob, rows=[row])
        return row

    def trashed_field(self) -> Any:
        field = CustomFieldFactory(actor=self.manager)
        records_services.trash_custom_field(actor=self.manager, custom_field=field)
        return field

    def trashed_pipeline(self) -> Any:
        pipelines_services.trash_pipeline(actor=self.manager, pipeline=self.renewals)
        return self.renewals

    def view(self) -> Any:
        return saved_views_services.create_saved_view(actor=self.bob, change=SAVED)

    def trashed_view(self) -> Any:
        view = self.view()
        saved_views_services.trash_saved_view(actor=self.bob, saved_view=view)
        return view

    def webhook(self) -> Any:
        return webhooks_services.create_webhook(actor=self.alice, change=HOOK)[0]

    def trashed_webhook(self) -> Any:
        webhook = self.webhook()
        webhooks_services.trash_webhook(actor=self.alice, webhook=webhook)
        return webhook

    def test_every_service_is_walked(self):
        assert PREPARED.keys() - {"undo"} | NO_ROW == services().keys(), "PREPARED has an entry for each"

    @pytest.mark.slow
    def test_each_leaves_an_event_a_version_and_a_state(self):
        for name, (prepare, act) in PREPARED.items():
            with self.subTest(name), rolled_back():
                given = prepare(self)
                before, last = pictures(), Event.objects.count()
                act({**services(), "undo": undo}[name], self, given)
                after = pictures()
                changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
                assert changed, "it has done nothing"
                assert Event.objects.count() > last
                for key in changed:
                    self.check_row(key, before.get(key), after[key])
                self.check_states()

    def check_row(self, key: tuple[str, int], before: Any, after: Any) -> None:
        kind, row_id = key
        version = after["version"]
        assert before is None or version > before["version"], key
        newest = Event.objects.filter(kind=kind, row_id=row_id).order_by("-sequence").first()
        assert newest is not None, key
        assert newest.row_version == version, key

    def check_states(self) -> None:
        for deal in Deal.objects.select_related("stage"):
            state = DealState.objects.get(deal=deal, valid_to=None)
            assert {name: getattr(state, name) for name in state_of(deal)} == state_of(deal)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Each service finds the same world."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def pictures() -> dict[tuple[str, int], dict[str, Any]]:
    """All rows of all kinds, with what they hold in other tables."""
    found = {}
    for kind, references in reference_models().items():
        model: Any = references._meta.get_field("row").related_model
        for row in model._default_manager.all():
            keys = references._default_manager.filter(row=row.pk).values_list("system", "external_id")
            found[kind, row.pk] = {**columns(row), "version": row.version, "keys": sorted(keys)}
    for name, links in LISTS.items():
        for deal_id, key in links.model.objects.values_list("deal_id", links.column).order_by("id"):
            found["deal", deal_id].setdefault(name, []).append(key)
    for model in (ApiToken, SavedView, Webhook):
        for row in model.objects.all():
            found[model.row_kind, row.pk] = {**columns(row), "version": row.version}
    return found
