"""The reach of every action of the admin: the page and the report name as many rows as the action changes."""

import datetime
import html
import re
from decimal import Decimal
from uuid import uuid4

from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact
from contacts.services import trash_contacts
from crm_project.accounts.invitations import invite_member
from crm_project.accounts.models import Invitation, Member, Organization, User
from crm_project.accounts.services import create_token, deactivate_member
from crm_project.activities.services import trash_activities
from crm_project.background.models import Schedule, StoredTask
from crm_project.changes import columns
from crm_project.goals.models import Goal
from crm_project.goals.services import create_goal, trash_goal
from crm_project.imports.export_services import ask_for_export
from crm_project.imports.models import Export, Import
from crm_project.journal.models import Event
from crm_project.mail.models import Message
from crm_project.rates.models import ExchangeRate
from crm_project.rates.services import create_exchange_rate, trash_exchange_rate
from crm_project.records.kinds import kinds
from crm_project.records.services import trash_custom_field
from crm_project.saved_views.services import create_saved_view, trash_saved_view
from crm_project.staff.actions import RestoreAction, TrashAction
from crm_project.webhooks.services import create_webhook, send_test, trash_webhook
from deals.models import Deal
from deals.services import trash_deals, trash_lost_reason, update_deals
from pipelines.models import Pipeline, Stage
from pipelines.services import create_stage, trash_pipeline, trash_stage, update_pipeline
from tests.base import stages_of
from tests.factories import ActivityFactory, CustomFieldFactory, LostReasonFactory, PipelineFactory
from tests.staff.base import StaffTestCase, action_url, add_url, change_url, list_url
from tests.tasks import run_tasks

PAUSED_UNTIL = datetime.date(2099, 12, 31)
COUNTED = re.compile(r"([\d,]+) ([A-Za-z ]+?)(?=,| and |\.|\)|:|<|$)")


def picture():
    """Every stored row with its values, by model and primary key."""
    models = [kind.model for kind in kinds.values()] + [
        User,
        Export,
        Import,
        Invitation,
        Message,
        StoredTask,
        Schedule,
    ]
    return {
        (model, row.pk): columns(row)
        for model in models
        if model is not Organization
        for row in model.objects.all()
    }


def changed_since(before):
    """The number of rows of each model that are not as they were."""
    after = picture()
    rows = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    return tally(model for model, _ in rows)


def tally(models):
    counts = {}
    for model in models:
        counts[model] = counts.get(model, 0) + 1
    return counts


def named(text):
    """`1 stage and 12 deals` as numbers by model."""
    by_name = {
        name: model
        for model in (
            *(kind.model for kind in kinds.values()),
            User,
            Export,
            Import,
            Invitation,
            Message,
            StoredTask,
            Schedule,
        )
        for name in (str(model._meta.verbose_name), str(model._meta.verbose_name_plural))
    }
    found = [(by_name.get(name.strip()), number) for number, name in COUNTED.findall(text)]
    return {model: int(number.replace(",", "")) for model, number in found if model}


class ReachTestCase(StaffTestCase):
    def setUp(self):
        self.sign_in(self.alice)

    def announced(self, url):
        response = self.client.get(url)
        assert response.status_code == 200, url
        page = response.content.decode()
        reach = re.search(r"This changes <strong>(.*?)</strong>", page)[1]
        button = re.search(r'<button type="submit" class="crm-button crm-button-\w+">(.*?)</button>', page)[1]
        assert reach == "1 " + reach[2:] or f"({reach})" in button, "the button names more than one row"
        return named(reach)

    def carried_out(self, url, **given):
        """Post the form: the report, and the rows that have changed."""
        before = picture()
        response = self.client.post(url, given)
        assert response.status_code == 302, response.context["form"].errors
        page = self.client.get(response["location"], follow=True).content.decode()
        report = re.search(r'<span class="crm-report">(.*?)</span>', page, re.DOTALL)
        assert report, page
        return report[1], changed_since(before)


