"""What is deleted when its time is over: rows in the trash for thirty days, and what is kept for a while only."""

import datetime
import io
from types import SimpleNamespace

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from contacts.models import Contact
from contacts.services import trash_contacts
from crm_project.accounts.invitations import invite_member
from crm_project.accounts.models import ApiToken, Invitation, SignInAddress, SignInAttempt
from crm_project.accounts.services import create_token
from crm_project.api.models import IdempotencyKey
from crm_project.background import schedule
from crm_project.background.models import StoredTask
from crm_project.imports.export_services import ask_for_export
from crm_project.imports.models import Export, ExportChunk, Import, ImportChunk
from crm_project.journal.feed import read
from crm_project.journal.models import Event
from crm_project.journal.purging import purge
from crm_project.journal.undo import take_back
from crm_project.mail.models import Message
from crm_project.operations import tasks
from crm_project.operations.retention import expiries
from crm_project.records.kinds import kinds
from deals.models import Deal, DealAccess, DealContact, DealFollower, DealReference, DealState
from deals.services import trash_deals, update_deals
from pipelines.models import Pipeline, Stage
from pipelines.services import trash_pipeline
from tests.base import BaseTestCase, refused
from tests.factories import ActorFactory
from tests.tasks import run_tasks

NAME = "Canary Zo"
DAY = datetime.timedelta(days=1)


def delete_expired(now=None):
    return {expiry.subject: expiry.delete() for expiry in expiries(now or timezone.now())}


def deleted_days_ago(days, *rows):
    for row in rows:
        type(row).objects.filter(pk=row.pk).update(deleted_at=timezone.now() - days * DAY)


