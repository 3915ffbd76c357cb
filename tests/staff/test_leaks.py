"""Nobody finds another organization's rows in the admin, nor a private deal that is not theirs: not on any page.

Every row of the other organization, and the invisible deal, carries a word that no page may show.
"""

import datetime
import json
import re
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.invitations import invite_member
from crm_project.accounts.models import ApiToken, Invitation, Member, Organization, User
from crm_project.accounts.rules import Role
from crm_project.accounts.services import create_token
from crm_project.activities.models import Activity
from crm_project.background.models import Schedule, StoredTask
from crm_project.goals.models import Goal
from crm_project.goals.services import create_goal
from crm_project.imports.export_services import ask_for_export
from crm_project.imports.files import receive
from crm_project.imports.models import Export, Import
from crm_project.imports.services import upload_file
from crm_project.mail.models import Message
from crm_project.notifications.models import Notification
from crm_project.rates.models import ExchangeRate
from crm_project.rates.services import create_exchange_rate
from crm_project.records.kinds import kinds
from crm_project.records.models import CustomField
from crm_project.saved_views.models import SavedView
from crm_project.saved_views.services import create_saved_view
from crm_project.webhooks.models import Webhook, WebhookDelivery
from crm_project.webhooks.services import create_webhook, send_test
from deals.models import Deal, LostReason
from deals.services import trash_deals, update_deals
from pipelines.models import Pipeline, Stage
from tests.factories import (
    ActivityFactory,
    ActorFactory,
    CompanyFactory,
    CustomFieldFactory,
    DealFactory,
    LostReasonFactory,
    OrganizationFactory,
    PersonFactory,
    PipelineFactory,
)
from tests.staff.base import StaffTestCase, action_url, add_url, change_url, list_url

pytestmark = pytest.mark.once

SECRET = "zyxsecret"
PRIVATE = "zyxprivate"
OURS = "zyxours"
# What is typed comes back on the page: parts of the words find the same rows.
TERMS = (SECRET[1:-1], PRIVATE[1:-1])
TENANT_MODELS = (
    Deal,
    Activity,
    Contact,
    Pipeline,
    Stage,
    LostReason,
    CustomField,
    Member,
    Invitation,
    Message,
    ApiToken,
    Import,
    Export,
    Webhook,
    ExchangeRate,
    WebhookDelivery,
    Notification,
    Goal,
    SavedView,
)


