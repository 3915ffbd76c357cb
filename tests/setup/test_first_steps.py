"""The guide through the first steps: who is led there, what each page saves, and when it ends."""

import itertools
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from crm_project.accounts.models import Invitation, Organization, User
from crm_project.accounts.rules import Role
from crm_project.mail.models import Message
from crm_project.setup.organizations import open_organization, owner_login
from crm_project.setup.pipeline_templates import TEMPLATES, template
from deals.models import Deal
from pipelines.models import Pipeline, Stage
from pipelines.rules import missing_kinds
from tests.factories import ActorFactory
from tests.staff.base import StaffTestCase, change_url, list_url

PASSWORD = "a rather long password"
STEPS = ("organization", "pipeline", "colleagues", "deals")


def step_url(name):
    return reverse(f"admin:first_steps_{name}")


class Fields(HTMLParser):
    """What a browser sends of the form with an action, if nothing is typed."""

    def __init__(self, page, action):
        super().__init__()
        self.action, self.is_inside, self.select, self.sent = action, False, "", {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.is_inside = given.get("action") == self.action
        elif self.is_inside and tag == "input" and "name" in given:
            self.sent[given["name"]] = given.get("value", "")
        elif self.is_inside and tag == "select":
            self.select = given["name"]
        elif self.is_inside and tag == "option" and ("selected" in given or self.select not in self.sent):
            self.sent[self.select] = given["value"]

    def handle_endtag(self, tag):
        if tag == "form":
            self.is_inside = False


class FirstStepsTestCase(StaffTestCase):
    """Ann has just opened an organization; Bob, a rep, works in another one."""

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        owner, _ = owner_login("ann@example.com")
        owner.set_password(PASSWORD)
        owner.save()
        cls.ann = open_organization(name="My company", owner=owner)

    def setUp(self):
        self.sign_in(self.ann)

    @property
    def organization_now(self):
        return Organization.objects.get(pk=self.ann.organization_id)

    @property
    def pipeline_now(self):
        return Pipeline.objects.of(self.ann.organization_id).default().get()

    def fields(self, url):
        return Fields(self.page(url), url.partition("?")[0]).sent

    def post(self, step, **change):
        """Send the form of a step as its page has it, with changes."""
        return self.client.post(step_url(step), {**self.fields(step_url(step)), **change})

    def guide(self):
        return self.client.get("/admin/").context["home"]["guide"]


class SignInTests(FirstStepsTestCase):
    def setUp(self):
        """Nobody has signed in yet."""

    def led_to(self, email, **query):
        fresh = Client()
        path = reverse("admin:login", query=query)
        given = {"username": email, "password": PASSWORD, **({"next": query["next"]} if query else {})}
        return fresh.post(path, given)["Location"]

    def set_password(self, actor):
        user = User.objects.get(pk=actor.member.user_id)
        user.is_staff = True
        user.set_password(PASSWORD)
        user.save()

    def test_the_first_sign_in_of_an_admin_leads_to_the_guide_and_the_second_home(self):
        assert self.led_to("ann@example.com") == "/admin/first-steps/"
        assert self.led_to("ann@example.com") == "/admin/"

    def test_a_link_that_was_opened_comes_first(self):
        assert self.led_to("ann@example.com", next="/admin/deals/deal/") == "/admin/deals/deal/"

    def test_nobody_else_is_led_there(self):
        rep = ActorFactory(organization=self.ann.organization, role=Role.REP, email="rep@example.com")
        for actor in (rep, self.alice):
            self.set_password(actor)
        self.deal()

        assert self.led_to(rep.member.email) == "/admin/"
        assert self.led_to(self.alice.member.email) == "/admin/"

    def test_without_an_organization_home_says_what_to_do(self):
        self.operator.set_password(PASSWORD)
        self.operator.save()

        assert self.led_to("operator@example.com") == "/admin/"


class HomeTests(FirstStepsTestCase):
    def test_home_lists_the_steps_with_what_is_done_until_all_are(self):
        assert [step.is_done for step in self.guide()["steps"]] == [False] * 4

        self.post("organization", name="Roofs Ltd")
        self.post("pipeline")
        assert [step.is_done for step in self.guide()["steps"]] == [True, True, False, False]
        self.deal(self.ann)
        assert [step.is_done for step in self.guide()["steps"]] == [True, True, False, True]
        self.post("colleagues", email="bea@example.com")

        assert self.guide() is None

    def test_it_is_dismissed_for_good(self):
        assert self.client.get(reverse("admin:first_steps_dismiss")).status_code == 405
        self.client.post(reverse("admin:first_steps_dismiss"))

        assert self.guide() is None
        assert "First steps" in self.page("/admin/")  # those that every role has before the first deal

    def test_an_organization_that_has_begun_without_it_has_none(self):
        self.deal()
        self.sign_in(self.alice)

        assert self.guide() is None

    def test_the_guide_continues_at_the_first_step_that_is_not_done(self):
        assert self.client.get(reverse("admin:first_steps"))["Location"] == step_url("organization")
        self.post("organization")

        assert self.client.get(reverse("admin:first_steps"))["Location"] == step_url("pipeline")

    def test_other_roles_have_no_page_of_it(self):
        for actor in (self.manager, self.bob, self.viewer):
            self.sign_in(actor)
            for name in STEPS:
                self.page(step_url(name), 403)
            assert self.client.post(reverse("admin:first_steps_dismiss")).status_code == 403
            assert self.guide() is None

    def test_every_step_can_be_skipped(self):
        for name, following in itertools.pairwise(STEPS):
            assert f'href="{step_url(following)}">Skip' in self.page(step_url(name))
        assert Organization.objects.get(pk=self.ann.organization_id).first_steps is None


class OrganizationTests(FirstStepsTestCase):
    def test_it_is_saved_with_the_name_of_the_admin(self):
        answer = self.post(
            "organization",
            full_name="Ann Lee",
            name="Toits SA",
            currency="chf",
            country="CH",
            language="fr",
            time_zone="Europe/Zurich",
        )

        assert answer["Location"] == step_url("pipeline")
        row = self.organization_now
        found = (row.name, row.currency, row.country, row.language, row.time_zone)
        assert found == ("Toits SA", "CHF", "CH", "fr", "Europe/Zurich")
        assert row.first_steps == ["organization"]
        assert User.objects.get(email="ann@example.com").full_name == "Ann Lee"

    def test_what_is_wrong_is_named_at_its_field_and_nothing_is_saved(self):
        answer = self.post("organization", name="", currency="EURO", full_name="Ann Lee")

        assert answer.status_code == 200
        assert {"name", "currency"} <= set(answer.context["form"].errors)
        answer = self.post("organization", currency="EUX", full_name="Ann Lee")
        assert "This is not an ISO 4217 currency code." in str(answer.context["form"].errors["currency"])
        assert self.organization_now.first_steps is None
        assert User.objects.get(email="ann@example.com").full_name == ""

    def test_the_browsers_time_zone_and_language_fill_an_organization_that_says_nothing(self):
        url = f"{step_url('organization')}?zone=Europe/Warsaw"
        page = self.client.get(url, headers={"accept-language": "pl-PL,pl;q=0.9,en;q=0.5"})

        form = page.context["form"]
        names = ("time_zone", "country", "currency", "language")
        assert [form[name].value() for name in names] == ["Europe/Warsaw", "PL", "PLN", "pl"]
        assert self.organization_now.time_zone == "UTC"
        assert "first_steps.js" not in page.content.decode()
        assert "first_steps.js" in self.page(step_url("organization"))

    def test_a_guess_is_saved_when_the_form_is(self):
        form = self.fields(f"{step_url('organization')}?zone=Europe/Warsaw")

        self.client.post(step_url("organization"), form)

        row = self.organization_now
        assert (row.time_zone, row.country, row.currency) == ("Europe/Warsaw", "PL", "PLN")
        later = self.client.get(f"{step_url('organization')}?zone=Asia/Tokyo").context["form"]
        assert later["time_zone"].value() == "Europe/Warsaw"

    def test_nonsense_is_guessed_from_nothing(self):
        url = f"{step_url('organization')}?zone=Nowhere/%00"
        form = self.client.get(url, headers={"accept-language": "xx-ZZ"}).context["form"]

        names = ("time_zone", "country", "currency", "language")
        assert [form[name].value() for name in names] == ["UTC", "", "EUR", "en"]


class PipelineTests(FirstStepsTestCase):
    def stages(self):
        return [(stage.name, stage.kind) for stage in self.pipeline_now.stages.in_order()]

    def test_every_template_can_win_and_lose_and_has_rising_probabilities(self):
        for name in TEMPLATES:
            stages = [Stage(**stage) for stage in template(name)["stages"]]
            chances = [stage.probability for stage in stages if stage.kind == "open"]
            assert missing_kinds(stages) == []
            assert chances == sorted(chances)
            assert len({stage.color for stage in stages}) == len(stages)

    def test_a_template_replaces_the_stages_and_can_be_renamed(self):
        url = f"{step_url('pipeline')}?template=short"
        before = {stage.pk for stage in self.pipeline_now.stages.in_order()}

        answer = self.client.post(
            step_url("pipeline"), {**self.fields(url), "pipeline": "Roofs", "stages-0-name": "Call"}
        )

        assert answer["Location"] == step_url("colleagues")
        assert self.pipeline_now.name == "Roofs"
        assert self.stages() == [("Call", "open"), ("Offer", "open"), ("Won", "won"), ("Lost", "lost")]
        # They are the same rows: nothing of the first pipeline lies in the trash but what is left over.
        assert {stage.pk for stage in self.pipeline_now.stages.in_order()} <= before

    def test_a_row_without_a_name_is_left_out_and_the_last_one_is_a_further_stage(self):
        form = self.fields(step_url("pipeline"))
        last = int(form["stages-TOTAL_FORMS"]) - 1

        self.post("pipeline", **{"stages-1-name": " ", f"stages-{last}-name": "Contract"})

        names = [name for name, _ in self.stages()]
        assert names == ["New", "Proposal", "Negotiation", "Contract", "Won", "Lost"]

    def test_a_wrong_value_is_named_at_its_stage(self):
        answer = self.post("pipeline", **{"stages-0-probability": "120", "stages-1-color": "red"})

        assert answer.status_code == 200
        rows = answer.context["rows"].forms
        assert "From 0 to 100." in str(rows[0].errors)
        assert rows[1].errors
        assert self.organization_now.first_steps is None

    def test_stages_with_deals_are_renamed_and_never_replaced(self):
        self.deal(self.ann)

        page = self.page(f"{step_url('pipeline')}?template=short")
        assert "fs-templates" not in page
        self.post("pipeline", **{"stages-0-name": "First call"})

        assert [name for name, _ in self.stages()][:2] == ["First call", "Qualified"]
        assert Deal.objects.get(organization=self.ann.organization).stage.name == "First call"

    def test_a_stage_of_another_organization_is_refused(self):
        theirs = self.pipeline.stages.in_order().first()

        answer = self.post("pipeline", **{"stages-0-stage": theirs.pk})

        assert answer.status_code == 200
        theirs.refresh_from_db()
        assert theirs.name == "New"
        assert theirs.pipeline == self.pipeline

    def test_an_organization_without_a_pipeline_gets_one(self):
        Stage.objects.filter(pipeline=self.pipeline_now).delete()
        Pipeline.objects.of(self.ann.organization_id).delete()

        assert self.post("pipeline")["Location"] == step_url("colleagues")

        assert self.pipeline_now.is_active
        assert len(self.stages()) == 6


class ColleaguesTests(FirstStepsTestCase):
    def test_without_a_mail_server_the_link_is_shown_once(self):
        with self.settings(EMAIL_BACKEND="django.core.mail.backends.console.EmailBackend"):
            answer = self.post("colleagues", email="Bea@example.com", role="manager")

        page = answer.content.decode()
        invitation = Invitation.objects.get()
        assert (invitation.email, invitation.role) == ("bea@example.com", "manager")
        assert "/admin/invitation/?token=" in page
        assert "/admin/invitation/?token=" not in self.page(step_url("colleagues"))
        assert "bea@example.com" in self.page(step_url("colleagues"))

    def test_with_a_mail_server_the_link_is_mailed_and_not_shown(self):
        page = self.post("colleagues", email="bea@example.com").content.decode()

        assert "The link is on its way." in page
        assert "/admin/invitation/?token=" not in page
        assert Message.objects.filter(template="invitation").count() == 1

    def test_a_refusal_is_shown(self):
        answer = self.post("colleagues", email="ann@example.com")

        assert "ann@example.com is already a member." in answer.content.decode()


class DealsTests(FirstStepsTestCase):
    def add(self, **given):
        return self.post("deals", **given)

    def test_the_first_deal_belongs_to_the_admin_and_is_on_the_board(self):
        answer = self.add(name="Roof", amount="1200", contact_text="Zoe Day zoe@example.com")

        deal = Deal.objects.get()
        assert answer["Location"] == reverse("admin:deals_deal_board", args=[self.pipeline_now.pk])
        assert (deal.name, deal.amount, deal.owner) == ("Roof", 1200, self.ann.member)
        assert deal.contact.email == "zoe@example.com"
        assert "added to New" in self.page(answer["Location"])

    def test_a_form_that_is_sent_twice_makes_one_deal(self):
        sent = {**self.fields(step_url("deals")), "name": "Roof"}

        for _ in range(2):
            self.client.post(step_url("deals"), sent)

        assert Deal.objects.count() == 1

    def test_what_is_wrong_is_named_and_what_was_typed_stays(self):
        page = self.add(name="Roof", amount="much").content.decode()

        assert "Write an amount as 15,000.50." in page
        assert 'value="Roof"' in page
        assert not Deal.objects.exists()

    def test_a_pipeline_without_an_open_stage_is_pointed_out(self):
        Stage.objects.filter(pipeline=self.pipeline_now, kind="open").delete()

        assert "There is no open stage that a deal could begin in." in self.page(step_url("deals"))


class MissingStagesTests(StaffTestCase):
    """Pipelines that cannot win or lose a deal are pointed out, with what follows from it."""

    def setUp(self):
        self.sign_in(self.manager)

    def test_a_pipeline_without_a_won_stage(self):
        assert "missing-stages" not in self.page(change_url(self.pipeline))
        assert "No won stage" not in self.page(list_url(Pipeline))
        Stage.objects.filter(pk=self.won.pk).update(kind="open")

        page = self.page(change_url(self.pipeline))

        assert "No won stage" in page
        assert "stays in the stage where it was" in page
        assert "No lost stage" not in page
        assert "No won stage" in self.page(list_url(Pipeline))

    def test_what_is_said_is_so(self):
        Stage.objects.filter(pk=self.won.pk).update(kind="open")
        deal = self.deal(stage=self.offer.pk)

        self.client.post(
            reverse("admin:deals_deal_board_move", args=[self.pipeline.pk]),
            {"deal": deal.pk, "version": deal.version, "to": "won"},
        )

        deal.refresh_from_db()
        assert (deal.status, deal.stage) == ("won", self.offer)


@pytest.mark.parametrize(
    ("kinds", "missing"),
    [
        (["open", "won", "lost"], []),
        (["open", "lost"], ["won"]),
        (["won"], ["open", "lost"]),
        ([], ["open", "won", "lost"]),
    ],
)
def test_the_kinds_that_a_pipeline_lacks(kinds, missing):
    assert missing_kinds([Stage(kind=kind) for kind in kinds]) == missing
