"""A day of a rep, a manager and an admin, clicked through from page to page."""

import re
from urllib.parse import urlsplit

import pytest
from django.core import mail

from crm_project.accounts.models import ApiToken, Member
from deals.models import Deal
from tests.base import stages_of
from tests.browser.conftest import PASSWORD
from tests.factories import CustomFieldFactory, LostReasonFactory
from tests.tasks import run_tasks

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def names(page):
    return [text.strip() for text in page.locator("#result_list .field-title").all_inner_texts()]


def carry_out(page, label, **choices):
    """A row's button, and what its page asks."""
    page.locator(".crm-actions").get_by_role("link", name=label, exact=True).click()
    page.wait_for_selector(".crm-action")
    for name, choice in choices.items():
        page.select_option(f"select[name={name}]", label=choice)
    page.locator(".crm-action button[type=submit]").click()
    page.wait_for_selector(".crm-action", state="detached")


def choose(page, field, typed):
    """Find a row in an autocomplete by typing a part of its name."""
    page.locator(f".field-{field} .select2-selection").click()
    page.keyboard.type(typed)
    page.locator(".select2-results__option--highlighted", has_text=typed).click()


def drag(page, source, goal):
    """With the mouse, in steps, as a hand does."""
    source.evaluate("element => element.scrollIntoView({block: 'center'})")
    start, end = source.bounding_box(), goal.bounding_box()
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(end["x"] + 8, end["y"] + 8, steps=8)
    page.mouse.move(end["x"] + 8, end["y"] + end["height"], steps=8)
    page.mouse.up()


def test_a_rep_finds_a_deal_and_works_on_it(page, sign_in, world):
    person = world.person(first_name="Sophie", last_name="Martin-Dubois")
    CustomFieldFactory(
        actor=world.alice, key="region", label="Region", type="select", options=["North", "South"]
    )
    LostReasonFactory(actor=world.alice, name="Too dear")
    deal = world.deal(
        name="Roof",
        contact=person.pk,
        owner=world.bob.member.pk,
        custom_fields={"region": "North"},
        amount="900",
    )
    world.deal(name="Floor", owner=world.manager.member.pk, custom_fields={"region": "South"})
    world.deal(name="Wall", stage=stages_of(world.renewals)[0].pk)
    sign_in("bob@example.com")

    page.goto("/admin/deals/deal/")
    page.fill("#searchbar", "dubois")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=dubois**")
    assert names(page) == ["Roof"]
    for field, choice in (
        ("status", "Open"),
        ("pipeline", "Sales"),
        ("stage", "New"),
        ("owner", "Bob"),
        ("custom_region", "North"),
    ):
        page.goto("/admin/deals/deal/")
        page.click(".crm-filters")
        page.select_option(f"#filter-form select[name={field}]", label=choice)
        page.click("#filter-form button[type=submit]")
        page.wait_for_url(f"**{field}=**")
        assert "Roof" in names(page), field
        assert "Wall" not in names(page) or field == "status"
    page.click(".field-title a")

    carry_out(page, "Lose", lost_reason="Too dear")
    page.wait_for_selector(".crm-facts >> text=Lost")
    carry_out(page, "Reopen")
    carry_out(page, "Move", stage="Offer")
    carry_out(page, "Hand over", owner="Mary")
    page.click(".crm-page-tabs >> text=Edit")
    page.locator("#content-main form nav").get_by_text("People", exact=True).click()
    choose(page, "followers", "Victor")
    page.click("button[name=_save]")
    page.wait_for_selector("text=was changed successfully")
    deal.refresh_from_db()
    assert (deal.status, deal.stage, deal.owner) == ("open", world.offer, world.manager.member)
    assert [member.full_name for member in deal.followers.all()] == ["Victor"]

    carry_out(page, "Move to the trash")
    page.locator(".crm-tools").get_by_role("link", name="Trash").click()
    page.locator("input.action-select").first.check()
    page.select_option("select[name=action]", label="Restore")
    page.click("#changelist-actions button[type=submit]")
    page.locator(".crm-action button[type=submit]").click()
    page.wait_for_selector("text=Roof: restored.")
    assert Deal.objects.live().filter(pk=deal.pk).exists()


def test_a_manager_orders_stages_and_removes_one(page, sign_in, world):
    deal = world.deal(stage=world.offer.pk)
    sign_in("mary@example.com")
    page.goto(f"/admin/pipelines/pipeline/{world.pipeline.pk}/change/")

    page.fill("input[name=stages-0-position]", "1")
    page.fill("input[name=stages-1-position]", "0")
    page.click("button[name=_save]")
    page.wait_for_selector("text=was changed successfully")
    assert [stage.name for stage in stages_of(world.pipeline)][:2] == ["Offer", "New"]

    drag(page, *(page.locator("#stages-group .cursor-move").nth(index) for index in (0, 1)))
    page.click("button[name=_save]")
    page.wait_for_selector("text=was changed successfully")
    assert [stage.name for stage in stages_of(world.pipeline)][:2] == ["New", "Offer"]

    page.locator("tr", has=page.locator("input[value=Offer]")).get_by_text("Remove…").click()
    page.wait_for_selector("text=It has 1 deal. Choose a stage for its deals.")
    page.select_option("select[name=move_deals_to]", label="Sales: New")
    page.click(".crm-action button[type=submit]")
    page.wait_for_selector("text=Offer: moved to the trash.")
    deal.refresh_from_db()
    assert deal.stage == world.new
    assert [stage.name for stage in stages_of(world.pipeline)] == ["New", "Won", "Lost"]


def test_an_admin_invites_hands_over_and_revokes(page, sign_in, world, client):
    deal = world.deal(owner=world.bob.member.pk)
    sign_in("alice@example.com")

    page.goto("/admin/accounts/member/")
    page.get_by_role("link", name="Invite", exact=True).click()
    page.fill("input[name=email]", "nina@example.com")
    page.fill("input[name=full_name]", "Nina")
    page.click("button[name=_save]")
    assert page.locator("#invitation-sent-to").inner_text() == "nina@example.com"
    run_tasks()
    link = urlsplit(re.search(r"http\S+", mail.outbox[-1].body)[0])
    page.context.clear_cookies()
    page.goto(f"{link.path}?{link.query}")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector(".crm-home")
    page.context.clear_cookies()
    sign_in("alice@example.com")

    page.goto("/admin/accounts/member/")
    page.click("#result_list >> text=Bob")
    carry_out(page, "Deactivate", hand_over_to="Nina")
    deal.refresh_from_db()
    assert deal.owner == Member.objects.get(user__email="nina@example.com")
    assert not Member.objects.get(pk=world.bob.member.pk).is_active

    page.goto("/admin/accounts/apitoken/add/")
    page.fill("input[name=name]", "Shop")
    page.click("button[name=_save]")
    secret = page.locator("#token-secret").inner_text()
    bearer = {"authorization": f"Bearer {secret}"}
    assert client.get("/api/me", headers=bearer).status_code == 200
    page.click("text=I have copied it")
    page.click("#result_list >> text=Shop")
    carry_out(page, "Revoke")
    assert client.get("/api/me", headers=bearer).status_code == 401
    assert ApiToken.objects.get(name="Shop").revoked_at

    page.context.clear_cookies()
    sign_in("nina@example.com")