class TrashTests(BaseTestCase):
    def trash(self, *deals, days=31):
        trash_deals(actor=self.alice, rows=list(deals))
        deleted_days_ago(days, *deals)

    def test_a_deal_goes_with_its_parts_and_the_values_of_its_events(self):
        person = self.person(first_name=NAME, email="canary@example.com")
        deal = self.deal(
            name=NAME,
            contact=person.pk,
            members=[person.pk],
            followers=[self.alice.member.pk],
            is_private=True,
            access_list=[self.alice.member.pk],
            external_references=[("erp", "canary")],
        )
        update_deals(actor=self.bob, changes=[(deal, {"name": f"{NAME} again"})])
        self.trash(deal)
        trash_contacts(actor=self.alice, rows=[person])
        deleted_days_ago(31, person)

        deleted = delete_expired()

        assert (deleted["deals"], deleted["contacts"]) == (1, 1)
        assert not Deal.objects.filter(pk=deal.pk).exists()
        assert not Contact.objects.filter(pk=person.pk).exists()
        for part in (DealAccess, DealContact, DealFollower, DealState):
            assert not part.objects.filter(deal_id=deal.pk).exists()
        assert not DealReference.objects.filter(row_id=deal.pk).exists()
        events = Event.objects.filter(row_uuid__in=[deal.uuid, person.uuid])
        assert not [event for event in events if event.changes]
        assert list(events.filter(kind="deal").order_by("sequence").values_list("action", flat=True)) == [
            "created",
            "updated",
            "trashed",
            "purged",
        ]
        assert events.filter(action="purged").count() == 2
        assert "anary" not in str([*Event.objects.values_list("changes", flat=True)])

    def test_the_feed_has_the_purge_of_a_contact_and_no_gap(self):
        person = self.person()
        trash_contacts(actor=self.bob, rows=[person])
        deleted_days_ago(31, person)

        delete_expired()

        page = read(self.alice.member, limit=1000)
        numbers = (
            Event.objects.of(self.organization.pk).order_by("sequence").values_list("sequence", flat=True)
        )
        assert list(numbers) == list(range(1, len(numbers) + 1))
        last = page.events[-1]
        assert (last.kind, last.action, last.row_uuid, last.actor) == ("contact", "purged", person.uuid, None)

    def test_a_row_in_the_trash_for_less_than_thirty_days_stays(self):
        deal = self.deal()
        self.trash(deal, days=29)

        assert delete_expired()["deals"] == 0
        assert Deal.objects.filter(pk=deal.pk).exists()

    def test_a_row_that_others_refer_to_stays_until_they_are_gone(self):
        person = self.person()
        deal = self.deal(contact=person.pk)
        self.trash(deal, days=10)
        trash_contacts(actor=self.alice, rows=[person])
        deleted_days_ago(40, person)

        assert delete_expired()["contacts"] == 0
        deleted_days_ago(31, deal)
        assert delete_expired()["contacts"] == 1

    def test_deals_that_refer_to_each_other_go_together(self):
        one, other = self.deal(), self.deal()
        update_deals(actor=self.bob, changes=[(one, {"next_deal": other.pk}), (other, {"next_deal": one.pk})])
        self.trash(one, other)

        assert [purge(kinds["deal"], timezone.now() - 30 * DAY, limit=1) for _ in range(3)] == [1, 1, 0]

    def test_a_live_deal_keeps_the_deal_that_it_leads_to(self):
        after = self.deal()
        before = self.deal()
        update_deals(actor=self.bob, changes=[(before, {"next_deal": after.pk})])
        deleted_days_ago(31, after)

        assert delete_expired()["deals"] == 0

    def test_stages_go_before_their_pipeline(self):
        trash_pipeline(actor=self.alice, pipeline=self.renewals)
        deleted_days_ago(31, self.renewals, *Stage.objects.filter(pipeline=self.renewals))

        deleted = delete_expired()

        assert (deleted["stages"], deleted["pipelines"]) == (4, 1)
        assert not Pipeline.objects.filter(pk=self.renewals.pk).exists()

    def test_the_trash_of_all_organizations_is_emptied(self):
        person = self.person(self.charlie)
        trash_contacts(actor=self.charlie, rows=[person])
        deleted_days_ago(31, person)

        delete_expired()

        [event] = Event.objects.filter(action="purged")
        assert event.organization_id == self.charlie.organization_id

    def test_what_was_purged_cannot_be_taken_back(self):
        person = self.person()
        trash_contacts(actor=self.bob, rows=[person])
        deleted_days_ago(31, person)
        delete_expired()

        for event in Event.objects.filter(row_uuid=person.uuid):
            with refused("not_undoable"):
                take_back(actor=self.alice, event=event)

    def test_a_history_that_names_a_purged_row_can_still_be_read(self):
        person, deal = self.person(), self.deal()
        update_deals(actor=self.bob, changes=[(deal, {"contact": person.pk})])
        update_deals(actor=self.bob, changes=[(deal, {"contact": None})])
        trash_contacts(actor=self.alice, rows=[person])
        deleted_days_ago(31, person)
        delete_expired()

        answer = SimpleNamespace(events=read(self.alice.member, row=deal.uuid).events)

        assert [event.action for event in answer.events] == ["created", "updated", "updated"]

    def test_a_dry_run_deletes_nothing(self):
        deal = self.deal()
        self.trash(deal)
        output = io.StringIO()

        call_command("delete_expired", "--dry-run", stdout=output)

        assert "deals: 1 expired" in output.getvalue()
        assert Deal.objects.filter(pk=deal.pk).exists()

    def test_the_command_prints_numbers_and_sizes(self):
        self.trash(self.deal())
        output = io.StringIO()

        call_command("delete_expired", stdout=output)

        assert "deals: 1 deleted" in output.getvalue()
        assert "size of database: " in output.getvalue()


