"""A pause makes an open deal quiet until a day; a stage has a limit of days, after which its deals are stale."""

import datetime
import random
from zoneinfo import ZoneInfo

from django.utils import timezone

from crm_project.accounts.models import Organization
from crm_project.journal.models import Event
from crm_project.journal.sentences import lines
from crm_project.journal.undo import undo
from deals import rules
from deals.models import Deal
from deals.querysets import is_paused, is_stale
from deals.services import update_deals
from pipelines.services import update_stage
from tests.base import BaseTestCase, refused, refused_by_the_database

DAY = datetime.timedelta(days=1)


class PauseTestCase(BaseTestCase):
    def setUp(self):
        self.today = timezone.now().astimezone(ZoneInfo(self.organization.time_zone)).date()
        self.row = self.deal(name="Roof")

    def change(self, **change):
        return update_deals(actor=self.bob, changes=[(self.row, change)])[0].row

    def pause(self, days=9, reason="Budget"):
        return self.change(paused_until=self.today + days * DAY, pause_reason=reason)

    def stored(self):
        return Deal.objects.values_list("paused_until", "pause_reason").get(pk=self.row.pk)

    def said(self):
        event = Event.objects.history_of(self.row).order_by("-sequence")[:1]
        return lines(event, self.bob.member)[0].text


class PauseTests(PauseTestCase):
    def test_it_works(self):
        self.pause()

        assert self.stored() == (self.today + 9 * DAY, "Budget")
        assert self.said().startswith("Paused until ")
        assert self.said().endswith(": Budget")

    def test_today_is_the_last_possible_day_and_a_past_one_is_refused(self):
        self.pause(0)
        with refused("past", "paused_until"):
            self.pause(-1)

        assert self.stored() == (self.today, "Budget")

    def test_the_day_is_that_of_the_organization(self):
        zone = "Pacific/Kiritimati" if timezone.now().hour >= 10 else "Pacific/Pago_Pago"
        Organization.objects.filter(pk=self.organization.pk).update(time_zone=zone)
        self.bob.organization.time_zone = zone
        here = timezone.now().astimezone(ZoneInfo(zone)).date()

        self.change(paused_until=here, pause_reason="Budget")
        with refused("past", "paused_until"):
            self.change(paused_until=here - DAY)

        assert here != timezone.now().date()
        assert Deal.objects.filter(is_paused(here)).get() == self.row

    def test_a_reason_is_needed(self):
        for change in ({}, {"pause_reason": ""}, {"pause_reason": "  "}, {"pause_reason": None}):
            with refused("required", "pause_reason"):
                self.change(paused_until=self.today, **change)
        with refused("required", "paused_until"):
            self.change(pause_reason="Budget")
        self.pause()
        with refused("required", "pause_reason"):
            self.change(pause_reason="")

    def test_what_is_stored_may_be_sent_again_however_old(self):
        old = self.today - 40 * DAY
        Deal.objects.filter(pk=self.row.pk).update(paused_until=old, pause_reason="Budget")

        row = self.change(paused_until=old, pause_reason="Budget", name="Wall")
        self.change(pause_reason="Other")

        assert row.name == "Wall"
        assert self.stored() == (old, "Other")

    def test_without_the_day_it_ends_and_the_reason_goes_with_it(self):
        for sent in ({}, {"pause_reason": "Budget"}, {"pause_reason": ""}):
            self.pause()
            self.change(paused_until=None, **sent)
            assert self.stored() == (None, "")
            assert self.said() == "Resumed"
        self.pause()
        with refused("required", "paused_until"):
            self.change(paused_until=None, pause_reason="Another")

    def test_the_closing_ends_it(self):
        for closing in ({"status": "won"}, {"stage": self.lost.pk}, {"status": "abandoned"}):
            self.change(status="open")
            self.pause()
            # What a form or a file sends back as it is stored does not pause a closed deal.
            self.change(**closing, paused_until=self.today + 9 * DAY, pause_reason="Budget")
            assert self.stored() == (None, "")
            assert "aused" not in self.said()

    def test_a_closed_deal_is_not_paused(self):
        self.change(status="won")

        with refused("invalid", "paused_until", "pause_reason"):
            self.pause()
        with refused("invalid", "paused_until"):
            self.change(status="lost", paused_until=self.today + DAY)

    def test_a_move_to_another_open_stage_keeps_it(self):
        self.pause()

        self.change(stage=self.offer.pk)

        assert self.stored()[1] == "Budget"

    def test_undo(self):
        def undo_last():
            event = Event.objects.history_of(self.row).order_by("-sequence")[0]
            undo(actor=self.bob, sequence=event.sequence)
            return event

        self.pause()
        self.change(status="won")
        undo_last()
        assert self.stored() == (self.today + 9 * DAY, "Budget"), "the closing is undone with the pause"
        self.change(paused_until=None)
        resumed = Event.objects.history_of(self.row).order_by("-sequence")[0]
        self.change(status="won")
        with refused("undo_conflict"):
            undo(actor=self.bob, sequence=resumed.sequence)
        assert self.stored() == (None, "")

    def test_an_outsider_and_a_viewer_pause_nothing(self):
        change = {"paused_until": self.today, "pause_reason": "Budget"}
        for actor, code in ((self.viewer, "forbidden"), (self.charlie, "not_found")):
            with refused(code):
                update_deals(actor=actor, changes=[(self.row, change)])
        assert self.stored() == (None, "")

    def test_the_database_has_no_pause_without_a_reason(self):
        for values in ({"paused_until": self.today}, {"pause_reason": "Budget"}):
            with refused_by_the_database():
                Deal.objects.filter(pk=self.row.pk).update(**values)