class LeakTestCase(StaffTestCase):
    """Both organizations have rows of all kinds. The other one's contain SECRET, Alice's private deal PRIVATE."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.other = OrganizationFactory(name=f"{SECRET} organization")
        cls.stranger = ActorFactory(
            organization=cls.other,
            role=Role.ADMIN,
            full_name=f"{SECRET} admin",
            email=f"{SECRET}@example.org",
        )
        User.objects.filter(pk=cls.stranger.member.user_id).update(is_staff=True)
        cls.foreign = cls._fill(cls.stranger, SECRET)
        cls.own = cls._fill(cls.alice, OURS)
        cls.private = DealFactory(
            actor=cls.alice, name=f"{PRIVATE} deal", owner=cls.alice.member.pk, is_private=True, amount=777777
        )
        update_deals(actor=cls.alice, changes=[(cls.own["deal"], {"next_deal": cls.private.pk})])
        ActivityFactory(
            actor=cls.alice,
            subject=f"{PRIVATE} call",
            deal=cls.private.pk,
            contact=cls.own["person"].pk,
            owner=cls.alice.member.pk,
            due_on=datetime.date(2026, 1, 1),
        )
        for actor in (cls.alice, cls.bob, cls.viewer):
            cls._notification(actor, cls.private)
        cls.trashed_private = DealFactory(actor=cls.alice, name=f"{PRIVATE} trashed", is_private=True)
        trash_deals(actor=cls.alice, rows=[cls.trashed_private])

    @classmethod
    def _fill(cls, actor, word):
        pipeline = PipelineFactory(
            actor=actor,
            name=f"{word} pipeline",
            stages=[
                {"name": f"{word} {name}", "kind": kind} for name, kind in (("in", "open"), ("won", "won"))
            ],
        )
        company = CompanyFactory(actor=actor, name=f"{word} company")
        person = PersonFactory(actor=actor, first_name=word, company=company.pk)
        reason = LostReasonFactory(actor=actor, name=f"{word} reason")
        field = CustomFieldFactory(actor=actor, key=f"key_{word}", label=f"{word} field")
        stage = pipeline.stages.get(position=0)
        deal = DealFactory(
            actor=actor,
            name=f"{word} deal",
            stage=stage.pk,
            contact=person.pk,
            client=company.pk,
            owner=actor.member.pk,
            members=[person.pk],
            followers=[actor.member.pk],
            external_references=[("default", f"{word}-1")],
            custom_fields={f"key_{word}": word},
        )
        gone = DealFactory(actor=actor, name=f"{word} gone", stage=stage.pk)
        trash_deals(actor=actor, rows=[gone])
        activity = ActivityFactory(
            actor=actor,
            subject=f"{word} task",
            deal=deal.pk,
            contact=person.pk,
            owner=actor.member.pk,
            external_references=[("default", f"{word}-1")],
        )
        ActivityFactory(actor=actor, subject=f"{word} note", contact=company.pk, type="note")
        token, _ = create_token(actor=actor, name=f"{word} token")
        invitation, _ = invite_member(actor=actor, email=f"{word}-guest@example.com")
        content = f"name,{word}\n{word},{word}\n".encode()
        source = upload_file(actor=actor, kind="deals", upload=receive(f"{word}.csv", [content]))
        change = {"url": f"https://{word}.example.com/", "events": ["*"], "description": f"{word} webhook"}
        webhook, _ = create_webhook(actor=actor, change=change)
        delivery = send_test(actor=actor, webhook=webhook)
        rate = {"currency": "USD", "date": timezone.localdate(), "rate": Decimal(2)}
        month = timezone.localdate().replace(day=1)
        return {
            "goal": create_goal(actor=actor, change={"month": month, "amount": Decimal(9876)}),
            "exchange_rate": create_exchange_rate(actor=actor, change=rate),
            "pipeline": pipeline,
            "stage": stage,
            "company": company,
            "person": person,
            "reason": reason,
            "field": field,
            "deal": deal,
            "gone": gone,
            "activity": activity,
            "member": actor.member,
            "token": token,
            "invitation": invitation,
            "message": Message.objects.get(recipient=invitation.email),
            "import": source,
            "export": ask_for_export(
                actor=actor, kind="deals", file_format="csv", listing="admin", query=f"q={word}"
            ),
            "webhook": webhook,
            "saved_view": create_saved_view(
                actor=actor, change={"name": f"{word} view", "list": "deals", "is_shared": True}
            ),
            "delivery": delivery,
            "notification": cls._notification(actor, deal),
        }

    @classmethod
    def _notification(cls, actor, deal):
        return Notification.objects.create(
            organization=actor.organization,
            member=actor.member,
            kind="deal_changed",
            key=f"event:{deal.pk}",
            row_kind="deal",
            row_id=deal.pk,
        )

    def assert_clean(self, response, *, words):
        """The page holds none of the words."""
        text = response.getvalue().decode(errors="replace")
        for word in words:
            assert word not in text, (
                f"{response.request['PATH_INFO']}?{response.request['QUERY_STRING']} tells {word}"
            )


def blind(case):
    """Who must not see what: each person with the words that are hidden from them."""
    return [
        (case.bob, (SECRET, PRIVATE)),
        (case.viewer, (SECRET, PRIVATE)),
        (case.charlie, (SECRET, PRIVATE, OURS)),
        (case.operator, (f"{SECRET} deal", f"{SECRET} company", f"{SECRET} pipeline", PRIVATE, OURS)),
    ]


class PageTests(LeakTestCase):
    def test_every_list_and_its_searches_and_filters(self):
        for who, words in blind(self):
            self.sign_in(who)
            for url in self.list_urls():
                self.assert_clean(self.client.get(url), words=words)

    def list_urls(self):
        for model in TENANT_MODELS:
            yield list_url(model)
            yield from (f"{list_url(model)}?q={term}" for term in TERMS)
            yield f"{list_url(model)}?_popup=1"
            yield f"{list_url(model)}?trash=only"
        deals = list_url(Deal)
        for filters in (
            {"trash": "only"},
            {"trash": "only", "q": TERMS[1]},
            {"owner": self.stranger.member.pk},
            {"stage": self.foreign["stage"].pk},
            {"pipeline": self.foreign["pipeline"].pk},
            {"amount_from": 777777},
            {"is_private": "yes"},
            {"o": "-2"},
        ):
            yield f"{deals}?{urlencode(filters)}"

    def test_a_foreign_field_is_no_more_a_parameter_than_one_that_does_not_exist(self):
        """The page repeats the name that was typed in the address, and nothing else of the field."""
        foreign, nothing = f"custom_key_{SECRET}", "custom_key_nothing"
        for who, words in blind(self)[:3]:
            self.sign_in(who)
            one, other = (self.client.get(list_url(Deal), {name: TERMS[0]}) for name in (foreign, nothing))

            assert (one.status_code, other.status_code) == (400, 400)
            assert one.context["wrong"][foreign] == other.context["wrong"][nothing]
            self.assert_clean(other, words=words)
            typed, page = foreign.encode(), one.content
            assert page.count(typed) == other.content.count(nothing.encode())
            assert SECRET.encode() not in page.replace(typed, b"")

    def test_every_form(self):
        for who, words in blind(self):
            self.sign_in(who)
            for model in TENANT_MODELS:
                self.assert_clean(self.client.get(add_url(model)), words=words)
            for row in self.own.values():
                self.assert_clean(self.client.get(change_url(row)), words=words)

    def test_the_home_page_and_the_choice_of_the_organization(self):
        for who, words in blind(self):
            self.sign_in(who)
            for url in ("/admin/", "/admin/?whose=all", "/admin/organization/"):
                self.assert_clean(self.client.get(url), words=words)

    def test_another_organizations_rows_have_no_page(self):
        hidden = [*self.foreign.values(), self.private, self.trashed_private, self.own["gone"]]
        for who in (self.bob, self.viewer, self.operator):
            self.sign_in(who)
            for row in hidden:
                for url in (
                    change_url(row),
                    change_url(row).replace("/change/", "/delete/"),
                    change_url(row).replace("/change/", "/history/"),
                ):
                    response = self.client.get(url, follow=True)
                    self.assert_clean(response, words=(SECRET, PRIVATE, "gone"))

    def test_every_act_finds_only_what_its_actor_sees(self):
        for who, words in blind(self)[:3]:
            self.sign_in(who)
            for model in TENANT_MODELS:
                rows = [row for row in [*self.foreign.values(), self.private] if isinstance(row, model)]
                for action in admin.site._registry[model].row_actions if rows else ():
                    self.assert_clean(
                        self.client.get(action_url(action.name, *rows), follow=True), words=words
                    )
                    self.client.post(
                        action_url(action.name, *rows), {"lost_reason": "", "stage": "", "owner": ""}
                    )
        assert Deal.objects.get(pk=self.foreign["deal"].pk).version == self.foreign["deal"].version
        assert Deal.objects.get(pk=self.private.pk).status == "open"

    def test_the_actions_forms_offer_only_what_may_be_seen(self):
        for who, words in blind(self)[:3]:
            self.sign_in(who)
            for action in admin.site._registry[Deal].row_actions:
                self.assert_clean(
                    self.client.get(action_url(action.name, self.own["deal"]), follow=True), words=words
                )

    def test_a_list_action_on_a_foreign_row_is_not_found(self):
        data = {"action": "action_trash", "_selected_action": [self.foreign["deal"].pk, self.private.pk]}

        response = self.client.post(list_url(Deal), data, follow=True)

        self.assert_clean(response, words=(SECRET, PRIVATE))
        assert Deal.objects.get(pk=self.foreign["deal"].pk).deleted_at is None


class LookUpTests(LeakTestCase):
    def test_every_autocomplete(self):
        sources = [
            ("deals", "deal", name)
            for name in (
                "contact",
                "client",
                "owner",
                "next_deal",
                "members",
                "followers",
                "access_list",
                "stage",
            )
        ]
        sources += [
            ("contacts", "contact", "company"),
            ("contacts", "contact", "owner"),
            ("accounts", "apitoken", "member"),
        ]
        sources += [
            ("pipelines", "stage", "pipeline"),
            ("deals", "dealstate", "deal"),
            ("deals", "deal", "lost_reason"),
        ]
        sources += [
            ("accounts", "member", "user"),
            ("accounts", "member", "organization"),
            ("journal", "event", "actor"),
        ]
        for who, words in blind(self):
            self.sign_in(who)
            for app, model, field in sources:
                for term in ("", *TERMS):
                    query = urlencode(
                        {"app_label": app, "model_name": model, "field_name": field, "term": term}
                    )
                    self.assert_clean(self.client.get(f"/admin/autocomplete/?{query}"), words=words)

    def test_choices_of_a_deals_account_have_companies_first_and_distinguish_namesakes(self):
        self.sign_in(self.bob)
        PersonFactory(actor=self.bob, first_name="Herring", email="zoe@herring.example")
        CompanyFactory(actor=self.bob, name="Herring", email="")
        PersonFactory(actor=self.bob, first_name="Herring", email="ann@herring.example")
        query = urlencode(
            {"app_label": "deals", "model_name": "deal", "field_name": "client", "term": "herring"}
        )

        found = json.loads(self.page(f"/admin/autocomplete/?{query}"))["results"]

        assert [row["text"] for row in found] == [
            "Herring · Company",
            "Herring Sample · Person · zoe@herring.example",
            "Herring Sample · Person · ann@herring.example",
        ]

    def test_an_autocomplete_finds_ones_own(self):
        query = urlencode(
            {"app_label": "deals", "model_name": "deal", "field_name": "client", "term": "ZYXOURS comp"}
        )

        found = json.loads(self.page(f"/admin/autocomplete/?{query}"))["results"]

        # People are found by the name of their company, too.
        assert {row["text"].split(" · ")[0] for row in found} == {f"{OURS} company", f"{OURS} Sample"}

    def test_the_palette(self):
        for who, words in blind(self):
            self.sign_in(who)
            for term in (*TERMS, OURS[1:-1], "e"):
                for extended in ("", "&extended=1"):
                    self.assert_clean(self.client.get(f"/admin/search/?s={term}{extended}"), words=words)

    def test_the_palette_finds_rows_of_the_present_membership_only(self):
        assert f"{OURS} deal" in self.page("/admin/search/?s=zyxours&extended=1")

        Member.objects.filter(pk=self.bob.member.pk).update(is_active=False)

        assert f"{OURS} deal" not in self.page("/admin/search/?s=zyxours&extended=1")

    def test_free_look_ups_are_refused(self):
        for query in (
            "owner__user__password__startswith=md5",
            "next_deal__name__startswith=zyx",
            "contact__email__contains=a",
            "organization=2",
            "id__gt=0",
        ):
            assert self.client.get(f"{list_url(Deal)}?{query}").status_code == 400, query


class ForgeryTests(LeakTestCase):
    """Ids of rows one may not see, sent by hand."""

    def test_a_forged_relation_is_refused_in_the_form(self):
        for name, key in (
            ("stage", "stage"),
            ("contact", "person"),
            ("client", "company"),
            ("owner", "member"),
            ("members", "person"),
            ("followers", "member"),
            ("next_deal", "deal"),
            ("lost_reason", "reason"),
        ):
            response = self.save(change_url(self.own["deal"]), **{name: self.foreign[key].pk})

            assert response.status_code == 200, name
            assert name in response.context["adminform"].form.errors, name
            self.assert_clean(response, words=(SECRET, PRIVATE))

    def test_a_forged_private_deal_is_refused(self):
        response = self.save(change_url(self.own["person"].deals.first()), next_deal=self.private.pk)

        assert "next_deal" in response.context["adminform"].form.errors
        self.assert_clean(response, words=(PRIVATE,))

    def test_what_is_prefilled_from_the_address_is_checked_too(self):
        query = urlencode({"client": self.foreign["company"].pk, "next_deal": self.private.pk})

        self.assert_clean(self.client.get(f"{add_url(Deal)}?{query}"), words=(SECRET, PRIVATE))

    def test_a_hidden_next_deal_survives_a_save(self):
        response = self.save(change_url(self.own["deal"]), name="Renamed")

        assert response.status_code == 302
        deal = Deal.objects.get(pk=self.own["deal"].pk)
        assert (deal.name, deal.next_deal_id) == ("Renamed", self.private.pk)

    def test_a_stage_of_another_pipeline_cannot_be_put_into_ours(self):
        self.sign_in(self.alice)
        url = change_url(self.own["pipeline"])

        response = self.client.post(url, {**self.form(url), "stages-0-id": self.foreign["stage"].pk})

        assert response.status_code == 200
        assert Stage.objects.get(pk=self.foreign["stage"].pk).name == f"{SECRET} in"

    def test_a_switch_into_a_foreign_organization_is_refused(self):
        self.client.post("/admin/organization/", {"member": self.stranger.member.pk})

        self.assert_clean(self.client.get(list_url(Deal)), words=(SECRET,))

    def test_undoing_a_foreign_event_changes_nothing(self):
        from crm_project.journal.models import Event

        event = Event.objects.filter(kind="deal", row_id=self.private.pk).first()

        response = self.client.post(reverse("admin:undo", args=[event.sequence]), follow=True)

        self.assert_clean(response, words=(PRIVATE,))
        assert Deal.objects.get(pk=self.private.pk).deleted_at is None


MARKUP = """"><b x-init="alert(1)">'it"""


