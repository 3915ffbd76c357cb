"""Notifications of deals: one for each happening and person, none of one's own acts, none of what one may not see."""

from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_project.imports.models import Import
from crm_project.imports.services import ask_for
from crm_project.journal.feed import end_of
from crm_project.notifications.models import Notification, NotificationPosition
from crm_project.notifications.reading import read_feeds, read_on
from crm_project.notifications.services import change_settings, mark_as_read
from deals.models import Deal
from deals.services import update_deals
from tests.api.client import ApiClient
from tests.base import World
from tests.factories import OrganizationFactory
from tests.imports.client import csv_file, imported
from tests.notifications.base import NotificationTestCase, read_all
from tests.tasks import run_tasks


class HappeningTests(NotificationTestCase):
    def change(self, deal, actor=None, **change):
        update_deals(actor=actor or self.alice, changes=[(deal, change)])
        self.read()

    def test_a_deal_that_is_handed_over(self):
        deal = self.deal(self.alice, name="Roof")

        self.change(deal, owner=self.bob.member.pk)

        assert self.of(self.bob) == [("deal_handed", "Roof")]
        assert self.of(self.alice) == []
        [message] = self.mails_to(self.bob)
        assert message.subject == "Roof. Alice handed you this deal"
        assert f"/admin/deals/deal/{deal.pk}/change/" in message.body

    def test_a_new_deal_for_somebody_else(self):
        self.deal(self.alice, name="Roof", owner=self.bob.member.pk)
        self.read()

        assert self.of(self.bob) == [("deal_handed", "Roof")]

    def test_a_deal_that_one_follows(self):
        deal = self.deal(self.alice, name="Roof", followers=[self.bob.member.pk, self.alice.member.pk])

        self.change(deal, name="Roof and wall")
        self.change(deal, status="won")
        self.change(deal, status="open")

        assert self.of(self.bob) == [
            ("deal_changed", "Roof and wall"),
            ("deal_closed", "Roof and wall"),
            ("deal_changed", "Roof and wall"),
        ]
        assert self.of(self.alice) == []
        assert len(self.mails_to(self.bob)) == 3

    def test_one_for_an_event_that_concerns_a_person_twice(self):
        deal = self.deal(self.alice, name="Roof", followers=[self.bob.member.pk])

        self.change(deal, owner=self.bob.member.pk, status="won")

        assert self.of(self.bob) == [("deal_handed", "Roof")]

    def test_none_of_what_one_did_oneself(self):
        deal = self.deal(self.bob, name="Roof", followers=[self.bob.member.pk])

        self.change(deal, self.bob, owner=self.bob.member.pk, status="won")

        assert self.of(self.bob) == []
        assert mail.outbox == []

    def test_to_follow_a_deal_is_no_news_of_it(self):
        deal = self.deal(self.alice, name="Roof")

        self.change(deal, followers=[self.bob.member.pk])

        assert self.of(self.bob) == []

    def test_none_of_a_deal_that_one_may_not_see(self):
        deal = self.deal(self.alice, name="Roof", followers=[self.bob.member.pk], is_private=True)

        self.change(deal, status="won")

        assert not Notification.objects.exists()
        assert mail.outbox == []

    def test_none_is_shown_or_mailed_after_access_is_lost(self):
        deal = self.deal(self.alice, name="Roof", followers=[self.bob.member.pk])
        update_deals(actor=self.alice, changes=[(deal, {"status": "won"})])
        read_all()

        update_deals(actor=self.alice, changes=[(deal, {"is_private": True})])
        run_tasks()

        assert Notification.objects.filter(member=self.bob.member).exists()
        assert self.of(self.bob) == []
        assert mail.outbox == []

    def test_many_at_once_are_one_mail(self):
        deals = [self.deal(self.alice, name=f"Deal {number}") for number in range(3)]
        update_deals(actor=self.alice, changes=[(deal, {"owner": self.bob.member.pk}) for deal in deals])
        self.read()

        assert [name for _, name in self.of(self.bob)] == ["Deal 0", "Deal 1", "Deal 2"]
        [message] = self.mails_to(self.bob)
        assert message.subject == "3 notifications of Alice and Co"
        assert message.body.count("Alice handed you this deal") == 3

    def test_the_switches(self):
        change_settings(
            actor=self.bob, change={"deal_handed": {"bell": False}, "deal_closed": {"mail": False}}
        )
        handed = self.deal(self.alice, name="Roof", owner=self.bob.member.pk)
        closed = self.deal(self.alice, name="Wall", followers=[self.bob.member.pk])
        self.change(closed, status="lost")

        assert self.of(self.bob) == [("deal_closed", "Wall")]
        assert [message.subject for message in self.mails_to(self.bob)] == [
            f"{handed.name}. Alice handed you this deal"
        ]

        change_settings(actor=self.bob, change={"deal_closed": {"bell": False}})
        self.change(closed, status="open")
        self.change(closed, status="lost")
        assert [kind for kind, _ in self.of(self.bob)] == ["deal_closed", "deal_changed"]

    def test_a_deactivated_member_gets_none(self):
        self.bob.member.is_active = False
        self.bob.member.save()

        self.deal(self.alice, owner=self.alice.member.pk, followers=[])
        deal = self.deal(self.alice, name="Roof")
        NotificationPosition.objects.update(sequence=0)
        self.change(deal, name="Wall")

        assert not Notification.objects.filter(member=self.bob.member).exists()

    def test_a_member_of_another_organization_gets_none(self):
        self.deal(self.alice, owner=self.bob.member.pk)
        self.read()

        assert self.of(self.charlie) == []
        own = Notification.objects.get()
        mark_as_read(actor=self.charlie, notification=own)
        mark_as_read(actor=self.alice, notification=own)
        own.refresh_from_db()
        assert own.read_at is None