class ActionTests(ReachTestCase):
    """One method for each action, `<model>_<action>`, gives its rows and its form."""

    def deals(self, **change):
        return [self.deal(self.alice, **change) for _ in range(3)]

    def deal_win(self):
        return self.deals(), {}

    def deal_lose(self):
        return self.deals(), {"lost_reason": LostReasonFactory(actor=self.alice).pk}

    def deal_reopen(self):
        return self.deals(status="lost"), {}

    def deal_move(self):
        return self.deals(), {"stage": stages_of(self.renewals)[1].pk}

    def deal_hand_over(self):
        return self.deals(owner=self.bob.member.pk), {"owner": self.manager.member.pk}

    def deal_pause(self):
        return self.deals(), {"paused_until": str(PAUSED_UNTIL), "pause_reason": "Holidays"}

    def deal_resume(self):
        return self.deals(paused_until=PAUSED_UNTIL, pause_reason="Holidays"), {}

    def deal_duplicate(self):
        return self.deals()[:1], {}

    def deal_trash(self):
        return self.deals(), {}

    def deal_restore(self):
        rows = self.deals()
        trash_deals(actor=self.alice, rows=rows)
        return rows, {"stage": ""}

    def contact_trash(self):
        return [self.person(), self.person()], {}

    def contact_restore(self):
        rows, _ = self.contact_trash()
        trash_contacts(actor=self.alice, rows=rows)
        return rows, {}

    def activity_done(self):
        contact = self.person().pk
        return [ActivityFactory(actor=self.alice, contact=contact) for _ in range(2)], {}

    def activity_postpone(self):
        return self.activity_done()

    def activity_trash(self):
        return self.activity_done()

    def activity_restore(self):
        rows, _ = self.activity_done()
        trash_activities(actor=self.alice, rows=rows)
        return rows, {}

    def exchangerate_trash(self):
        date = timezone.localdate() - datetime.timedelta(days=ExchangeRate.objects.count())
        changes = [{"currency": currency, "date": date, "rate": Decimal(2)} for currency in ("CHF", "SEK")]
        return [create_exchange_rate(actor=self.alice, change=change) for change in changes], {}

    def exchangerate_restore(self):
        rows, _ = self.exchangerate_trash()
        for row in rows:
            trash_exchange_rate(actor=self.alice, exchange_rate=row)
        return rows, {}

    def goal_trash(self):
        first = Goal.objects.count() + 1
        changes = [{"month": datetime.date(2020 + n, 1, 1), "amount": Decimal(2)} for n in (first, first + 1)]
        return [create_goal(actor=self.alice, change=change) for change in changes], {}

    def goal_restore(self):
        rows, _ = self.goal_trash()
        for row in rows:
            trash_goal(actor=self.alice, goal=row)
        return rows, {}

    def lostreason_trash(self):
        return [LostReasonFactory(actor=self.alice), LostReasonFactory(actor=self.alice)], {}

    def lostreason_restore(self):
        rows, _ = self.lostreason_trash()
        for row in rows:
            trash_lost_reason(actor=self.alice, lost_reason=row)
        return rows, {}

    def customfield_trash(self):
        return [CustomFieldFactory(actor=self.alice), CustomFieldFactory(actor=self.alice)], {}

    def customfield_restore(self):
        rows, _ = self.customfield_trash()
        for row in rows:
            trash_custom_field(actor=self.alice, custom_field=row)
        return rows, {}

    def stage_trash(self):
        self.deals(stage=self.new.pk)
        return [self.new], {"move_deals_to": self.offer.pk}

    def stage_restore(self):
        trash_stage(actor=self.alice, stage=self.offer)
        return [Stage.objects.get(pk=self.offer.pk)], {}

    def pipeline_trash(self):
        self.deals(stage=stages_of(self.renewals)[0].pk)
        return [self.renewals], {"move_deals_to": self.new.pk}

    def pipeline_restore(self):
        pipeline = PipelineFactory(actor=self.alice)
        trash_pipeline(actor=self.alice, pipeline=pipeline)
        return [Pipeline.objects.get(pk=pipeline.pk)], {}

    def member_deactivate(self):
        return [self.viewer.member], {}

    def contact_merge(self):
        kept, other = self.person(), self.person()
        self.deal(contact=other.pk)
        return [kept, other], {"target": kept.pk, "email": other.pk}

    def member_activate(self):
        deactivate_member(actor=self.alice, member=self.viewer.member)
        return [self.viewer.member], {}

    def member_rename(self):
        return [self.viewer.member], {"full_name": "Vincent"}

    def member_password(self):
        return [self.viewer.member], {"password": "a rather long one"}

    def apitoken_revoke(self):
        return [create_token(actor=self.alice, name=name)[0] for name in "ab"], {}

    def invitation_withdraw(self):
        return [invite_member(actor=self.alice, email="guest@example.com")[0]], {}

    def webhook(self):
        return create_webhook(actor=self.alice, change={"url": "https://example.com/", "events": ["*"]})[0]

    def webhook_trash(self):
        return [self.webhook(), self.webhook()], {}

    def webhook_restore(self):
        rows, _ = self.webhook_trash()
        for row in rows:
            trash_webhook(actor=self.alice, webhook=row)
        return rows, {}

    def webhook_test(self):
        return [self.webhook()], {}

    def webhook_rotate(self):
        return [self.webhook()], {}

    def webhook_replay(self):
        return [self.webhook()], {"since": "0"}

    def webhookdelivery_resend(self):
        return [send_test(actor=self.alice, webhook=self.webhook())], {}

    def saved_view(self):
        change = {"name": "Open", "list": "deals", "filters": {"status": "open"}}
        return create_saved_view(actor=self.alice, change=change)

    def savedview_trash(self):
        return [self.saved_view(), self.saved_view()], {}

    def savedview_restore(self):
        rows, _ = self.savedview_trash()
        for row in rows:
            trash_saved_view(actor=self.alice, saved_view=row)
        return rows, {}

    def user_password(self):
        self.sign_in(self.operator)
        return [self.viewer.member.user], {"password": "a rather long one"}

    def storedtask_again(self):
        self.sign_in(self.operator)
        return [StoredTask.objects.create(name=name, queue="default", state="failed") for name in "ab"], {}

    def schedule_now(self):
        self.sign_in(self.operator)
        return [Schedule.objects.create(name="delete-expired", next_at=timezone.now())], {}

    def export_discard(self):
        asked = {"kind": "deals", "file_format": "csv", "listing": "admin", "query": ""}
        return [ask_for_export(actor=self.alice, **asked)], {}

    def import_discard(self):
        return [self.imported(run=False)], {}

    def import_undo(self):
        return [self.imported()], {}

    def import_undo_unchanged(self):
        source = self.imported()
        changed = Deal.objects.filter(name__startswith="A w").latest("id")
        update_deals(actor=self.manager, changes=[(changed, {"name": "Changed since"})])
        self.client.post(action_url("undo", source))
        run_tasks()
        return [source], {}

    def import_redo(self):
        source = self.imported()
        self.client.post(action_url("undo", source))
        run_tasks()
        return [source], {}

    def message_send_again(self):
        invite_member(actor=self.alice, email="late@example.com")
        Message.objects.update(failed_at=timezone.now(), attempts=30)
        return [Message.objects.get(recipient="late@example.com")], {}

    def imported(self, *, run=True):
        word = f"w{Event.objects.count()}"
        lines = (
            "name,contact_email,contact_first_name",
            *(f"{name} {word},{word}@example.com,N" for name in "AB"),
        )
        content = "\n".join(lines).encode()
        file = SimpleUploadedFile("deals.csv", content, "text/csv")
        self.client.post(add_url(Import), {"kind": "deals", "file": file})
        source = Import.objects.get()
        form = self.client.get(change_url(source)).context["form"]
        given = {field.html_name: field.value() or "" for field in form}
        if run:
            self.client.post(reverse("admin:imports_run", args=[source.pk]), given)
            run_tasks()
        return source

    def test_it_walks_every_action(self):
        """The trash of a further kind is the same code as that of the walked ones."""
        actions = {
            f"{model._meta.model_name}_{action.name.replace('-', '_')}": type(action)
            for model, page in admin.site._registry.items()
            for action in page.row_actions
        }
        walked = {name for name in dir(self) if name.split("_")[0] in NAMES and "_" in name}

        assert walked <= actions.keys()
        assert {actions[name] for name in actions.keys() - walked} <= {TrashAction, RestoreAction}

    def test_the_page_and_the_report_name_the_rows_that_change(self):
        walked = {name for name in dir(self) if name.split("_")[0] in NAMES and "_" in name}
        for name in sorted(walked - SENDING):
            with self.subTest(name):
                self.sign_in(self.alice)
                Import.objects.all().delete()
                self.check(name)

    def check(self, name):
        rows, given = getattr(self, name)()
        url = action_url(name.split("_", 1)[1].replace("_", "-"), *rows)

        announced = self.announced(url)
        report, changed = self.carried_out(url, **given)

        if name in ("import_undo", "import_undo_unchanged", "import_redo"):
            before = picture()
            run_tasks()
            changed = changed_since(before)
            del changed[Import], changed[StoredTask]
        elif name in ("member_rename", "member_password"):
            changed = {Member: changed.pop(User)}
        elif name.startswith("exchangerate_"):
            changed.pop(StoredTask, None)  # the amounts that follow
        elif name == "schedule_now":
            changed = {Schedule: changed.pop(StoredTask)}
        elif name == "message_send_again":
            del changed[StoredTask]
        else:
            own = {type(rows[0]): 1} if len(rows) == 1 else {}
            others = named(report)
            total = {model: own.get(model, 0) + others.get(model, 0) for model in own | others}
            assert total == changed, report
        if name == "contact_merge":
            del changed[Deal]  # those of the contact that is not kept, which the form decides
        assert announced == changed, name
        assert sum(changed.values()) >= len(rows)
        if len(rows) == 1 and name not in ("export_discard", "import_discard", "invitation_withdraw"):
            assert "<a " in report

    def test_rows_that_need_no_change_are_named(self):
        won = self.deal(status="won")
        deals = [*self.deals(), won]

        report, changed = self.carried_out(action_url("win", *deals))

        assert report.startswith("3 deals: won. 1 needed no change.")
        assert changed == {Deal: 3}
        report, changed = self.carried_out(action_url("win", won))
        assert report.endswith(": nothing to change.")
        assert not changed

    def test_the_report_names_what_was_done_and_leads_to_the_undo(self):
        deals = self.deals(owner=self.bob.member.pk)
        for action, given, words in (
            ("move", {"stage": stages_of(self.renewals)[1].pk}, "moved to Renewals, Offer."),
            ("hand-over", {"owner": self.manager.member.pk}, "handed over to Mary."),
        ):
            report, _ = self.carried_out(action_url(action, *deals), **given)

            assert report.startswith(f"3 deals: {words}")
            undo = re.search(r'href="(/admin/undo/\d+/)"', report)[1]
            assert self.announced(undo) == {Deal: 3}

    def test_rows_of_one_name_can_be_distinguished(self):
        people = [self.person(first_name=name) for name in ("Ann", "Zoé")]
        deals = [self.deal(name="Refonte 2026", contact=person.pk, amount="5") for person in people]

        page = self.page(action_url("win", *deals))

        assert all(f"Deal · {person} · New · 5 EUR" in page for person in people)

    def test_a_deactivation_names_what_its_choices_change(self):
        self.deals(owner=self.bob.member.pk)
        self.deal(owner=self.bob.member.pk, status="won")
        self.person(owner=self.bob.member.pk)
        url = action_url("deactivate", self.bob.member)
        heir = self.manager.member.pk
        assert "owns 1 contact, 3 open deals and 1 closed deal." in self.page(url)

        report, changed = self.carried_out(url, hand_over_to=heir, hand_over_closed="on")

        assert changed == {Member: 1, Deal: 4, Contact: 1}
        assert named(report) == {Deal: 4, Contact: 1}