class ConditionTests(PauseTestCase):
    def test_sql_and_python_decide_alike(self):
        """Deals with random pauses and days in stages with random limits."""
        chance, now = random.Random(5), timezone.now()
        stages = [self.new, self.offer, *self.renewals.stages.in_order()[:2]]
        for stage, limit in zip(stages, (1, 60, None, 3650), strict=True):
            update_stage(actor=self.alice, stage=stage, change={"stale_after_days": limit})
        for number in range(60):
            deal = self.deal(name=f"Deal {number}", stage=chance.choice(stages).pk)
            days = chance.choice([0, 1, 2, 29, 30, 31, 59, 61, 4000, 4000, 4000])
            until = chance.choice([None, self.today - DAY, self.today, self.today + DAY])
            if chance.random() < 0.2:
                update_deals(actor=self.bob, changes=[(deal, {"status": "won"})])
                until = None
            Deal.objects.filter(pk=deal.pk).update(
                stage_entered_at=now - days * DAY - datetime.timedelta(hours=1),
                paused_until=until,
                pause_reason="Budget" if until else "",
            )
        self.organization.refresh_from_db()
        deals = Deal.objects.of(self.organization).select_related("stage")

        stale = {deal.pk for deal in deals if rules.is_stale(deal, now, self.today)}
        paused = {deal.pk for deal in deals if rules.is_paused(deal, self.today)}

        assert {*deals.filter(is_stale(self.organization, now)).values_list("pk", flat=True)} == stale
        assert {*deals.exclude(is_stale(self.organization, now)).values_list("pk", flat=True)} == {
            deal.pk for deal in deals
        } - stale
        assert {*deals.filter(is_paused(self.today)).values_list("pk", flat=True)} == paused
        assert {deal.stage_id for deal in deals if deal.pk in stale} == {stage.pk for stage in stages}
        assert 3 < len(paused) < 57

    def test_without_a_limit_it_is_thirty_days_as_ever(self):
        now = timezone.now()
        for days, expected in ((29, False), (31, True)):
            Deal.objects.filter(pk=self.row.pk).update(stage_entered_at=now - days * DAY)
            assert Deal.objects.filter(is_stale(self.organization, now)).exists() is expected