class MarkupTests(StaffTestCase):
    """Input is text on every page and never markup, which the theme's scripts would evaluate."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        pipeline = PipelineFactory(
            actor=cls.alice, name=MARKUP, description=MARKUP, stages=[{"name": MARKUP}]
        )
        company = CompanyFactory(actor=cls.alice, name=MARKUP, website=MARKUP, phone=MARKUP)
        person = PersonFactory(actor=cls.alice, first_name=MARKUP, company=company.pk, job_title=MARKUP)
        field = CustomFieldFactory(
            actor=cls.alice, key="size", label=MARKUP, type="select", options=[MARKUP], mask=MARKUP
        )
        deal = DealFactory(
            actor=cls.alice,
            name="before",
            client=company.pk,
            contact=person.pk,
            members=[person.pk],
            stage=pipeline.stages.get().pk,
            external_references=[(MARKUP, MARKUP)],
            custom_fields={"size": MARKUP},
            **dict.fromkeys(("description", "url", "origin", "number"), MARKUP),
        )
        update_deals(actor=cls.alice, changes=[(deal, {"name": MARKUP})])
        reason = LostReasonFactory(actor=cls.alice, name=MARKUP)
        token, _ = create_token(actor=cls.alice, name=MARKUP)
        User.objects.update(full_name=MARKUP)
        Organization.objects.update(name=MARKUP)
        cls.rows = [deal, company, person, pipeline, pipeline.stages.get(), field, reason, token]
        cls.rows.append(cls.alice.member)

    def test_it_is_text_on_every_page(self):
        self.sign_in(self.alice)
        urls = ["/admin/", "/admin/organization/", "/admin/search/?s=alert&extended=1", add_url(Deal)]
        for row in self.rows:
            actions = [action_url(action.name, row) for action in admin.site._registry[type(row)].row_actions]
            urls += [list_url(type(row)), f"{list_url(type(row))}?q=alert", change_url(row), *actions]

        for url in urls:
            assert '"><b x-init' not in self.client.get(url, follow=True).content.decode(), url
        assert "&lt;b x-init" in self.page(change_url(self.rows[0]))


class CoverageTests(LeakTestCase):
    def test_those_who_may_see_the_words_do(self):
        """Else the other tests would prove nothing."""
        for who, word in ((self.stranger, SECRET), (self.alice, PRIVATE)):
            self.sign_in(who)
            for url in (list_url(Deal), "/admin/", f"/admin/search/?s={word[1:-1]}&extended=1"):
                assert word in self.page(url)

    def test_every_model_of_the_admin_is_walked_or_the_operators(self):
        assert set(admin.site._registry) == {*TENANT_MODELS, Organization, User, StoredTask, Schedule}
        assert {type(row) for row in self.foreign.values()} == {*TENANT_MODELS}, "`_fill` makes a row of each"

    def test_every_kind_of_rows_of_deals_has_a_row_of_the_private_one(self):
        without = [
            kind.name
            for kind in kinds.values()
            if kind.parents and not kind.hidden_rows(self.bob.member).exists()
        ]

        assert without == []

    def test_operators_see_organizations_and_logins_and_others_do_not(self):
        for who, status in ((self.operator, 200), (self.bob, 403), (self.viewer, 403)):
            self.sign_in(who)
            assert self.client.get(list_url(Organization)).status_code == status
            assert self.client.get(list_url(User)).status_code == status

    def test_operators_see_tasks_and_the_schedule_and_others_do_not(self):
        task = StoredTask.objects.create(name="a.task", queue="default")
        entry = Schedule.objects.create(name="nightly", next_at=timezone.now())
        urls = [url for row in (task, entry) for url in (list_url(type(row)), change_url(row))]
        for who, status in ((self.operator, 200), (self.alice, 403), (self.bob, 403)):
            self.sign_in(who)
            for url in urls:
                assert self.client.get(url).status_code == status, url

    def test_an_admin_sees_the_own_organization_alone(self):
        self.sign_in(self.alice)

        page = self.page(list_url(Organization))

        assert "Alice and Co" in page
        assert SECRET not in page
        assert self.client.get(list_url(User)).status_code == 403

    def test_every_url_without_arguments_is_clean(self):
        for who, words in blind(self):
            self.sign_in(who)
            for url in plain_urls():
                if "logout" in url:
                    continue
                self.assert_clean(self.client.get(url), words=words)


def plain_urls():
    """All addresses under /admin/ that take no arguments, wherever they come from."""

    def walk(patterns, prefix):
        for pattern in patterns:
            text = prefix + re.sub(r"[\^$\\]|\?P<\w+>", "", str(pattern.pattern))
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, text)
            elif isinstance(pattern, URLPattern) and not re.search(r"[<(]", text):
                yield f"/{text}"

    found = [url for url in walk(get_resolver().url_patterns, "") if url.startswith("/admin/")]
    assert len(found) > 20
    return found