@pytest.mark.django_db
class TestWhatIsKeptForAWhile:
    def test_sessions(self):
        now = timezone.now()
        Session.objects.create(session_key="old", session_data="", expire_date=now - DAY)
        Session.objects.create(session_key="new", session_data="", expire_date=now + DAY)

        assert delete_expired(now)["sessions"] == 1
        assert [session.pk for session in Session.objects.all()] == ["new"]

    def test_sign_in_attempts(self):
        now = timezone.now()
        SignInAttempt.objects.create(key="old", at=now - DAY)
        SignInAttempt.objects.create(key="new", at=now)

        assert delete_expired(now)["sign-in attempts"] == 1
        assert [attempt.key for attempt in SignInAttempt.objects.all()] == ["new"]

    def test_addresses_of_sign_ins_and_invitations(self):
        now = timezone.now()
        SignInAddress.objects.create(key="old", at=now - 91 * DAY)
        SignInAddress.objects.create(key="new", at=now)
        admin = ActorFactory(role="admin")
        for address in ("old@example.com", "new@example.com"):
            invite_member(actor=admin, email=address)
        Invitation.objects.filter(email="old@example.com").update(expires_at=now - DAY)

        deleted = delete_expired(now)

        assert (deleted["sign-in addresses"], deleted["invitations"]) == (1, 1)
        assert SignInAddress.objects.get().key == "new"
        assert Invitation.objects.get().email == "new@example.com"

    def test_mail_sent_or_not(self):
        now = timezone.now()
        admin = ActorFactory(role="admin")
        for address in ("sent@example.com", "waiting@example.com", "new@example.com"):
            invite_member(actor=admin, email=address)
        Message.objects.filter(recipient="sent@example.com").update(sent_at=now)
        Message.objects.exclude(recipient="new@example.com").update(created_at=now - 15 * DAY)

        assert delete_expired(now)["mail"] == 2
        assert Message.objects.get().recipient == "new@example.com"


class WhatMembersLeaveTests(BaseTestCase):
    def test_tokens_that_expired_or_were_revoked_long_ago(self):
        now = timezone.now()
        names = ("live", "expired", "expired of late", "revoked")
        tokens = {name: create_token(actor=self.bob, name=name)[0] for name in names}
        ApiToken.objects.filter(pk=tokens["expired"].pk).update(expires_at=now - 31 * DAY)
        ApiToken.objects.filter(pk=tokens["expired of late"].pk).update(expires_at=now - DAY)
        ApiToken.objects.filter(pk=tokens["revoked"].pk).update(revoked_at=now - 31 * DAY)

        assert delete_expired(now)["API tokens"] == 2
        assert {token.name for token in ApiToken.objects.all()} == {"live", "expired of late"}
        assert Event.objects.filter(kind="token", action="purged").count() == 2

    def test_idempotency_keys(self):
        now = timezone.now()
        for key, age in (("old", 4), ("new", 1)):
            IdempotencyKey.objects.create(
                organization=self.organization,
                member=self.bob.member,
                key=key,
                fingerprint="x",
                status=201,
                headers={},
                created_at=now - age * DAY,
            )

        assert delete_expired(now)["idempotency keys"] == 1
        assert [row.key for row in IdempotencyKey.objects.all()] == ["new"]

    def test_import_files(self):
        now = timezone.now()
        source = Import.objects.create(
            organization=self.organization,
            member=self.bob.member,
            kind="deals",
            file_name="a.csv",
            size=1,
            created_at=now - 15 * DAY,
        )
        ImportChunk.objects.create(source=source, number=0, data=b"x")

        assert delete_expired(now)["import files"] == 1
        assert not ImportChunk.objects.exists()

    def test_exports_with_their_files(self):
        now = timezone.now()
        for days in (1, 3):
            export = ask_for_export(actor=self.bob, kind="deals", file_format="csv", listing="api", query="")
            ExportChunk.objects.create(export=export, number=0, data=b"x")
            Export.objects.filter(pk=export.pk).update(created_at=now - days * DAY)

        delete_expired(now)

        assert Export.objects.count() == ExportChunk.objects.count() == 1


@pytest.mark.django_db
def test_tasks_that_have_ended(settings):
    settings.TASK_KEEP_DAYS = 30
    now = timezone.now()
    for name, state, days in (
        ("done.today", "done", 0.5),
        ("done.before", "done", 2),
        ("failed.lately", "failed", 29),
        ("failed.long.ago", "failed", 31),
        ("waits", "ready", 99),
    ):
        ended = None if state == "ready" else now - days * DAY
        StoredTask.objects.create(name=name, queue="default", state=state, finished_at=ended)

    deleted = delete_expired(now)

    assert (deleted["done tasks"], deleted["failed tasks"]) == (1, 1)
    left = set(StoredTask.objects.values_list("name", flat=True))
    assert left == {"done.today", "failed.lately", "waits"}


@pytest.mark.django_db
def test_it_is_done_every_night():
    assert str(schedule.entries()["delete-expired"].rhythm) == "daily at 03:00 UTC"
    task = tasks.delete_expired.enqueue()

    run_tasks()

    task.refresh()
    assert task.return_value["failed tasks"] == 0
