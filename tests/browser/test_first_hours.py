"""The first hours of an organization: from the first sign-in to the first deal, in a browser, with the clicks counted.

A field counts as one click, though Tab leads to it, too.
"""

import json

import pytest
from django.urls import reverse

from crm_project.accounts.models import Organization, User
from crm_project.setup.organizations import open_organization, owner_login
from deals.models import Deal
from pipelines.models import Pipeline
from tests.browser.chromium import browser_context
from tests.browser.conftest import PASSWORD
from tests.browser.test_look import NEEDS_AXE, faults_of, violations_of
from tests.staff.base import change_url

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

MOST_CLICKS = 15
STEPS = ("organization", "pipeline", "colleagues", "deals")


@pytest.fixture
def ann(world):
    owner, _ = owner_login("ann@example.com")
    owner.set_password(PASSWORD)
    owner.save()
    return open_organization(name="My company", owner=owner)


class Hand:
    """A person at the page, whose clicks are counted."""

    def __init__(self, page):
        self.page, self.clicks = page, 0

    def click(self, name, role="button"):
        self.clicks += 1
        self.page.get_by_role(role, name=name, exact=True).click()
        self.page.wait_for_load_state()

    def type(self, label, text):
        self.clicks += 1
        self.page.get_by_label(label).first.click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def sign_in(self):
        self.page.goto("/admin/")
        self.type("E-mail", "ann@example.com")
        self.type("Password", PASSWORD)
        self.click("Log in")


@pytest.mark.parametrize("width", [1360, 390])
def test_from_the_first_sign_in_to_the_first_deal_in_fifteen_clicks(page, ann, width):
    page.set_viewport_size({"width": width, "height": 844})
    hand = Hand(page)

    hand.sign_in()
    page.wait_for_url("**/first-steps/organization/")
    page.wait_for_selector("[data-guess]", state="detached")
    hand.type("Your name", "Ann Lee")
    hand.type("Name of the organization", "Roofs Ltd")
    hand.click("Save and continue")
    page.wait_for_url("**/first-steps/pipeline/")
    hand.click("Save and continue")
    page.wait_for_url("**/first-steps/colleagues/")
    hand.click("Skip", role="link")
    hand.type("Name", "New roof")
    hand.type("Amount (", "1200")
    hand.type("Contact", "Zoe Day zoe@example.com")
    hand.click("Add deal")
    page.wait_for_selector(".kb-column >> text=New roof")

    assert hand.clicks <= MOST_CLICKS, hand.clicks
    deal = Deal.objects.get(organization=ann.organization)
    assert (deal.name, deal.owner_id) == ("New roof", ann.member.pk)
    page.goto("/admin/")
    assert page.locator("h2", has_text="Hello, Ann Lee").count() == 1
    assert page.locator(".crm-steps >> text=Done").count() == 3


def test_it_is_done_with_the_keyboard_alone(page, ann):
    page.goto("/admin/")
    page.focus("input[name=username]")
    for text in ("ann@example.com", PASSWORD):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.focus("input[name=password]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/first-steps/organization/")
    page.wait_for_selector("[data-guess]", state="detached")
    page.focus("input[name=full_name]")
    page.keyboard.type("Ann Lee")
    page.keyboard.press("Enter")
    page.wait_for_url("**/first-steps/pipeline/")
    page.focus("a[href='?template=short']")
    page.keyboard.press("Enter")
    page.wait_for_url("**template=short")
    page.focus("input[name=stages-0-name]")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Call")
    page.keyboard.press("Enter")
    page.wait_for_url("**/first-steps/colleagues/")

    pipeline = Pipeline.objects.get(organization=ann.organization)
    assert [stage.name for stage in pipeline.stages.in_order()] == ["Call", "Offer", "Won", "Lost"]


def test_the_browser_says_where_the_organization_is(live_server, ann):
    place = {"timezone_id": "Europe/Warsaw", "locale": "pl-PL"}
    with browser_context(base_url=live_server.url, **place) as context:
        page = context.new_page()
        page.goto("/admin/")
        page.fill("input[name=username]", "ann@example.com")
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/first-steps/organization/")
        page.wait_for_selector("[data-guess]", state="detached")
        page.locator(".fs-buttons button").click()
        page.wait_for_url("**/first-steps/pipeline/")

        names = page.locator(".fs-stage-name input").evaluate_all(
            "fields => fields.map(field => field.value)"
        )

    row = Organization.objects.get(pk=ann.organization_id)
    found = (row.time_zone, row.country, row.currency, row.language)
    assert found == ("Europe/Warsaw", "PL", "PLN", "pl")
    assert names[0] == "Nowa"


def test_the_guide_is_dismissed_on_the_home_page(page, sign_in, ann):
    User.objects.filter(email="ann@example.com").update(is_staff=True)
    sign_in("ann@example.com")
    assert page.locator(".crm-steps li").count() == 4

    page.click("text=Dismiss")
    page.wait_for_selector(".crm-dismiss", state="detached")

    assert Organization.objects.get(pk=ann.organization_id).first_steps == ["dismissed"]


class TestLook:
    @pytest.fixture
    def urls(self, world, ann):
        world.won.kind = "open"
        world.won.save()
        return [
            "/admin/",
            *(reverse(f"admin:first_steps_{name}") for name in STEPS),
            f"{reverse('admin:first_steps_pipeline')}?template=projects",
        ]

    def test_no_text_is_cut_or_overlaps_and_nothing_moves(self, page, sign_in, urls):
        sign_in("ann@example.com")

        faults = faults_of(page, urls, (390, 1280))

        assert not faults, json.dumps(faults, indent=1)

    @NEEDS_AXE
    def test_axe_finds_nothing(self, page, sign_in, urls, world):
        sign_in("ann@example.com")
        found = violations_of(page, urls)
        sign_in("mary@example.com")
        found |= violations_of(page, [change_url(world.pipeline), "/admin/pipelines/pipeline/"])

        assert not found, json.dumps(found, indent=1)
