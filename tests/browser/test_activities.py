"""A rep's morning: the day on the home page, a call that is logged with its next step, and clicks that are counted."""

import datetime

import pytest
from django.utils import timezone

from crm_project.activities.models import Activity

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DAY = datetime.timedelta(days=1)


class Clicks:
    """Clicks, and counts them."""

    def __init__(self, page):
        self.page, self.count = page, 0

    def __call__(self, locator):
        self.count += 1
        locator.click()


def marked(page):
    """Mark the document: the mark is lost when a page is loaded."""
    page.evaluate("document.documentElement.dataset.mark = '1'")


def is_same_page(page):
    return page.evaluate("document.documentElement.dataset.mark === '1'")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_call_is_logged_and_the_next_step_planned_in_three_clicks(page, sign_in, world, width):
    page.set_viewport_size({"width": width, "height": 844})
    deal = world.deal(name="Roof", owner=world.bob.member.pk)
    sign_in("bob@example.com")
    page.goto(f"/admin/deals/deal/{deal.pk}/change/")
    marked(page)
    click = Clicks(page)

    click(page.locator(".crm-log [name=subject]"))
    page.keyboard.type("Wants an offer")
    click(page.locator(".crm-when label", has_text="Tomorrow"))
    click(page.locator(".crm-log > button"))
    page.wait_for_selector(".crm-act-message.crm-act-good")

    assert click.count == 3
    assert is_same_page(page)
    done, planned = Activity.objects.filter(deal=deal.pk).order_by("id")
    assert (done.subject, done.is_open) == ("Wants an offer", False)
    assert planned.due_on == timezone.localdate() + DAY
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_morning(page, sign_in, world):
    deal = world.deal(name="Roof", owner=world.bob.member.pk)
    today = timezone.localdate()
    late, due, other = (
        world.activity(subject=subject, deal=deal.pk, owner=owner.member.pk, due_on=due_on)
        for subject, owner, due_on in (
            ("Call back", world.bob, today - 2 * DAY),
            ("Send the offer", world.bob, today),
            ("Not mine", world.manager, today),
        )
    )
    sign_in("bob@example.com")
    page.goto("/admin/?whose=mine")
    lines = page.locator(".crm-day .crm-act")
    assert lines.count() == 2
    page.set_viewport_size({"width": 390, "height": 844})
    assert all(line["y"] + line["height"] <= 844 for line in (lines.nth(n).bounding_box() for n in range(2)))
    page.set_viewport_size({"width": 1280, "height": 844})
    marked(page)

    page.get_by_role("button", name="Done: Call back").click()
    page.wait_for_selector(".crm-act-message.crm-act-good")
    assert page.evaluate("document.activeElement.name") == "next_subject"
    page.keyboard.type("Visit them")
    page.locator(".crm-when label", has_text="In a week").click()
    page.get_by_role("button", name="Plan it").click()
    page.wait_for_selector("text=Visit them")
    page.get_by_role("button", name="Postpone to the next day: Send the offer").click()
    page.wait_for_selector("text=postponed")

    assert is_same_page(page)
    assert lines.count() == 0
    late.refresh_from_db()
    due.refresh_from_db()
    assert late.done_at
    assert due.due_on == today + DAY
    planned = Activity.objects.get(subject="Visit them")
    assert (planned.due_on, planned.owner_id) == (today + 7 * DAY, world.bob.member.pk)
    other.refresh_from_db()
    assert other.is_open


@pytest.mark.parametrize("width", [1280, 390])
def test_a_deal_is_dealt_with_where_it_stands(page, sign_in, world, width):
    page.set_viewport_size({"width": width, "height": 844})
    person = world.person(first_name="Sophie", last_name="Martin", phone="+33 1 23", email="s@example.com")
    deal, other = (
        world.deal(name=name, owner=world.bob.member.pk, contact=person.pk) for name in ("Roof", "Floor")
    )
    sign_in("bob@example.com")
    page.goto("/admin/?whose=mine")
    marked(page)
    box = page.locator(".crm-lists .crm-box", has=page.get_by_role("heading", name="Without a next step"))
    links = box.locator("li", has_text="Roof").locator(".crm-row-acts a")
    assert links.count() == 4
    if width == 390:
        sizes = [links.nth(number).bounding_box() for number in range(4)]
        assert all(size["height"] >= 44 and size["width"] >= 44 for size in sizes), sizes
    click = Clicks(page)

    click(box.get_by_role("link", name="Plan the next step of Floor"))
    page.wait_for_selector("text=Next step of Floor")
    click(box.get_by_role("link", name="Plan the next step of Roof"))
    page.wait_for_selector("text=Next step of Roof")
    assert page.evaluate("document.activeElement.name") == "next_subject"
    assert page.locator(".crm-work .crm-log").count() == 1
    page.keyboard.type("Ring them")
    click(box.locator(".crm-when label", has_text="Today"))
    click(box.get_by_role("button", name="Plan it"))
    page.wait_for_selector(".crm-act-message.crm-act-good")

    assert click.count == 4, "the first one opened the form of another deal"
    assert is_same_page(page)
    message = page.locator(".crm-act-message").bounding_box()
    assert 0 <= message["y"] <= 844 - message["height"], message
    assert page.get_by_role("button", name="Done: Ring them").count() == 1
    assert box.locator("li").count() == 1
    row = Activity.objects.get(subject="Ring them")
    assert (row.deal_id, row.due_on) == (deal.pk, timezone.localdate())
    assert page.evaluate("document.documentElement.scrollWidth") == width

    box.get_by_role("link", name="Move Floor").click()
    page.select_option("select[name=stage]", label="Offer")
    page.locator(".crm-action button[type=submit]").click()
    page.wait_for_url("**/admin/?whose=mine")
    other.refresh_from_db()
    assert other.stage == world.offer


def test_an_act_is_undone_from_its_message(page, sign_in, world):
    task = world.activity(subject="Call back", deal=world.deal(name="Roof").pk)
    sign_in("bob@example.com")
    page.goto(f"/admin/deals/deal/{task.deal_id}/change/")
    page.get_by_role("button", name="Done: Call back").click()
    page.wait_for_selector(".crm-act-message.crm-act-good")

    page.locator(".crm-act-message").get_by_text("Undo").click()
    page.wait_for_selector(".crm-action")
    page.locator(".crm-action button[type=submit]").click()
    page.wait_for_selector(".crm-action", state="detached")

    task.refresh_from_db()
    assert task.is_open