# What they change is outside: tests/webhooks/test_admin.py.
SENDING = {"webhook_test", "webhook_rotate", "webhook_replay", "webhookdelivery_resend"}
NAMES = {model._meta.model_name for model in admin.site._registry}


class UndoTests(ReachTestCase):
    def undo_url(self, row):
        event = Event.objects.history_of(row).order_by("-sequence").first()
        return reverse("admin:undo", args=[event.sequence])

    def link(self, row):
        """The text of the newest undo link in the history of a row."""
        text = re.search(
            rf'{self.undo_url(row)}\?next=[^"]*">(.*?)</a>', self.page(change_url(row)), re.DOTALL
        )[1]
        return re.sub(r"<span.*?</span>", "", text)

    def test_older_changes_are_on_further_pages(self):
        deal = self.deal(probability=1)
        for number in range(2, 71):
            update_deals(actor=self.bob, changes=[(deal, {"probability": number})])
        url, seen, sizes = change_url(deal), [], []

        while url:
            page = self.page(url)
            found = re.findall(r"/undo/(\d+)/", page)
            sizes.append(len(found))
            seen += map(int, found)
            older = re.search(r'href="([^"]*timeline_after=[^"]*)"[^>]*>Older entries', page)
            assert ("Newest entries" in page) == (len(sizes) > 1)
            url = older and html.unescape(older[1])

        events = Event.objects.history_of(deal).order_by("-sequence").values_list("sequence", flat=True)
        assert sizes == [30, 30, 10]
        assert seen == list(events)
        for wrong in ("x", "-1", "9" * 30, ""):
            assert f"/undo/{seen[0]}/" in self.page(f"{change_url(deal)}?timeline_after={wrong}")

    def test_older_changes_of_a_pipeline_are_on_further_pages(self):
        for number in range(40):
            update_pipeline(actor=self.alice, pipeline=self.renewals, change={"name": f"Renewals {number}"})
        url, seen = change_url(self.renewals), []

        while url:
            page = self.page(url)
            seen += map(int, re.findall(r"/undo/(\d+)/", page))
            older = re.search(r'href="(\?history_before=\d+#history)">Older changes', page)
            url = older and f"{change_url(self.renewals)}{older[1]}"

        events = Event.objects.history_of(self.renewals).order_by("-sequence")
        assert seen == list(events.values_list("sequence", flat=True))
        for wrong in ("x", "-1", "9" * 30, ""):
            assert f"/undo/{seen[0]}/" in self.page(f"{change_url(self.renewals)}?history_before={wrong}")

    def check(self, row, expected, **counts):
        button = self.link(row)
        url = self.undo_url(row)

        assert button == f"Undo ({expected})"
        announced = self.announced(url)
        report, changed = self.carried_out(url)
        assert announced == changed
        assert "change undone" in report
        return changed

    def test_a_bulk_change(self):
        deals = [self.deal(self.alice, owner=self.bob.member.pk) for _ in range(38)]
        self.client.post(action_url("hand-over", *deals), {"owner": self.manager.member.pk})
        self.sign_in(self.bob)

        assert Deal.objects.filter(owner=self.manager.member).count() == 38
        page = self.page(self.undo_url(deals[3]))
        assert "Alice: Handed from Bob to Mary" in page
        assert all(change_url(deal) in page for deal in deals)
        assert Deal.objects.filter(owner=self.manager.member).count() == 38, "a page changes nothing"
        assert self.check(deals[3], "38 deals") == {Deal: 38}
        assert Deal.objects.filter(owner=self.bob.member).count() == 38

    def test_one_row(self):
        deal = self.deal(name="Roof")
        update_deals(actor=self.bob, changes=[(deal, {"name": "Floor"})])

        assert self.check(deal, "1 deal") == {Deal: 1}

    def test_a_removed_stage_with_its_deals(self):
        deals = [self.deal(stage=self.new.pk) for _ in range(4)]
        self.client.post(action_url("trash", self.new), {"move_deals_to": self.offer.pk})

        assert self.check(deals[0], "8 rows") == {Deal: 4, Stage: 4}

    def test_a_created_pipeline_with_its_stages(self):
        assert self.check(self.renewals, "5 rows") == {Pipeline: 1, Stage: 4}

    def test_an_inserted_stage(self):
        create_stage(actor=self.alice, change={"pipeline": self.pipeline.pk, "name": "First", "position": 0})

        assert self.check(self.pipeline, "5 stages") == {Stage: 5}

    def test_a_created_row_leads_to_its_list_and_the_trash(self):
        deal = self.deal(name="Roof")

        response = self.client.post(self.undo_url(deal), {"next": change_url(deal)}, follow=True)

        assert response.request["PATH_INFO"] == list_url(Deal)
        page = response.content.decode()
        assert (
            f'<a class="crm-link" href="{list_url(Deal)}?trash=only">Roof</a>: change undone (Bob: Created).'
            in page
        )
        assert "exist" not in page

    def test_a_refusal_names_the_field_and_changes_nothing(self):
        deal = self.deal(name="Roof")
        update_deals(actor=self.bob, changes=[(deal, {"name": "Floor"})])
        url = self.undo_url(deal)
        update_deals(actor=self.manager, changes=[(deal, {"name": "Wall"})])

        response = self.client.post(url)

        assert response.status_code == 200
        assert "Name: Mary changed it at" in response.content.decode()
        assert Deal.objects.get(pk=deal.pk).name == "Wall"

    def test_a_change_of_invisible_rows_is_refused_without_their_number(self):
        seen = self.deal(self.alice)
        hidden = [self.deal(self.alice, is_private=True, owner=self.alice.member.pk) for _ in range(2)]
        self.client.post(action_url("win", seen, *hidden))
        self.sign_in(self.bob)

        response = self.client.get(self.undo_url(seen), follow=True)

        assert "Nothing was undone. It changed rows that you may not see." in response.content.decode()
        assert self.link(seen) == "Undo (1 deal)"

    def test_a_rep_does_not_undo_what_a_manager_alone_may_change(self):
        deal = self.deal(stage=self.new.pk)
        self.client.post(action_url("trash", self.new), {"move_deals_to": self.offer.pk})
        self.sign_in(self.bob)

        for method in (self.client.get, self.client.post):
            page = method(self.undo_url(deal), follow=True).content.decode()
            assert "Nothing was undone. It changed rows that your role does not allow you to change." in page

    def test_those_who_may_not_undo_have_neither_button_nor_page(self):
        deal = self.deal(self.alice)
        for who, status in ((self.viewer, 403), (self.charlie, 302)):
            self.sign_in(who)
            for method in (self.client.get, self.client.post):
                assert method(self.undo_url(deal)).status_code == status
        self.sign_in(self.viewer)
        assert "crm-undo" not in self.page(change_url(deal))
        assert Deal.objects.live().filter(pk=deal.pk).exists()

    def test_the_button_counts_a_large_change_set_in_part(self):
        deal = self.deal()
        event = Event.objects.latest("sequence")
        fields = {
            "change_set": event.change_set,
            "kind": "contact",
            "action": "created",
            "row_version": 1,
            "changes": {},
        }
        Event.objects.bulk_create(
            Event(
                organization=self.organization,
                sequence=10**6 + n,
                row_id=10**6 + n,
                row_uuid=uuid4(),
                **fields,
            )
            for n in range(2_001)
        )
        self.deal()

        assert "Undo (over 2,000 rows)" in self.page(change_url(deal))