class PositionTests(NotificationTestCase):
    def test_reading_again_doubles_nothing(self):
        """After a restore of the position, for example."""
        self.deal(self.alice, owner=self.bob.member.pk)
        self.read()
        NotificationPosition.objects.update(sequence=0)

        self.read()
        self.read()

        handed = Notification.objects.filter(kind="deal_handed", member=self.bob.member)
        assert handed.values("key").distinct().count() == handed.count()
        assert len(self.mails_to(self.bob)) == 1

    def test_a_first_reader_begins_at_the_end_for_an_old_organization(self):
        self.deal(self.alice, owner=self.bob.member.pk)
        NotificationPosition.objects.all().delete()

        self.read()

        assert not Notification.objects.exists()
        assert (
            NotificationPosition.objects.get(pk=self.organization.pk).sequence == end_of(self.organization)[1]
        )

    def test_a_new_organization_is_read_from_its_first_event(self):
        fresh = OrganizationFactory(name="Fresh", slug="fresh")

        assert NotificationPosition.objects.get(pk=fresh.pk).sequence == 0

    def test_nothing_is_written_while_nothing_happens(self):
        with CaptureQueriesContext(connection) as queries:
            assert read_feeds() is False

        assert len(queries) == 1

    def test_the_number_of_queries_does_not_depend_on_the_events(self):
        def count(number):
            for _ in range(number):
                self.deal(self.alice, owner=self.bob.member.pk)
            with CaptureQueriesContext(connection) as queries:
                read_on(self.organization)
            return len(queries)

        assert count(1) == count(20)

    def test_a_write_has_no_further_statement(self):
        """Of the room's tables none is named in the statements of a write."""
        deal = self.deal(self.alice, followers=[self.bob.member.pk])
        with CaptureQueriesContext(connection) as queries:
            update_deals(actor=self.alice, changes=[(deal, {"owner": self.bob.member.pk})])

        assert not [query["sql"] for query in queries if "notifications_" in query["sql"]]


class ImportTests(NotificationTestCase):
    def test_the_end_of_an_import_but_none_of_its_rows(self):
        rows = csv_file(["name", "owner_email"], ["Roof", self.alice.member.email])
        answer = imported(ApiClient(self.bob), "deals", rows)
        self.read()

        assert answer["state"] == "done", answer
        assert Deal.objects.get(name="Roof").owner == self.alice.member
        assert self.of(self.bob) == [("import_finished", "deals.csv")]
        assert self.of(self.alice) == []
        assert "finished: 1 row created" in self.mails_to(self.bob)[0].subject

    def test_a_preview_and_a_refused_run(self):
        rows = csv_file(["name", "amount"], ["Roof", "many"])
        source = imported(ApiClient(self.bob), "deals", rows, task="preview")
        self.read()
        assert self.of(self.bob) == []

        ask_for(actor=self.bob, source=Import.objects.get(uuid=source["uuid"]), task=Import.Tasks.RUN)
        run_tasks()

        assert "failed: nothing was imported" in self.mails_to(self.bob)[0].subject


def test_the_world_has_positions(db):
    """`World` makes its organizations as the product does."""
    world = World()

    assert NotificationPosition.objects.filter(pk=world.organization.pk).exists()
